/** What the replica is doing, as far as the events tell. Owner of that state. */

import type { Call } from "./call";
import { Emitter } from "./emitter";
import type { Message } from "./protocol";

export type Doing = "connecting" | "listening" | "hearing" | "thinking" | "speaking" | "reconnecting";

/** A cough is followed by silence, not by an answer. */
const LONGEST_THOUGHT_MS = 12_000;

export class Activity extends Emitter<{ change: Doing }> {
  doing: Doing = "connecting";
  #doubt: ReturnType<typeof setTimeout> | undefined;

  /** Follow a call until `signal` is aborted. */
  watch(call: Call, signal?: AbortSignal): void {
    const state = () => {
      if (call.state === "connected") this.become("listening");
      else if (call.state === "reconnecting") this.become("reconnecting");
    };
    call.on("message", (message) => this.follow(message), { signal });
    call.on("state", state, { signal });
    state();
  }

  follow({ event_type }: Pick<Message, "event_type">): void {
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

  become(doing: Doing): void {
    clearTimeout(this.#doubt);
    if (doing === "thinking") this.#doubt = setTimeout(() => this.become("listening"), LONGEST_THOUGHT_MS);
    if (doing === this.doing) return;
    this.doing = doing;
    this.emit("change", doing);
  }
}
