// @ts-check
/** What is being said, over the picture: the person's words as they are understood, the replica's as they are heard. */

import { byId, make } from "./dom.js";
import { YOU } from "./strings.js";

const LINGER_MS = 4000;

/** Where words that do not fit are cut: after a clause that ends soon, or else after so many words. */
const CLAUSE = /[.,;:!?…—]\s+/g;
const SOON = 80;
const WORDS = /(?:\S+\s+){6}/y;

export class Captions {
  #box = byId("captions");
  #transcript;
  #name;
  #shown = true;
  /** Where the caption of each one's turn begins. @type {Record<import("./transcript.js").Role, number>} */
  #from = { user: 0, replica: 0 };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #fading;

  /**
   * @param {import("./transcript.js").Transcript} transcript
   * @param {string} name the replica's
   */
  constructor(transcript, name) {
    this.#transcript = transcript;
    this.#name = name;
    transcript.addEventListener("live", (event) => this.#follow(/** @type {CustomEvent} */ (event).detail));
    transcript.addEventListener("line", (event) => this.#announce(/** @type {CustomEvent} */ (event).detail));
    this.#box.hidden = false;
    this.#box.replaceChildren();
    byId("spoken").replaceChildren();
  }

  get shown() {
    return this.#shown;
  }

  set shown(shown) {
    this.#shown = shown;
    this.#box.hidden = !shown;
  }

  clear() {
    clearTimeout(this.#fading);
    this.#box.replaceChildren();
  }

  /** @param {import("./transcript.js").Role} role */
  #follow(role) {
    const words = this.#transcript.live[role];
    if (words) this.#draw(role, words);
    else this.#from[role] = 0;
  }

  /** @param {import("./transcript.js").Line} line */
  #announce({ role, speech }) {
    if (role === "user") this.#draw(role, speech);
    byId("spoken").append(make("p", "", `${this.#speaker(role)}: ${speech}`));
  }

  /**
   * @param {import("./transcript.js").Role} role
   * @param {string} words
   */
  #draw(role, words) {
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

  /** @param {import("./transcript.js").Role} role */
  #speaker(role) {
    return role === "user" ? YOU : this.#name;
  }
}

/**
 * Where the next piece after `from` begins; the length of the text when there is none.
 * @param {string} words
 * @param {number} from
 */
function cut(words, from) {
  CLAUSE.lastIndex = WORDS.lastIndex = from;
  const clause = CLAUSE.exec(words);
  if (clause && clause.index - from <= SOON) return CLAUSE.lastIndex;
  return WORDS.test(words) ? WORDS.lastIndex : words.length;
}
