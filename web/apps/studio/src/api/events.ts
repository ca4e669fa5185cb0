/** The events of a conversation as they happen, by server-sent events. */

import type { ConversationEvent } from "./types";
import { address, headers } from "./http";

const AGAIN_MS = 2_000;

/** Tell `heard` of everything from the first event on, until the conversation has ended or `over` says so. */
export async function follow(
  conversationId: string,
  heard: (event: ConversationEvent) => void,
  over: AbortSignal,
): Promise<void> {
  let after = 0;
  while (!over.aborted) {
    try {
      const url = address(`v2/conversations/${conversationId}/events?after=${after}`);
      const answer = await fetch(url, { headers: headers(), signal: over });
      if (!answer.ok || !answer.body) return;
      for await (const event of events(answer.body)) {
        after = Math.max(after, event.seq);
        heard(event);
      }
      return;
    } catch {
      // The connection broke off; what was missed comes with the next one.
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }
}

async function* events(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ConversationEvent> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice("data: ".length)) as ConversationEvent;
    }
  }
}
