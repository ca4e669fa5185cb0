// @ts-check
/** What was said in a call. Owner of the finished lines and of the words that are being said now. */

/** @typedef {"user" | "replica"} Role */
/** @typedef {{role: Role, speech: string, at: Date, interrupted: boolean}} Line */
/** @typedef {import("./call.js").Message} Message */

/** Events: `line` (`detail` is the new `Line`) and `live` (`detail` is the role whose current words changed). */
export class Transcript extends EventTarget {
  /** @type {Line[]} */
  lines = [];
  /** Words of turns that are not over. @type {Record<Role, string>} */
  live = { user: "", replica: "" };
  /** A message in writing, until the server has repeated it. */
  #typed = "";

  /**
   * What the person wrote shows at once; the server's own copy of it is then left out.
   * @param {string} text
   */
  addTyped(text) {
    this.#typed = text.trim();
    this.#add("user", this.#typed, new Date(), false);
  }

  /** @param {Message} message */
  follow({ event_type, timestamp, properties = {} }) {
    const role = properties.role === "user" ? "user" : "replica";
    const speech = String(properties.speech ?? "").trim();
    if (event_type === "conversation.utterance.streaming") {
      if (role === "user" && this.#typed && speech === this.#typed) return;
      this.#setLive(role, speech);
    } else if (event_type === "conversation.utterance") {
      this.#setLive(role, "");
      if (role === "user" && this.#typed && speech === this.#typed) this.#typed = "";
      else if (speech) this.#add(role, speech, timestamp ? new Date(timestamp * 1000) : new Date(), !!properties.interrupted);
    }
  }

  /** The call is over: what was being said stays as it is. */
  finish() {
    for (const role of /** @type {Role[]} */ (["user", "replica"])) {
      const speech = this.live[role];
      this.#setLive(role, "");
      if (speech) this.#add(role, speech, new Date(), true);
    }
  }

  /**
   * @param {Role} role
   * @param {string} speech
   */
  #setLive(role, speech) {
    if (this.live[role] === speech) return;
    this.live[role] = speech;
    this.dispatchEvent(new CustomEvent("live", { detail: role }));
  }

  /**
   * @param {Role} role
   * @param {string} speech
   * @param {Date} at
   * @param {boolean} interrupted
   */
  #add(role, speech, at, interrupted) {
    const line = { role, speech, at, interrupted };
    this.lines.push(line);
    this.dispatchEvent(new CustomEvent("line", { detail: line }));
  }
}
