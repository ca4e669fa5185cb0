// @ts-check
/** The HTTP side of a conversation: looking it up and exchanging session descriptions. */

import { CallError } from "./errors.js";

const ANSWER_MS = 8000;

/**
 * @typedef {object} Conversation
 * @property {string} conversation_id
 * @property {string} conversation_name
 * @property {"active" | "ended"} status
 * @property {{persona_name: string}} persona
 * @property {{replica_name: string}} replica
 * @property {RTCIceServer[]} [ice_servers]
 * @property {boolean} [audio_only] the replica is only heard
 * @property {boolean} [chat] the replica is only read
 */

/** @type {Record<number, import("./errors.js").Reason>} */
const REASONS = {
  403: "private",
  404: "unknown",
  409: "taken",
  410: "ended",
  502: "unreachable",
  503: "busy",
  504: "unreachable",
};

/** The hosted service's answer to ids that it does not know is 400. @type {typeof REASONS} */
const LOOK_UP_REASONS = { ...REASONS, 400: "unknown" };

/**
 * @param {string} url a conversation's link
 * @returns {Promise<Conversation>}
 */
export async function lookUp(url) {
  return request(endpoint(url), { cache: "no-store" }, LOOK_UP_REASONS);
}

/**
 * @param {string} url a conversation's link; `?t=` is its meeting token, where it asks for one
 * @param {string} sdp our offer
 * @returns {Promise<string>} the server's answer
 */
export async function offer(url, sdp) {
  const answer = await request(`${endpoint(url)}/offer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp, type: "offer", token: new URL(url).searchParams.get("t") ?? undefined }),
  });
  return answer.sdp;
}

/** @param {string} url */
function endpoint(url) {
  const link = new URL(url);
  const id = link.pathname.split("/").filter(Boolean).at(-1) ?? "";
  link.pathname = link.pathname.replace(/\/+$/, "");
  link.search = link.hash = "";
  return new URL(`../v2/conversations/${id}`, link).href;
}

/**
 * @param {string} address
 * @param {RequestInit} options
 * @param {typeof REASONS} [reasons]
 */
async function request(address, options, reasons = REASONS) {
  let response;
  try {
    response = await fetch(address, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new CallError("unreachable");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const retryAfterS = Number(response.headers.get("Retry-After")) || undefined;
  const why = body?.error ?? body?.message;
  throw new CallError(reasons[response.status] ?? "refused", why, retryAfterS, body?.shutdown_reason);
}
