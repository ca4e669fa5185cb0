/**
 * Silences the replica on this side when it stops speaking. The server falls silent too, but what the network and the
 * browser have buffered would be heard for another tenth of a second. Owner of whether the sound is on.
 */

import type { Message } from "./protocol";

const FADE_STEPS = [0.6, 0.3, 0.1];
const FADE_STEP_MS = 10;

/** By then the buffers hold silence. */
const DRAINED_MS = 400;

/** Should the word that ends it get lost, the replica must not stay silent. */
const LONGEST_MS = 4000;

export class Hush {
  #timers: ReturnType<typeof setTimeout>[] = [];

  /** @param element what plays the replica */
  constructor(readonly element: HTMLMediaElement) {}

  follow(message: Message): void {
    switch (message.event_type) {
      case "conversation.overlap": {
        const { outcome, held } = message.properties;
        if (outcome === "interruption") this.#silence(DRAINED_MS);
        else if (outcome !== "began") this.end();
        else if (held) this.#silence(LONGEST_MS);
        return;
      }
      case "conversation.replica.stopped_speaking":
        if (message.properties.interrupted) this.#silence(DRAINED_MS);
        return;
      case "conversation.replica.started_speaking":
        return this.end();
    }
  }

  /** Let it be heard. */
  end(): void {
    this.#cancel();
    this.element.volume = 1;
    this.#enable(true);
  }

  #silence(milliseconds: number): void {
    this.#cancel();
    FADE_STEPS.forEach((volume, index) => this.#after(index * FADE_STEP_MS, () => (this.element.volume = volume)));
    this.#after(FADE_STEPS.length * FADE_STEP_MS, () => this.#enable(false));
    this.#after(milliseconds, () => this.end());
  }

  #after(milliseconds: number, work: () => void): void {
    if (milliseconds) this.#timers.push(setTimeout(work, milliseconds));
    else work();
  }

  #cancel(): void {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }

  #enable(enabled: boolean): void {
    const stream = this.element.srcObject as MediaStream | null;
    for (const track of stream?.getAudioTracks() ?? []) track.enabled = enabled;
  }
}
