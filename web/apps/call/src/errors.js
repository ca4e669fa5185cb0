// @ts-check

/**
 * Why there is no call. `unknown`: no such conversation; `ended`: it is over; `taken`: somebody is in it; `busy`: the
 * server has no line free; `private`: it asks for a meeting token; `unreachable`: the server does not answer; `blocked`: it answers, but sound and pictures
 * do not get through; `refused`: anything else, in the server's words.
 * @typedef {"unknown" | "ended" | "taken" | "busy" | "private" | "unreachable" | "blocked" | "refused"} Reason
 */

export class CallError extends Error {
  /**
   * @param {Reason} reason
   * @param {string} [message]
   * @param {number} [retryAfterS] when the server suggests to try again
   * @param {string} [endReason] why the conversation has ended, in the server's words
   */
  constructor(reason, message = reason, retryAfterS = undefined, endReason = undefined) {
    super(message);
    this.name = "CallError";
    this.reason = reason;
    this.retryAfterS = retryAfterS;
    this.endReason = endReason;
  }
}
