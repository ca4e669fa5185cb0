/** Plays a call's replica in an element: through reconnections, with sudden silence at interruptions, and with a way
 * out where the browser holds sound back until the person touches the page. */

import type { Call } from "./call";
import { Emitter } from "./emitter";
import { Hush } from "./hush";

export class Player extends Emitter<{ blocked: boolean }> {
  /** The browser plays without sound until `unblock` is called by a touch of the person's. */
  blocked = false;
  readonly #over = new AbortController();
  readonly #hush: Hush;

  constructor(
    readonly call: Call,
    readonly element: HTMLMediaElement,
  ) {
    super();
    const { signal } = this.#over;
    this.#hush = new Hush(element);
    call.on("message", (message) => this.#hush.follow(message), { signal });
    call.on("stream", () => void this.play(), { signal });
    void this.play();
  }

  /** Called by itself; call it again from a click after `blocked`. */
  async play(): Promise<void> {
    const { element } = this;
    this.#setBlocked(false);
    if (element.srcObject !== this.call.stream) element.srcObject = this.call.stream;
    element.muted = false;
    try {
      await element.play();
    } catch (error) {
      // Another stream took its place, and that one plays itself.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      element.muted = true;
      this.#setBlocked(true);
      element.play().catch(() => {});
    }
  }

  close(): void {
    this.#over.abort();
    this.#hush.end();
    this.element.srcObject = null;
  }

  #setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    this.emit("blocked", blocked);
  }
}
