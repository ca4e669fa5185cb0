/** @jsxImportSource preact */
/** The test call beside an editor: begun from what is on the screen, with its events and latency below. */

import { useEffect, useRef, useState } from "preact/hooks";

import { post } from "../api/http";
import type { Conversation, JsonObject, Replica } from "../api/types";
import { Button, Notice } from "../parts/basics";
import { Film } from "../parts/film";
import { link } from "../router";
import { CallFrame, LivePanel, useLive } from "./live";

interface TestCallProps {
  /** The body of the request that makes the conversation. */
  begin: () => JsonObject;
  name: string;
  replica: Replica | undefined;
  /** When this changes during a call, the call is no longer what is on the screen. */
  stale?: unknown;
  onCalling?: (calling: boolean) => void;
  label?: string;
  about?: string;
}

const ABOUT = "As it stands here, saved or not. It needs your microphone.";

export function TestCall({ begin, name, replica, stale, onCalling, label = "Test call", about = ABOUT }: TestCallProps) {
  const [call, setCall] = useState<{ made: Conversation; from: unknown }>();
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const live = useLive(call?.made.conversation_id);
  const running = useRef<string>();
  running.current = call && !live.story.ended ? call.made.conversation_id : undefined;

  useEffect(() => onCalling?.(call !== undefined), [call !== undefined]);
  useEffect(() => () => void hangUp(running.current), []);

  const start = async () => {
    setBusy(true);
    setError("");
    try {
      await hangUp(running.current);
      setCall({ made: await post<Conversation>("conversations", begin()), from: stale });
    } catch (failed) {
      setError((failed as Error).message);
    }
    setBusy(false);
  };
  const close = async () => {
    setCall(undefined);
    await hangUp(running.current);
  };

  if (!call)
    return (
      <aside class="sheet test-call idle" aria-label="Test call">
        <Film replica={replica} />
        <div class="test-words">
          <h2>Talk with {name}</h2>
          <p class="quiet">{about}</p>
          {error && <Notice kind="bad"><p>{error}</p></Notice>}
          <Button kind="main" icon="phone" disabled={busy} onClick={start}>{label}</Button>
        </div>
      </aside>
    );
  return (
    <aside class="sheet test-call" aria-label="Test call">
      <header>
        <h2>{label === "Talk now" ? `Call with ${name}` : label}</h2>
        <div class="actions">
          {live.story.ended && <a class="button second small" href={link(`conversations/${call.made.conversation_id}`)}>Open its record</a>}
          <Button class="small" icon="again" disabled={busy} onClick={start}>Again</Button>
          <Button class="small" icon="close" onClick={close}>Close</Button>
        </div>
      </header>
      {call.from !== stale && <Notice><p>You have changed something since. Press “Again” to hear it.</p></Notice>}
      {error && <Notice kind="bad"><p>{error}</p></Notice>}
      <CallFrame key={call.made.conversation_id} conversationId={call.made.conversation_id} name={name} />
      <LivePanel live={live} name={name} />
    </aside>
  );
}

async function hangUp(conversationId: string | undefined): Promise<void> {
  if (conversationId) await post(`conversations/${conversationId}/end`).catch(() => undefined);
}
