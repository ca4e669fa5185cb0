/** @jsxImportSource preact */
/** Everything that happened in a conversation, as programs see it. */

import { useEffect, useRef } from "preact/hooks";

import type { ConversationEvent } from "../api/types";
import { clock } from "../format";

interface EventListProps {
  events: readonly ConversationEvent[];
  began: number | null;
  /** Events from this moment on are brought into view; Unix seconds. */
  from?: number | null;
  until?: number | null;
  /** Keep the newest in view. */
  following?: boolean;
}

export function EventList({ events, began, from = null, until = null, following }: EventListProps) {
  const list = useRef<HTMLOListElement>(null);
  const shown = events.filter((event) => event.event_type !== "conversation.utterance.streaming");
  useEffect(() => {
    const box = list.current;
    if (!box) return;
    if (following) box.scrollTop = box.scrollHeight;
    const first = box.querySelector<HTMLElement>(".within");
    if (first) box.scrollTop = first.offsetTop - box.offsetTop - 8;
  }, [shown.length, from, following]);
  return (
    <ol class="events" ref={list} tabIndex={0} aria-label="Events">
      {shown.map((event) => {
        const within = from !== null && event.timestamp >= from - 0.05 && event.timestamp <= (until ?? from) + 0.05;
        return (
          <li key={event.seq} class={within ? "within" : ""}>
            <details>
              <summary>
                <span class="time">{clock(event.timestamp - (began ?? event.timestamp))}</span>
                <code>{event.event_type.replace(/^conversation\./, "")}</code>
                <span class="gist">{gist(event)}</span>
              </summary>
              <pre>{JSON.stringify(event, null, 2)}</pre>
            </details>
          </li>
        );
      })}
    </ol>
  );
}

/** What of an event is worth a glance. */
function gist(event: ConversationEvent): string {
  const said = event.properties ?? {};
  const found = said.speech ?? said.outcome ?? said.utterance_to_utterance_ms ?? said.name ?? said.message ?? said.reason ?? said.role ?? "";
  return typeof found === "number" ? `${Math.round(found)} ms` : String(found);
}
