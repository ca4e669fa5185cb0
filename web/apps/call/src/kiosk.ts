/**
 * A page that stands somewhere in public: `?kiosk` in the address. It waits, and begins a call when somebody touches
 * it, moves before its camera or speaks; when they leave, or nobody was seen or heard for a while, it waits again.
 * What the camera and the microphone give is only compared with itself here; nothing is kept or sent while it waits.
 */

import { type Call, measureLevel, type OwnMedia } from "@visavis/client";

import { byId, showScreen } from "./dom";

const TICK_MS = 250;
const GRID = 16;
/** Mean change of a pixel from one tick to the next, of 255: a person who walks up, not the noise of a camera. */
const MOVED = 6;
const LOUD = 0.45;
/** So many ticks in a row are no flicker and no knock. */
const TICKS = 3;
const ALONE_MS = 60_000;
const AFTERWARDS_MS = 6_000;

/** Calls back when somebody moves or makes sounds; the answer stops it. */
export function noticePeople(own: OwnMedia, somebody: () => void): () => void {
  const canvas = new OffscreenCanvas(GRID, GRID);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const video = byId<HTMLVideoElement>("kiosk-own");
  const { camera, microphone } = own.tracks;
  video.srcObject = camera && new MediaStream([camera]);
  let [before, ticks, level]: [Uint8ClampedArray | null, number, number] = [null, 0, 0];
  const stop = microphone ? measureLevel(microphone, (now) => (level = Math.max(level * 0.9, now))) : () => {};
  const timer = setInterval(() => {
    let change = 0;
    if (pen && video.videoWidth) {
      pen.drawImage(video, 0, 0, GRID, GRID);
      const { data } = pen.getImageData(0, 0, GRID, GRID);
      if (before) for (let at = 0; at < data.length; at++) change += Math.abs((data[at] ?? 0) - (before[at] ?? 0));
      change /= 0.75 * data.length; // the fourth channel never changes
      before = data;
    }
    ticks = change > MOVED || level > LOUD ? ticks + 1 : 0;
    if (ticks >= TICKS) somebody();
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    stop();
    video.srcObject = null;
  };
}

/** Show the invitation until somebody comes. */
export function attract(own: OwnMedia): Promise<void> {
  showScreen("kiosk");
  void keepAwake();
  return new Promise((resolve) => {
    const come = () => {
      stop();
      resolve();
    };
    const stop = noticePeople(own, come);
    byId("kiosk").addEventListener("click", come, { once: true });
  });
}

/** Leave the call when nobody has been seen, heard or answered for a minute. */
export function leaveWhenAlone(call: Call, own: OwnMedia): void {
  let timer: ReturnType<typeof setTimeout>;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void call.leave(), ALONE_MS);
  };
  const stop = noticePeople(own, again);
  call.on("conversation.user.started_speaking", again);
  call.on("conversation.replica.stopped_speaking", again);
  call.on("state", (state) => {
    if (state !== "ended") return;
    clearTimeout(timer);
    stop();
  });
  again();
}

/** The next person gets a conversation of their own. @param link where new ones are to be had */
export function startOver(link: string, afterMs = AFTERWARDS_MS): void {
  setTimeout(() => location.replace(link), afterMs);
}

async function keepAwake(): Promise<void> {
  const wake = () => navigator.wakeLock?.request("screen").catch(() => {});
  await wake();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void wake());
}
