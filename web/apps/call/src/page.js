// @ts-check
/** The call page: look the conversation up, lobby, call, goodbye. `?embed=1` leaves out the margins. */

import { CallError, join, lookUp } from "./call.js";
import { CallView } from "./call_view.js";
import { byId, fillTexts, fillValues, showScreen } from "./dom.js";
import { sayGoodbye } from "./goodbye.js";
import { Lobby } from "./lobby.js";
import { explain } from "./no_call.js";
import { OwnMedia } from "./own_media.js";
import { disclosure, title } from "./strings.js";
import { onSwitch, setSwitch } from "./switches.js";

const url = location.href;

/** @type {OwnMedia} */
let own;
/** @type {Lobby} */
let lobby;
/** @type {import("./call.js").Call | null} */
let call = null;
/** @type {CallView | null} */
let view = null;

async function start() {
  showScreen("loading");
  let conversation;
  try {
    conversation = await lookUp(url);
    if (conversation.status === "ended") throw new CallError("ended");
  } catch (error) {
    return explain(error, start);
  }
  const name = conversation.persona.persona_name;
  fillValues({ name, title: title(name), disclosure: disclosure(name), initial: [...name][0] ?? "" });
  document.title = title(name);
  openLobby(!conversation.chat);
}

/** @param {boolean} speaking whether it is a call to speak in, not a chat */
function openLobby(speaking) {
  own = new OwnMedia();
  own.addEventListener("change", drawSwitches);
  lobby = new Lobby(own, enter);
  showScreen("lobby");
  if (speaking) own.start();
}

async function enter() {
  lobby.setJoining(true);
  const microphone = own.tracks.microphone;
  try {
    call = await join({ url, microphone });
  } catch (error) {
    lobby.setJoining(false);
    return noCall(error);
  }
  lobby.close();
  call.addEventListener("state", () => call?.state === "ended" && leave());
  showScreen("call");
  view = new CallView(call, own, microphone, lobby.speakerId);
}

/** @param {unknown} error */
function noCall(error) {
  const reason = error instanceof CallError ? error.reason : "refused";
  if (reason === "ended" || reason === "unknown" || reason === "private") {
    lobby.close();
    own.close();
  }
  explain(error, reason === "taken" ? () => showScreen("lobby") : enter);
}

function leave() {
  if (!call || !view) return;
  view.close();
  own.close();
  sayGoodbye(call, view, url);
  call = view = null;
}

async function again() {
  try {
    await lookUp(url);
  } catch (error) {
    return explain(error, again);
  }
  location.reload();
}

function drawSwitches() {
  setSwitch("microphone", own.tracks.microphone ? (own.muted ? "off" : "on") : "none");
  setSwitch("camera", own.tracks.camera ? "on" : own.cameraOff ? "off" : "none");
}

document.body.classList.toggle("embed", new URLSearchParams(location.search).has("embed"));
fillTexts();
onSwitch((name) => {
  if (name === "microphone") own.toggleMicrophone();
  else if (name === "camera") own.toggleCamera();
  else view?.press(name);
});
byId("again").addEventListener("click", again);
addEventListener("pagehide", () => call?.abandon());
addEventListener("pageshow", (event) => event.persisted && location.reload());
start();
