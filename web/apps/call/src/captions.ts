/** What is being said, over the picture: the person's words as they are understood, the replica's as they are heard. */

import type { Line, Role, Transcript } from "@visavis/client";

import { byId, make } from "./dom";
import { t } from "./strings";

const LINGER_MS = 4000;

/** Where words that do not fit are cut: after a clause that ends soon, or else after so many words. */
const CLAUSE = /[.,;:!?…—]\s+/g;
const SOON = 80;
const WORDS = /(?:\S+\s+){6}/y;

export class Captions {
  readonly #box = byId("captions");
  readonly #transcript: Transcript;
  readonly #name: string;
  #shown = true;
  /** Where the caption of each one's turn begins. */
  readonly #from: Record<Role, number> = { user: 0, replica: 0 };
  #fading: ReturnType<typeof setTimeout> | undefined;

  /** @param name the replica's */
  constructor(transcript: Transcript, name: string) {
    this.#transcript = transcript;
    this.#name = name;
    transcript.on("live", (role) => this.#follow(role));
    transcript.on("line", (line) => this.#announce(line));
    this.#box.hidden = false;
    this.#box.replaceChildren();
    byId("spoken").replaceChildren();
  }

  get shown(): boolean {
    return this.#shown;
  }

  set shown(shown: boolean) {
    this.#shown = shown;
    this.#box.hidden = !shown;
  }

  clear(): void {
    clearTimeout(this.#fading);
    this.#box.replaceChildren();
  }

  #follow(role: Role): void {
    const words = this.#transcript.live[role];
    if (words) this.#draw(role, words);
    else this.#from[role] = 0;
  }

  #announce({ role, speech }: Line): void {
    if (role === "user") this.#draw(role, speech);
    byId("spoken").append(make("p", "", `${this.#speaker(role)}: ${speech}`));
  }

  #draw(role: Role, words: string): void {
    const said = make("span");
    const caption = make("p", `caption ${role}`, make("b", "", this.#speaker(role)), said);
    caption.dir = "auto";
    this.#box.replaceChildren(caption);
    // Whole clauses go at a time, so that the words do not jump at each new one.
    let from = words.lastIndexOf(" ", this.#from[role] - 1) + 1;
    while (true) {
      said.textContent = ` ${from ? "… " : ""}${words.slice(from)}`;
      const next = cut(words, from);
      if (caption.scrollHeight <= caption.clientHeight || next === words.length) break;
      from = next;
    }
    this.#from[role] = from;
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.#box.replaceChildren(), LINGER_MS);
  }

  #speaker(role: Role): string {
    if (role === "replica") return this.#name;
    return this.#transcript.other ? t.guest : t.you;
  }
}

/** Where the next piece after `from` begins; the length of the text when there is none. */
function cut(words: string, from: number): number {
  CLAUSE.lastIndex = WORDS.lastIndex = from;
  const clause = CLAUSE.exec(words);
  if (clause && clause.index - from <= SOON) return CLAUSE.lastIndex;
  return WORDS.test(words) ? WORDS.lastIndex : words.length;
}
