/** The person's own microphone and camera. Owner of their tracks, of what is switched off, and of what is wrong. */

import { openDevices, permission } from "./devices";
import { Emitter } from "./emitter";
import type { Kind, Problem } from "./errors";

const KINDS: Kind[] = ["microphone", "camera"];

interface Happenings {
  /** Anything of it changed. */
  change: undefined;
  /** A device went away. */
  lost: Kind;
}

export class OwnMedia extends Emitter<Happenings> {
  readonly tracks: Record<Kind, MediaStreamTrack | null> = { microphone: null, camera: null };
  readonly problems: Partial<Record<Kind, Problem>> = {};
  muted = false;
  cameraOff = false;
  /** The browser is asking the person. */
  asking = false;
  readonly #chosen: Partial<Record<Kind, string>> = {};
  #closed = false;

  /** Ask for both devices, and again by itself when the person allows one later. */
  async start(): Promise<void> {
    await this.#open(KINDS);
    for (const kind of KINDS) {
      const status = await permission(kind);
      status?.addEventListener("change", () => {
        if (status.state === "granted" && this.problems[kind] === "refused") void this.#open([kind]);
      });
    }
  }

  async choose(kind: Kind, deviceId: string): Promise<void> {
    this.#chosen[kind] = deviceId;
    await this.#open([kind]);
  }

  /** Ask for a device once more. */
  async retry(kind: Kind): Promise<void> {
    await this.#open([kind]);
  }

  /** Mute and unmute; without a microphone, try to get one. */
  async toggleMicrophone(): Promise<void> {
    if (!this.tracks.microphone) {
      this.muted = false;
      return this.#open(["microphone"]);
    }
    this.muted = !this.muted;
    this.tracks.microphone.enabled = !this.muted;
    this.#changed();
  }

  /** Off means that the camera's light goes out. */
  async toggleCamera(): Promise<void> {
    if (!this.tracks.camera) {
      this.cameraOff = false;
      return this.#open(["camera"]);
    }
    this.cameraOff = true;
    this.#drop("camera");
    this.#changed();
  }

  /** Give the devices back. */
  close(): void {
    this.#closed = true;
    KINDS.forEach((kind) => this.#drop(kind));
  }

  async #open(kinds: Kind[]): Promise<void> {
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

  #take(kind: Kind, track: MediaStreamTrack | null, problem: Problem | undefined): void {
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
      this.emit("lost", kind);
    });
  }

  #drop(kind: Kind): void {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
  }

  #changed(): void {
    this.emit("change", undefined);
  }
}
