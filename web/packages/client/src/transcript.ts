/** What was said in a call. Owner of the finished lines and of the words that are being said now. */

import { Emitter } from "./emitter";
import type { Message, Role } from "./protocol";

export interface Line {
  role: Role;
  speech: string;
  at: Date;
  interrupted: boolean;
  /** Another person in the call said it. */
  other: boolean;
}

interface Happenings {
  line: Line;
  /** Whose current words changed. */
  live: Role;
}

export class Transcript extends Emitter<Happenings> {
  readonly lines: Line[] = [];
  /** Words of turns that are not over. */
  readonly live: Record<Role, string> = { user: "", replica: "" };
  /** The person's current words are another person's. */
  other = false;
  #me: string | undefined;
  /** A message in writing, until the server has repeated it. */
  #typed = "";

  /** What the person wrote shows at once; the server's own copy of it is then left out. */
  addTyped(text: string): void {
    this.#typed = text.trim();
    this.#add("user", this.#typed, new Date(), false, false);
  }

  follow(message: Message): void {
    if (message.event_type === "conversation.participant_joined" && message.properties.own) this.#me = message.properties.participant_id;
    if (message.event_type === "conversation.utterance.streaming") {
      const { role, speech } = said(message.properties);
      if (role === "user" && this.#typed && speech === this.#typed) return;
      if (role === "user") this.other = this.#isOther(message.properties.participant_id);
      this.#setLive(role, speech);
    } else if (message.event_type === "conversation.utterance") {
      const { role, speech } = said(message.properties);
      const other = role === "user" && this.#isOther(message.properties.participant_id);
      if (role === "user") this.other = other;
      this.#setLive(role, "");
      if (role === "user" && this.#typed && speech === this.#typed) this.#typed = "";
      else if (speech) this.#add(role, speech, moment(message.timestamp), !!message.properties.interrupted, other);
    }
  }

  /** The call is over: what was being said stays as it is. */
  finish(): void {
    for (const role of ["user", "replica"] as const) {
      const speech = this.live[role];
      this.#setLive(role, "");
      if (speech) this.#add(role, speech, new Date(), true, role === "user" && this.other);
    }
  }

  #isOther(participantId: string | undefined): boolean {
    return !!participantId && !!this.#me && participantId !== this.#me;
  }

  #setLive(role: Role, speech: string): void {
    if (this.live[role] === speech) return;
    this.live[role] = speech;
    this.emit("live", role);
  }

  #add(role: Role, speech: string, at: Date, interrupted: boolean, other: boolean): void {
    const line = { role, speech, at, interrupted, other };
    this.lines.push(line);
    this.emit("line", line);
  }
}

function said({ role, speech }: { role: Role; speech: string }): { role: Role; speech: string } {
  return { role: role === "user" ? "user" : "replica", speech: String(speech ?? "").trim() };
}

function moment(timestamp: number | undefined): Date {
  return timestamp ? new Date(timestamp * 1000) : new Date();
}
