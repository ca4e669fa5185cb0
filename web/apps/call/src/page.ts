/**
 * The call page: look the conversation up, lobby, call, goodbye. In the address, `embed` leaves out the margins,
 * `lang` chooses the language, `kiosk` is for a screen in public (its value: the link that gives new conversations).
 */

import { type Call, CallError, type Conversation, join, lookUp, OwnMedia } from "@visavis/client";

import { CallView } from "./call_view";
import { DeviceChoice } from "./device_choice";
import { byId, fillTexts, fillValues, make, showScreen } from "./dom";
import { sayGoodbye } from "./goodbye";
import { attract, leaveWhenAlone, startOver } from "./kiosk";
import { Lobby } from "./lobby";
import { explain } from "./no_call";
import { chooseLanguage, t } from "./strings";
import { onSwitch, setSwitch } from "./switches";

const url = location.href;
const wishes = new URLSearchParams(location.search);
const kiosk = wishes.has("kiosk");

let own: OwnMedia;
let choice: DeviceChoice;
let lobby: Lobby;
let call: Call | null = null;
let view: CallView | null = null;

async function start(): Promise<void> {
  showScreen("loading");
  let conversation: Conversation;
  try {
    conversation = await lookUp(url);
    if (conversation.status === "ended") throw new CallError("ended");
  } catch (error) {
    return kiosk ? startOver(kioskLink()) : explain(error, start);
  }
  const name = conversation.persona.persona_name;
  fillValues({ name, title: t.title(name), disclosure: t.disclosure(name), initial: [...name][0] ?? "" });
  showFace(conversation.replica.thumbnail_video_url);
  byId("privacy").textContent = t.texts[conversation.sees === false ? "lobby.private" : "lobby.seen"];
  document.title = t.title(name);
  await openLobby(!conversation.chat);
}

/** Show who is going to be met, in the place of the initial. @param film a short film, where there is one */
function showFace(film: string | null | undefined): void {
  if (!film) return;
  for (const place of document.querySelectorAll(".welcome .monogram, .kiosk-sheet .monogram")) {
    if (place.querySelector("video")) continue;
    const video = make("video", "face");
    Object.assign(video, { muted: true, loop: true, playsInline: true, src: `${new URL(film, url).pathname}#t=0.2` });
    video.addEventListener("loadeddata", () => place.classList.add("with-face"), { once: true });
    place.append(video);
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) video.play().catch(() => undefined);
  }
}

/** @param speaking whether it is a call to speak in, not a chat */
async function openLobby(speaking: boolean): Promise<void> {
  own = new OwnMedia();
  own.on("change", drawSwitches);
  choice = new DeviceChoice(own, (speakerId) => view?.useSpeaker(speakerId));
  lobby = new Lobby(own, enter);
  drawSwitches();
  if (!kiosk) showScreen("lobby");
  if (speaking) await own.start();
  if (!kiosk) return;
  await attract(own);
  await enter();
}

async function enter(): Promise<void> {
  lobby.setJoining(true);
  const { microphone, camera } = own.tracks;
  try {
    call = await join(url, { microphone, camera });
  } catch (error) {
    lobby.setJoining(false);
    return noCall(error);
  }
  lobby.close();
  call.on("state", (state) => state === "ended" && leave());
  showScreen("call");
  view = new CallView(call, own, choice, microphone);
  if (kiosk) leaveWhenAlone(call, own);
}

function noCall(error: unknown): void {
  if (kiosk) return startOver(kioskLink());
  const reason = error instanceof CallError ? error.reason : "refused";
  if (reason === "ended" || reason === "unknown" || reason === "private") {
    lobby.close();
    own.close();
  }
  explain(error, reason === "taken" ? () => showScreen("lobby") : enter);
}

function leave(): void {
  if (!call || !view) return;
  view.close();
  own.close();
  sayGoodbye(call, view);
  call = view = null;
  if (kiosk) startOver(kioskLink());
}

async function again(): Promise<void> {
  try {
    await lookUp(url);
  } catch (error) {
    return explain(error, again);
  }
  location.reload();
}

/** Where the next conversation is: what `kiosk` says, if it is a place of this server, else its standing link. */
function kioskLink(): string {
  const asked = wishes.get("kiosk") ?? "";
  const link = new URL(/^[./]/.test(asked) ? asked : "../demo", url);
  if (link.origin !== location.origin) link.href = new URL("../demo", url).href;
  for (const [name, value] of wishes) link.searchParams.set(name, value);
  return link.href;
}

function drawSwitches(): void {
  setSwitch("microphone", own.tracks.microphone ? (own.muted ? "off" : "on") : "none");
  setSwitch("camera", own.tracks.camera ? "on" : own.cameraOff ? "off" : "none");
}

document.body.classList.toggle("embed", wishes.has("embed"));
await chooseLanguage(wishes.get("lang"), navigator.languages);
fillTexts();
onSwitch((name) => {
  if (name === "microphone") void own.toggleMicrophone();
  else if (name === "camera") void own.toggleCamera();
  else view?.press(name);
});
byId("again").addEventListener("click", () => void again());
addEventListener("pagehide", () => call?.abandon());
addEventListener("pageshow", (event) => event.persisted && location.reload());
await start();
