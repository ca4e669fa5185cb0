/** @jsxImportSource preact */
/** One conversation: its transcript beside its events, and how soon the replica answered. */

import { useMemo, useState } from "preact/hooks";

import { address, get, headers, post, request } from "../api/http";
import { useLoad } from "../api/load";
import type { ConversationDetail, ConversationEvent, Latency } from "../api/types";
import { EventList } from "../conversation/event_list";
import { Transcript } from "../conversation/lines";
import { CallFrame, LivePanel, useLive } from "../conversation/live";
import { storyOf, type Line } from "../conversation/story";
import { Timeline } from "../conversation/timeline";
import { ago, clock, exactMoment, milliseconds } from "../format";
import { Button, Chip, CopyButton, Empty, Head, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Confirm } from "../parts/dialog";
import { say } from "../parts/toast";
import { LatencyBars, Waterfall } from "../parts/waterfall";
import { go, link } from "../router";

const LOOK_AGAIN_MS = 5_000;

export function ConversationScreen({ id }: { id: string }) {
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [conversation, latency] = await Promise.all([
        get<ConversationDetail>(`conversations/${id}?verbose=true`, signal),
        get<Latency>(`conversations/${id}/latency`, signal),
      ]);
      return { conversation, latency };
    },
    [id],
    ({ conversation }) => (conversation.status === "active" ? LOOK_AGAIN_MS : undefined),
  );
  if (!data) return <Waiting error={error} again={reload} lines={8} />;
  return <Record {...data} />;
}

function Record({ conversation, latency }: { conversation: ConversationDetail; latency: Latency }) {
  const id = conversation.conversation_id;
  const [deleting, setDeleting] = useState(false);
  const name = conversation.persona.persona_name;
  const active = conversation.status === "active";
  return (
    <>
      <Head
        title={conversation.conversation_name || name}
        back={{ to: "conversations", label: "Conversations" }}
        about={
          <>
            <Chip kind={active ? "busy" : "plain"}>{active ? (conversation.started_at ? "In call" : "Waiting for somebody") : "Ended"}</Chip>{" "}
            {ago(conversation.started_at ?? conversation.created_at)}
          </>
        }
      >
        <CodeButton
          requests={() => [
            { method: "GET", path: `conversations/${id}/transcript`, what: "Its transcript" },
            { method: "GET", path: `conversations/${id}/latency`, what: "Its latency, turn by turn" },
          ]}
        />
        {active && <Button kind="quiet" icon="close" onClick={() => post(`conversations/${id}/end`).then(() => say("The call was ended"))}>End call</Button>}
        <Button kind="quiet" icon="trash" onClick={() => setDeleting(true)}>Delete</Button>
      </Head>
      <Facts conversation={conversation} latency={latency} />
      {active ? <Running conversation={conversation} /> : <Told conversation={conversation} latency={latency} />}
      {deleting && (
        <Confirm
          title="Delete this conversation?"
          yes="Delete for ever"
          close={() => setDeleting(false)}
          act={async () => {
            await request("DELETE", `conversations/${id}?hard=true`);
            say("Conversation deleted");
            go("conversations");
          }}
        >
          <p>Its transcript, events and figures are removed.{active && " The call ends."}</p>
        </Confirm>
      )}
    </>
  );
}

function Facts({ conversation, latency }: { conversation: ConversationDetail; latency: Latency }) {
  const { started_at: started, ended_at: ended } = conversation;
  const seconds = started && ended ? (Date.parse(ended) - Date.parse(started)) / 1000 : null;
  const reason = conversation.shutdown_reason;
  return (
    <dl class="facts">
      <div><dt>Persona</dt><dd>{conversation.persona_id ? <a href={link(`personas/${conversation.persona_id}`)}>{conversation.persona.persona_name}</a> : conversation.persona.persona_name}</dd></div>
      <div><dt>Replica</dt><dd><a href={link(`replicas/${conversation.replica_id}`)}>{conversation.replica.replica_name}</a></dd></div>
      <div><dt>Length</dt><dd>{seconds === null ? "–" : clock(seconds)}</dd></div>
      <div><dt>Answers, median</dt><dd>{milliseconds(latency.utterance_to_utterance_p50_ms)}</dd></div>
      <div><dt>Answers, 95 of 100</dt><dd>{milliseconds(latency.utterance_to_utterance_p95_ms)}</dd></div>
      <div><dt>{reason ? "Ended because" : "Created"}</dt><dd class="long">{reason ? REASONS[reason] ?? reason : exactMoment(conversation.created_at)}</dd></div>
    </dl>
  );
}

