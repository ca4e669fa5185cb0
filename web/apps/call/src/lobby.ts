/** Before the call: the own picture, how loud one is, and what to do when there are no devices. */

import { type Kind, measureLevel, type OwnMedia, type Problem } from "@visavis/client";

import { byId, make, showTrack } from "./dom";
import { t } from "./strings";

const LEVEL_BARS = 24;

export class Lobby {
  readonly #own: OwnMedia;
  readonly #join = byId<HTMLButtonElement>("join");
  readonly #level = byId("level");
  #measured: MediaStreamTrack | null = null;
  #stopMeasuring = () => {};
  readonly #over = new AbortController();

  constructor(own: OwnMedia, join: () => void) {
    const { signal } = this.#over;
    this.#own = own;
    this.#level.replaceChildren(...Array.from({ length: LEVEL_BARS }, () => make("i")));
    this.#join.addEventListener("click", join, { signal });
    own.on("change", () => this.#draw(), { signal });
    this.setJoining(false);
    this.#draw();
  }

  setJoining(joining: boolean): void {
    this.#join.disabled = joining;
    this.#join.textContent = t.texts[joining ? "lobby.joining" : "lobby.join"];
  }

  /** The lobby is left: it no longer follows the devices. */
  close(): void {
    this.#over.abort();
    this.#measure(null);
  }

  #draw(): void {
    const { microphone, camera } = this.#own.tracks;
    showTrack(byId<HTMLVideoElement>("lobby-own"), camera);
    byId("lobby-own-none").hidden = camera !== null;
    this.#measure(microphone);
    this.#drawProblems();
  }

  #measure(microphone: MediaStreamTrack | null): void {
    this.#level.hidden = microphone === null;
    if (microphone === this.#measured) return;
    this.#stopMeasuring();
    this.#measured = microphone;
    this.#stopMeasuring = () => {};
    if (!microphone) return;
    this.#stopMeasuring = measureLevel(microphone, (level) => {
      this.#level.setAttribute("aria-valuenow", String(Math.round(100 * level)));
      [...this.#level.children].forEach((bar, at) => bar.classList.toggle("lit", at < level * LEVEL_BARS));
    });
  }

  #drawProblems(): void {
    const problems = Object.entries(this.#own.problems) as [Kind, Problem][];
    const shown = this.#own.asking ? [make("p", "quiet", t.asking)] : problems.map((one) => this.#card(...one));
    byId("problems").replaceChildren(...shown);
  }

  #card(kind: Kind, problem: Problem): HTMLElement {
    const browser = { userAgent: navigator.userAgent, embedded: window.parent !== window };
    const help = t.deviceHelp(kind, problem, browser);
    const card = make("div", "problem", make("strong", "", help.title), make("p", "", help.text));
    if (problem !== "insecure") {
      const again = make("button", "link", t.texts["closed.retry"]);
      again.type = "button";
      again.addEventListener("click", () => void this.#own.retry(kind));
      card.append(again);
    }
    return card;
  }
}
