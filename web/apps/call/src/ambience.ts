/** A soft glow of the replica's own colours behind its picture, from a picture of a few pixels. */

import { byId } from "./dom";

const TICK_MS = 2000;

export function glow(video: HTMLVideoElement, over: AbortSignal): void {
  const canvas = byId<HTMLCanvasElement>("ambience");
  const pen = canvas.getContext("2d");
  const draw = () => {
    if (video.videoWidth) pen?.drawImage(video, 0, 0, canvas.width, canvas.height);
  };
  const timer = setInterval(draw, TICK_MS);
  video.addEventListener("loadeddata", draw, { signal: over });
  over.addEventListener("abort", () => clearInterval(timer));
}
