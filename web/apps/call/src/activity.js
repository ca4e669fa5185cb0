// @ts-check
/** What the replica is doing, as far as the events tell. Owner of that state. */

/** @typedef {"connecting" | "listening" | "hearing" | "thinking" | "speaking" | "reconnecting"} Doing */

/** A cough is followed by silence, not by an answer. */
const LONGEST_THOUGHT_MS = 12_000;

/** Event: `change`. */
export class Activity extends EventTarget {
  /** @type {Doing} */
  doing = "connecting";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #doubt;

  /** @param {import("./call.js").Message} message */
  follow({ event_type }) {
    switch (event_type) {
      case "conversation.user.started_speaking":
        return this.become("hearing");
      case "conversation.user.stopped_speaking":
        return this.become("thinking");
      case "conversation.replica.started_speaking":
        return this.become("speaking");
      case "conversation.replica.stopped_speaking":
        // While the person interrupts, the replica falls silent but already hears them.
        if (this.doing === "speaking") this.become("listening");
        return;
      case "conversation.error":
        return this.become("listening");
    }
  }

  /** @param {Doing} doing */
  become(doing) {
    clearTimeout(this.#doubt);
    if (doing === "thinking") this.#doubt = setTimeout(() => this.become("listening"), LONGEST_THOUGHT_MS);
    if (doing === this.doing) return;
    this.doing = doing;
    this.dispatchEvent(new Event("change"));
  }
}
