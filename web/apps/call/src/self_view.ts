/** The person's own picture, which can be moved to any corner of the stage. */

import type { Call, OwnMedia } from "@visavis/client";

import { byId, showTrack } from "./dom";

/** Away from the captions. */
const FIRST_CORNER = "start-end";

export class SelfView {
  readonly #box = byId("own");

  constructor(own: OwnMedia, call: Call, over: AbortSignal) {
    const signal = over;
    const draw = () => {
      showTrack(byId<HTMLVideoElement>("call-own"), own.tracks.camera);
      this.#box.hidden = own.tracks.camera === null;
      byId("seen").hidden = call.shown.camera === null;
    };
    own.on("change", draw, { signal });
    call.on("shown", draw, { signal });
    draw();
    this.#box.dataset.corner = FIRST_CORNER;
    this.#box.addEventListener("keydown", (event) => this.#moveByKey(event), { signal });
    this.#box.addEventListener("pointerdown", (event) => this.#drag(event), { signal });
  }

  #moveByKey(event: KeyboardEvent): void {
    let [block, inline] = (this.#box.dataset.corner ?? FIRST_CORNER).split("-");
    const forward = isRightToLeft() ? "ArrowLeft" : "ArrowRight";
    if (event.key === "ArrowUp") block = "start";
    else if (event.key === "ArrowDown") block = "end";
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") inline = event.key === forward ? "end" : "start";
    else return;
    event.preventDefault();
    this.#box.dataset.corner = `${block}-${inline}`;
  }

  #drag(down: PointerEvent): void {
    if (down.button !== 0) return;
    const box = this.#box;
    box.setPointerCapture(down.pointerId);
    box.classList.add("dragged");
    const follow = (move: PointerEvent) => {
      box.style.setProperty("--dx", `${move.clientX - down.clientX}px`);
      box.style.setProperty("--dy", `${move.clientY - down.clientY}px`);
    };
    const drop = () => {
      box.removeEventListener("pointermove", follow);
      box.dataset.corner = nearestCorner(box);
      box.classList.remove("dragged");
      box.style.removeProperty("--dx");
      box.style.removeProperty("--dy");
    };
    box.addEventListener("pointermove", follow);
    box.addEventListener("lostpointercapture", drop, { once: true });
  }
}

function nearestCorner(box: HTMLElement): string {
  const stage = byId("stage").getBoundingClientRect();
  const own = box.getBoundingClientRect();
  const below = own.top + own.height / 2 > stage.top + stage.height / 2;
  const right = own.left + own.width / 2 > stage.left + stage.width / 2;
  return `${below ? "end" : "start"}-${right !== isRightToLeft() ? "end" : "start"}`;
}

function isRightToLeft(): boolean {
  return getComputedStyle(document.documentElement).direction === "rtl";
}
