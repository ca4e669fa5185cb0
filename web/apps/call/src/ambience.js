// @ts-check
/** A soft glow of the replica's own colours behind its picture, from a picture of a few pixels. */

import { byId } from "./dom.js";

const TICK_MS = 2000;

/**
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} over
 */
export function glow(video, over) {
  const canvas = /** @type {HTMLCanvasElement} */ (byId("ambience"));
  const pen = canvas.getContext("2d");
  const draw = () => {
    if (video.videoWidth) pen?.drawImage(video, 0, 0, canvas.width, canvas.height);
  };
  const timer = setInterval(draw, TICK_MS);
  video.addEventListener("loadeddata", draw, { signal: over });
  over.addEventListener("abort", () => clearInterval(timer));
}
