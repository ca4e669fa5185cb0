/**
 * Why there is no call. `unknown`: no such conversation; `ended`: it is over; `taken`: somebody is in it; `busy`: the
 * server has no line free; `private`: it asks for a meeting token; `unreachable`: the server does not answer;
 * `blocked`: it answers, but sound and pictures do not get through; `refused`: anything else, in the server's words.
 */
export type Reason = "unknown" | "ended" | "taken" | "busy" | "private" | "unreachable" | "blocked" | "refused";

/** There is no call. `message` says in English what to do about it. */
export class CallError extends Error {
  override readonly name = "CallError";

  /**
   * @param retryAfterS when the server suggests to try again
   * @param endReason why the conversation has ended, in the server's words
   */
  constructor(
    readonly reason: Reason,
    message: string = ADVICE[reason],
    readonly retryAfterS?: number,
    readonly endReason?: string,
  ) {
    super(message);
  }
}

const ADVICE: Record<Reason, string> = {
  unknown: "There is no conversation at this link; create one with POST /v2/conversations.",
  ended: "This conversation has ended; create a new one.",
  taken: "Somebody is in this call already, perhaps in another tab. Leave it there first.",
  busy: "Every line of the server is taken; try again later.",
  private: "This conversation asks for a meeting token; join with the whole link, `?t=` included.",
  unreachable: "The server does not answer. If it runs on another origin, it must name this page's in VISAVIS_ALLOWED_ORIGINS.",
  blocked: "The server answers, but WebRTC does not get through: a firewall, a VPN, or no TURN server.",
  refused: "The server refused the call.",
};

/**
 * `refused`: by the person or the browser; `missing`: there is none; `in-use`: another program has it or it failed;
 * `insecure`: the browser gives devices to https pages only.
 */
export type Problem = "refused" | "missing" | "in-use" | "insecure";

export type Kind = "microphone" | "camera";

/** A device or the screen cannot be used. `message` says in English what to do about it. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";

  constructor(
    readonly device: Kind | "screen",
    readonly problem: Problem,
  ) {
    super(`${device}: ${DEVICE_ADVICE[problem]}`);
  }
}

const DEVICE_ADVICE: Record<Problem, string> = {
  refused: "the browser or the person refused it; allow it in the page's settings beside the address, then try again.",
  missing: "there is none; plug one in and try again.",
  "in-use": "it does not start; close other programs that use it and try again.",
  insecure: "browsers give it only to pages at https:// or http://localhost, and to frames with allow=\"microphone; camera\".",
};
