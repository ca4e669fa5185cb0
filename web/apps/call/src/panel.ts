/** The conversation in writing, beside the picture, and the field to type in. */

import type { Transcript } from "@visavis/client";

import { byId } from "./dom";
import { drawLine } from "./lines";
import { setSwitch } from "./switches";

export class Panel {
  readonly #panel = byId("panel");
  readonly #lines = byId("lines");
  readonly #message = byId<HTMLTextAreaElement>("message");

  /**
   * @param name the replica's
   * @param send says whether it was sent
   */
  constructor(transcript: Transcript, name: string, send: (text: string) => boolean, over: AbortSignal) {
    const options = { signal: over };
    this.#lines.replaceChildren(byId("panel-empty"));
    byId("panel-empty").hidden = false;
    transcript.on("line", (line) => {
      byId("panel-empty").hidden = true;
      this.#lines.append(drawLine(line, name));
      this.#scrollToEnd();
    });
    byId("panel-close").addEventListener("click", () => this.close(), options);
    byId("composer").addEventListener("submit", (event) => this.#submit(event, send), options);
    this.#message.addEventListener("keydown", (event) => this.#submitByKey(event), options);
    // The field grows while it is written in.
    const resized = new ResizeObserver(() => this.#scrollToEnd());
    resized.observe(this.#lines);
    over.addEventListener("abort", () => resized.disconnect());
    this.close({ quietly: true });
  }

  get open(): boolean {
    return !this.#panel.hidden;
  }

  /** Show it, ready to type. */
  show(): void {
    this.#panel.hidden = false;
    setSwitch("panel", "on");
    this.#scrollToEnd();
    this.#message.focus();
  }

  /** @param quietly leave the focus where it is */
  close({ quietly = false } = {}): void {
    this.#panel.hidden = true;
    setSwitch("panel", "off");
    if (!quietly) document.querySelector<HTMLElement>('.controls [data-switch="panel"]')?.focus();
  }

  #submit(event: SubmitEvent, send: (text: string) => boolean): void {
    event.preventDefault();
    const text = this.#message.value.trim();
    if (text && send(text)) this.#message.value = "";
    this.#message.focus();
  }

  #submitByKey(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId<HTMLFormElement>("composer").requestSubmit();
  }

  #scrollToEnd(): void {
    this.#lines.scrollTop = this.#lines.scrollHeight;
  }
}
