// @ts-check
/**
 * Silences the replica on this side when it stops speaking. The server falls silent too, but what the network and the
 * browser have buffered would be heard for another tenth of a second. Owner of whether the sound is on.
 */

const FADE_STEPS = [0.6, 0.3, 0.1];
const FADE_STEP_MS = 10;

/** By then the buffers hold silence. */
const DRAINED_MS = 400;

/** Should the word that ends it get lost, the replica must not stay silent. */
const LONGEST_MS = 4000;

export class Hush {
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];
  #video;

  /** @param {HTMLVideoElement} video what plays the replica */
  constructor(video) {
    this.#video = video;
  }

  /** @param {import("./call.js").Message} message */
  follow({ event_type, properties = {} }) {
    if (event_type === "conversation.overlap") {
      if (properties.outcome === "interruption") this.#silence(DRAINED_MS);
      else if (properties.outcome !== "began") this.end();
      else if (properties.held) this.#silence(LONGEST_MS);
    } else if (event_type === "conversation.replica.stopped_speaking" && properties.interrupted) {
      this.#silence(DRAINED_MS);
    } else if (event_type === "conversation.replica.started_speaking") this.end();
  }

  /** Let it be heard. */
  end() {
    this.#cancel();
    this.#video.volume = 1;
    this.#enable(true);
  }

  /** @param {number} milliseconds */
  #silence(milliseconds) {
    this.#cancel();
    FADE_STEPS.forEach((volume, index) => this.#after(index * FADE_STEP_MS, () => (this.#video.volume = volume)));
    this.#after(FADE_STEPS.length * FADE_STEP_MS, () => this.#enable(false));
    this.#after(milliseconds, () => this.end());
  }

  /**
   * @param {number} milliseconds
   * @param {() => void} work
   */
  #after(milliseconds, work) {
    if (milliseconds) this.#timers.push(setTimeout(work, milliseconds));
    else work();
  }

  #cancel() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }

  /** @param {boolean} enabled */
  #enable(enabled) {
    const stream = /** @type {MediaStream | null} */ (this.#video.srcObject);
    for (const track of stream?.getAudioTracks() ?? []) track.enabled = enabled;
  }
}
