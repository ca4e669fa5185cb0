// @ts-check
/** The person's own microphone and camera. Owner of their tracks, of what is switched off, and of what is wrong. */

import { openDevices, permission } from "./devices.js";

/** @typedef {import("./devices.js").Kind} Kind */
/** @typedef {import("./devices.js").Problem} Problem */

const KINDS = /** @type {Kind[]} */ (["microphone", "camera"]);

/** Events: `change`, after anything of it changed; `lost` (`detail` is the kind), when a device went away. */
export class OwnMedia extends EventTarget {
  /** @type {Record<Kind, MediaStreamTrack | null>} */
  tracks = { microphone: null, camera: null };
  /** @type {Partial<Record<Kind, Problem>>} */
  problems = {};
  muted = false;
  cameraOff = false;
  /** The browser is asking the person. */
  asking = false;
  /** @type {Partial<Record<Kind, string>>} */
  #chosen = {};
  #closed = false;

  /** Ask for both devices, and again by itself when the person allows one later. */
  async start() {
    await this.#open(KINDS);
    for (const kind of KINDS) {
      const status = await permission(kind);
      status?.addEventListener("change", () => {
        if (status.state === "granted" && this.problems[kind] === "refused") this.#open([kind]);
      });
    }
  }

  /**
   * @param {Kind} kind
   * @param {string} deviceId
   */
  async choose(kind, deviceId) {
    this.#chosen[kind] = deviceId;
    await this.#open([kind]);
  }

  /**
   * Ask for a device once more.
   * @param {Kind} kind
   */
  async retry(kind) {
    await this.#open([kind]);
  }

  /** Mute and unmute; without a microphone, try to get one. */
  async toggleMicrophone() {
    if (!this.tracks.microphone) {
      this.muted = false;
      return this.#open(["microphone"]);
    }
    this.muted = !this.muted;
    this.tracks.microphone.enabled = !this.muted;
    this.#changed();
  }

  /** Off means that the camera's light goes out. */
  async toggleCamera() {
    if (!this.tracks.camera) {
      this.cameraOff = false;
      return this.#open(["camera"]);
    }
    this.cameraOff = true;
    this.#drop("camera");
    this.#changed();
  }

  /** Give the devices back. */
  close() {
    this.#closed = true;
    KINDS.forEach((kind) => this.#drop(kind));
  }

  /** @param {Kind[]} kinds */
  async #open(kinds) {
    if (this.#closed) return;
    this.asking = true;
    this.#changed();
    // Some devices cannot be opened twice, and the old one may be the one that is wanted again.
    kinds.forEach((kind) => this.#drop(kind));
    const opened = await openDevices(kinds, this.#chosen);
    this.asking = false;
    for (const kind of kinds) this.#take(kind, opened.tracks[kind] ?? null, opened.problems[kind]);
    this.#changed();
  }

  /**
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   * @param {Problem | undefined} problem
   */
  #take(kind, track, problem) {
    if (this.#closed) {
      track?.stop();
      return;
    }
    this.tracks[kind] = track;
    if (problem) this.problems[kind] = problem;
    else delete this.problems[kind];
    if (!track) return;
    if (kind === "microphone") track.enabled = !this.muted;
    track.addEventListener("ended", () => {
      if (this.tracks[kind] !== track) return;
      this.tracks[kind] = null;
      this.problems[kind] = "missing";
      this.#changed();
      this.dispatchEvent(new CustomEvent("lost", { detail: kind }));
    });
  }

  /** @param {Kind} kind */
  #drop(kind) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
