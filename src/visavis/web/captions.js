// @ts-check
/** What is being said, over the picture: the person's words as they are understood, the replica's as they are heard. */

import { byId, make } from "./dom.js";
import { YOU } from "./strings.js";

const LINGER_MS = 4000;

/** About two lines of a caption. */
const LONGEST = 110;

export class Captions {
  #box = byId("captions");
  #transcript;
  #name;
  #shown = true;
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

  close() {
    clearTimeout(this.#fading);
    this.#box.replaceChildren();
  }

  /** @param {import("./transcript.js").Role} role */
  #follow(role) {
    const words = this.#transcript.live[role];
    if (words) this.#draw(role, words);
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
    const caption = make("p", `caption ${role}`, make("b", "", this.#speaker(role)), ` ${tail(words)}`);
    caption.dir = "auto";
    this.#box.replaceChildren(caption);
    clearTimeout(this.#fading);
    this.#fading = setTimeout(() => this.#box.replaceChildren(), LINGER_MS);
  }

  /** @param {import("./transcript.js").Role} role */
  #speaker(role) {
    return role === "user" ? YOU : this.#name;
  }
}

/**
 * The end of a long text, from a word's beginning.
 * @param {string} words
 */
function tail(words) {
  if (words.length <= LONGEST) return words;
  const cut = words.slice(-LONGEST);
  return `…${cut.slice(cut.indexOf(" "))}`;
}
