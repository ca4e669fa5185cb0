// @ts-check

/**
 * Why there is no call. `unknown`: no such conversation; `ended`: it is over; `taken`: somebody is in it; `busy`: the
 * server has no line free; `unreachable`: the server does not answer; `blocked`: it answers, but sound and pictures
 * do not get through; `refused`: anything else, in the server's words.
 * @typedef {"unknown" | "ended" | "taken" | "busy" | "unreachable" | "blocked" | "refused"} Reason
 */

export class CallError extends Error {
  /**
   * @param {Reason} reason
   * @param {string} [message]
   * @param {number} [retryAfterS] when the server suggests to try again
   */
  constructor(reason, message = reason, retryAfterS = undefined) {
    super(message);
    this.name = "CallError";
    this.reason = reason;
    this.retryAfterS = retryAfterS;
  }
}
