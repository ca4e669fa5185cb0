// @ts-check
/** Before the call: the own picture, the choice of devices, and what to do when there are none. */

import { listDevices } from "./devices.js";
import { byId, make, showTrack } from "./dom.js";
import { measureLevel } from "./level_meter.js";
import { ASKING, TEXTS, deviceHelp } from "./strings.js";

/** @typedef {import("./devices.js").Kind} Kind */

const LEVEL_BARS = 24;

export class Lobby {
  #own;
  #join = /** @type {HTMLButtonElement} */ (byId("join"));
  #level = byId("level");
  /** @type {MediaStreamTrack | null} */
  #measured = null;
  #stopMeasuring = () => {};
  #over = new AbortController();
  /** The speaker chosen, "" for the usual one. */
  speakerId = "";

  /**
   * @param {import("./own_media.js").OwnMedia} own
   * @param {() => void} join
   */
  constructor(own, join) {
    const { signal } = this.#over;
    this.#own = own;
    this.#level.replaceChildren(...Array.from({ length: LEVEL_BARS }, () => make("i")));
    this.#join.addEventListener("click", join, { signal });
    own.addEventListener("change", () => this.#draw(), { signal });
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#drawChoices(), { signal });
    for (const kind of /** @type {Kind[]} */ (["microphone", "camera"])) {
      this.#select(kind).addEventListener("change", () => own.choose(kind, this.#select(kind).value), { signal });
    }
    const speaker = this.#select("speaker");
    speaker.addEventListener("change", () => (this.speakerId = speaker.value), { signal });
    this.setJoining(false);
    this.#draw();
  }

  /** @param {boolean} joining */
  setJoining(joining) {
    this.#join.disabled = joining;
    this.#join.textContent = TEXTS[joining ? "lobby.joining" : "lobby.join"];
  }

  /** The lobby is left: it no longer follows the devices. */
  close() {
    this.#over.abort();
    this.#measure(null);
  }

  #draw() {
    const { microphone, camera } = this.#own.tracks;
    showTrack(byId("lobby-own"), camera);
    byId("lobby-own-none").hidden = camera !== null;
    this.#measure(microphone);
    this.#drawProblems();
    this.#drawChoices();
  }

  /** @param {MediaStreamTrack | null} microphone */
  #measure(microphone) {
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

  #drawProblems() {
    const browser = { userAgent: navigator.userAgent, embedded: window.parent !== window };
    const cards = /** @type {[Kind, import("./devices.js").Problem][]} */ (Object.entries(this.#own.problems)).map(
      ([kind, problem]) => {
        const help = deviceHelp(kind, problem, browser);
        const again = make("button", "link", TEXTS["closed.retry"]);
        again.type = "button";
        again.addEventListener("click", () => this.#own.retry(kind));
        const card = make("div", "problem", make("strong", "", help.title), make("p", "", help.text));
        if (problem !== "insecure") card.append(again);
        return card;
      },
    );
    byId("problems").replaceChildren(...(this.#own.asking ? [make("p", "quiet", ASKING)] : cards));
  }

  async #drawChoices() {
    const devices = await listDevices();
    for (const kind of /** @type {const} */ (["microphone", "camera", "speaker"])) {
      const select = this.#select(kind);
      const used = kind === "speaker" ? this.speakerId : this.#own.tracks[kind]?.getSettings().deviceId;
      select.replaceChildren(
        ...devices[kind].map((device) => new Option(device.label, device.deviceId, false, device.deviceId === used)),
      );
      /** @type {HTMLElement} */ (select.closest("label")).hidden = devices[kind].length === 0;
    }
    byId("choices").hidden = Object.values(devices).every((list) => list.length === 0);
  }

  /**
   * @param {Kind | "speaker"} kind
   * @returns {HTMLSelectElement}
   */
  #select(kind) {
    return byId(`choose-${kind}`);
  }
}