const REASONS: Record<string, string> = {
  "participant_left_timeout reached": "the person left",
  "participant_absent_timeout reached": "nobody joined",
  "max_call_duration reached": "the longest duration was reached",
  end_conversation_endpoint_hit: "it was ended from outside",
  test_mode: "it was only a test of the request",
};

function Running({ conversation }: { conversation: ConversationDetail }) {
  const live = useLive(conversation.conversation_id);
  const name = conversation.persona.persona_name;
  const [joining, setJoining] = useState(false);
  return (
    <div class="two">
      <section class="sheet pad">
        {joining ? (
          <CallFrame conversationId={conversation.conversation_id} name={name} />
        ) : (
          <>
            <h2>The link of this call</h2>
            <div class="link-line">
              <input readOnly value={conversation.conversation_url} aria-label="Link to the call" />
              <CopyButton text={conversation.conversation_url} label="Copy link" />
            </div>
            {!conversation.started_at && <Button kind="main" icon="phone" onClick={() => setJoining(true)}>Join it here</Button>}
          </>
        )}
      </section>
      <section class="sheet"><LivePanel live={live} name={name} /></section>
    </div>
  );
}

function Told({ conversation, latency }: { conversation: ConversationDetail; latency: Latency }) {
  const events = useMemo<ConversationEvent[]>(
    () => conversation.events.map((event) => ({ ...event, timestamp: Date.parse(event.timestamp) / 1000 })),
    [conversation.events],
  );
  const story = useMemo(() => storyOf(events), [events]);
  const [chosen, setChosen] = useState<Line | null>(null);
  const name = conversation.persona.persona_name;
  if (story.lines.length === 0) return <Empty icon="conversation" title="Nothing was said"><p class="quiet">Nobody spoke in this conversation.</p></Empty>;

  const choose = (line: Line) => {
    setChosen(line);
    document.getElementById(`line-${line.seq}`)?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  const turn = chosen?.latency ?? latency.turns.at(-1);
  const ofTurn = (at: number) => story.lines.find((line) => line.latency?.timestamp === at);
  return (
    <>
      <section class="sheet pad"><Timeline story={story} name={name} chosen={chosen?.seq ?? null} choose={choose} /></section>
      <div class="two">
        <section class="sheet pad" aria-label="Transcript">
          <div class="section-head">
            <h2>Transcript</h2>
            <Downloads id={conversation.conversation_id} />
          </div>
          <Transcript lines={story.lines} name={name} began={story.began} chosen={chosen?.seq ?? null} choose={choose} />
        </section>
        <div class="stack">
          {turn && (
            <section class="sheet pad" aria-label="Latency">
              <h2>Time to answer</h2>
              {latency.turns.some((one) => one.utterance_to_utterance_ms !== null) && <LatencyBars turns={latency.turns} chosen={turn.timestamp} choose={(one) => { const line = ofTurn(one.timestamp); if (line) choose(line); }} />}
              <h3>Turn {turn.turn_idx} <span class="quiet">{milliseconds(turn.utterance_to_utterance_ms)}</span></h3>
              <Waterfall turn={turn} />
            </section>
          )}
          <section class="sheet pad" aria-label="Events">
            <h2>Events</h2>
            <EventList events={events} began={story.began} from={chosen?.began ?? null} until={chosen?.ended ?? null} />
          </section>
        </div>
      </div>
    </>
  );
}

function Downloads({ id }: { id: string }) {
  const save = async (format: "text" | "vtt" | "json", ending: string) => {
    const answer = await fetch(address(`v2/conversations/${id}/transcript?format=${format}`), { headers: headers() });
    const url = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: url, download: `${id}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return (
    <div class="actions">
      <Button class="small" kind="quiet" icon="download" onClick={() => save("text", "txt")}>Text</Button>
      <Button class="small" kind="quiet" icon="download" onClick={() => save("vtt", "vtt")}>Captions</Button>
      <Button class="small" kind="quiet" icon="download" onClick={() => save("json", "json")}>JSON</Button>
    </div>
  );
}
