/** The HTTP side of a conversation: looking it up and exchanging session descriptions. */

import { CallError, type Reason } from "./errors";

const ANSWER_MS = 8000;

/** What whoever has the link may know of a conversation. */
export interface Conversation {
  conversation_id: string;
  conversation_name: string;
  status: "active" | "ended";
  persona: { persona_name: string };
  /** `thumbnail_video_url`: a short silent film of it, where there is one. */
  replica: { replica_name: string; thumbnail_video_url?: string | null };
  ice_servers?: RTCIceServer[];
  /** The replica is only heard. */
  audio_only?: boolean;
  /** The replica is only read. */
  chat?: boolean;
  /** Whether the replica looks at what the person shows; unknown where the server does not say. */
  sees?: boolean;
  /** Shown on RGB (0, 255, 155), to be laid over something else. */
  green_screen?: boolean;
}

const REASONS: Record<number, Reason> = {
  403: "private",
  404: "unknown",
  409: "taken",
  410: "ended",
  502: "unreachable",
  503: "busy",
  504: "unreachable",
};

/** The hosted service's answer to ids that it does not know is 400. */
const LOOK_UP_REASONS: typeof REASONS = { ...REASONS, 400: "unknown" };

/**
 * @param url a conversation's link
 * @throws CallError
 */
export async function lookUp(url: string): Promise<Conversation> {
  return request<Conversation>(endpoint(url), { cache: "no-store" }, LOOK_UP_REASONS);
}

/**
 * @param url a conversation's link; `?t=` is its meeting token, where it asks for one
 * @param sdp our offer
 * @returns the server's answer
 */
export async function offer(url: string, sdp: string): Promise<string> {
  const answer = await request<{ sdp: string }>(`${endpoint(url)}/offer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sdp, type: "offer", token: new URL(url).searchParams.get("t") ?? undefined }),
  });
  return answer.sdp;
}

function endpoint(url: string): string {
  let link: URL;
  try {
    link = new URL(url, globalThis.location?.href);
  } catch {
    throw new CallError("unknown", `url: '${url}' is not a conversation's link; expected https://server/c/ID`);
  }
  const id = link.pathname.split("/").filter(Boolean).at(-1) ?? "";
  link.pathname = link.pathname.replace(/\/+$/, "");
  link.search = link.hash = "";
  return new URL(`../v2/conversations/${id}`, link).href;
}

async function request<Body>(address: string, options: RequestInit, reasons = REASONS): Promise<Body> {
  let response: Response;
  try {
    response = await fetch(address, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  } catch {
    throw new CallError("unreachable");
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const retryAfterS = Number(response.headers.get("Retry-After")) || undefined;
  const why: string | undefined = body?.error ?? body?.message;
  throw new CallError(reasons[response.status] ?? "refused", why, retryAfterS, body?.shutdown_reason);
}
