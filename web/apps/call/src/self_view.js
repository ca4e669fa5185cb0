// @ts-check
/** The person's own picture, which can be moved to any corner of the stage. */

import { byId, showTrack } from "./dom.js";

/** Away from the captions. */
const FIRST_CORNER = "start-end";

export class SelfView {
  #box = byId("own");

  /**
   * @param {import("./own_media.js").OwnMedia} own
   * @param {AbortSignal} over
   */
  constructor(own, over) {
    const draw = () => {
      showTrack(byId("call-own"), own.tracks.camera);
      this.#box.hidden = own.tracks.camera === null;
    };
    own.addEventListener("change", draw, { signal: over });
    draw();
    this.#box.dataset.corner = FIRST_CORNER;
    this.#box.addEventListener("keydown", (event) => this.#moveByKey(event), { signal: over });
    this.#box.addEventListener("pointerdown", (event) => this.#drag(event), { signal: over });
  }

  /** @param {KeyboardEvent} event */
  #moveByKey(event) {
    let [block, inline] = (this.#box.dataset.corner ?? FIRST_CORNER).split("-");
    const forward = isRightToLeft() ? "ArrowLeft" : "ArrowRight";
    if (event.key === "ArrowUp") block = "start";
    else if (event.key === "ArrowDown") block = "end";
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") inline = event.key === forward ? "end" : "start";
    else return;
    event.preventDefault();
    this.#box.dataset.corner = `${block}-${inline}`;
  }

  /** @param {PointerEvent} down */
  #drag(down) {
    if (down.button !== 0) return;
    const box = this.#box;
    box.setPointerCapture(down.pointerId);
    box.classList.add("dragged");
    /** @param {PointerEvent} move */
    const follow = (move) => {
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

/** @param {HTMLElement} box */
function nearestCorner(box) {
  const stage = /** @type {HTMLElement} */ (box.parentElement).getBoundingClientRect();
  const own = box.getBoundingClientRect();
  const below = own.top + own.height / 2 > stage.top + stage.height / 2;
  const right = own.left + own.width / 2 > stage.left + stage.width / 2;
  return `${below ? "end" : "start"}-${right !== isRightToLeft() ? "end" : "start"}`;
}

function isRightToLeft() {
  return getComputedStyle(document.documentElement).direction === "rtl";
}
