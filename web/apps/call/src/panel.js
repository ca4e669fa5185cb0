// @ts-check
/** The conversation in writing, beside the picture, and the field to type in. */

import { byId } from "./dom.js";
import { drawLine } from "./lines.js";
import { setSwitch } from "./switches.js";

export class Panel {
  #panel = byId("panel");
  #lines = byId("lines");
  #message = /** @type {HTMLTextAreaElement} */ (byId("message"));

  /**
   * @param {import("./transcript.js").Transcript} transcript
   * @param {string} name the replica's
   * @param {(text: string) => boolean} send says whether it was sent
   * @param {AbortSignal} over
   */
  constructor(transcript, name, send, over) {
    const options = { signal: over };
    this.#lines.replaceChildren(byId("panel-empty"));
    byId("panel-empty").hidden = false;
    transcript.addEventListener("line", (event) => {
      byId("panel-empty").hidden = true;
      this.#lines.append(drawLine(/** @type {CustomEvent} */ (event).detail, name));
      this.#scrollToEnd();
    });
    byId("panel-close").addEventListener("click", () => this.close(), options);
    byId("composer").addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        const text = this.#message.value.trim();
        if (text && send(text)) this.#message.value = "";
        this.#message.focus();
      },
      options,
    );
    this.#message.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        /** @type {HTMLFormElement} */ (byId("composer")).requestSubmit();
      },
      options,
    );
    // The field grows while it is written in.
    const resized = new ResizeObserver(() => this.#scrollToEnd());
    resized.observe(this.#lines);
    over.addEventListener("abort", () => resized.disconnect());
    this.close({ quietly: true });
  }

  get open() {
    return !this.#panel.hidden;
  }

  /** Show it, ready to type. */
  show() {
    this.#panel.hidden = false;
    setSwitch("panel", "on");
    this.#scrollToEnd();
    this.#message.focus();
  }

  /** @param {{quietly?: boolean}} [options] quietly: leave the focus where it is */
  close({ quietly = false } = {}) {
    this.#panel.hidden = true;
    setSwitch("panel", "off");
    if (!quietly) /** @type {HTMLElement | null} */ (document.querySelector('.controls [data-switch="panel"]'))?.focus();
  }

  #scrollToEnd() {
    this.#lines.scrollTop = this.#lines.scrollHeight;
  }
}
