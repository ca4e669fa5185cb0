/** @jsxImportSource preact */
/** All conversations, newest first. */

import { useState } from "preact/hooks";

import { get } from "../api/http";
import { useLoad } from "../api/load";
import type { Conversation, Listed } from "../api/types";
import { ago, clock } from "../format";
import { Chip, Empty, Head, LinkButton, Tabs, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Pages } from "../parts/pages";
import { link } from "../router";

const LIMIT = 20;
const STATES = [
  { name: "all", label: "All" },
  { name: "active", label: "Open" },
  { name: "ended", label: "Ended" },
] as const;

export function Conversations() {
  const [status, setStatus] = useState<(typeof STATES)[number]["name"]>("all");
  const [page, setPage] = useState(1);
  const path = `conversations?limit=${LIMIT}&page=${page}${status === "all" ? "" : `&status=${status}`}`;
  const { data, error, reload } = useLoad((signal) => get<Listed<Conversation>>(path, signal), [path]);
  return (
    <>
      <Head title="Conversations" about="Every call that was made with this server, and what was said in it.">
        <CodeButton requests={() => [{ method: "GET", path, what: "List conversations" }]} />
        <LinkButton kind="main" icon="phone" to="">New call</LinkButton>
      </Head>
      <Tabs label="Which conversations" tabs={STATES} chosen={status} choose={(name) => { setStatus(name); setPage(1); }} />
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : data.total_count === 0 ? (
        <Empty icon="conversation" title="No conversations yet">
          <p class="quiet">Talk with a persona, and its transcript and timing appear here.</p>
          <LinkButton kind="main" icon="phone" to="">Talk now</LinkButton>
        </Empty>
      ) : (
        <>
          <ConversationTable conversations={data.data} />
          <Pages page={page} limit={LIMIT} total={data.total_count} turn={setPage} />
        </>
      )}
    </>
  );
}

export function ConversationTable({ conversations }: { conversations: Conversation[] }) {
  return (
    <table class="table sheet">
      <thead>
        <tr><th scope="col">Conversation</th><th scope="col">State</th><th scope="col">Length</th><th scope="col">When</th></tr>
      </thead>
      <tbody>
        {conversations.map((one) => {
          const seconds = one.started_at && one.ended_at ? (Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000 : null;
          return (
            <tr key={one.conversation_id}>
              <td data-label="Conversation">
                <a class="row-link" href={link(`conversations/${one.conversation_id}`)}>{one.conversation_name || "Conversation"}</a>
                <span class="quiet small mono">{one.conversation_id}</span>
              </td>
              <td data-label="State">{stateOf(one)}</td>
              <td data-label="Length">{seconds === null ? "–" : clock(seconds)}</td>
              <td data-label="When">{ago(one.started_at ?? one.created_at)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function stateOf(one: Conversation) {
  if (one.status === "ended") return one.started_at ? <Chip>Ended</Chip> : <Chip>Nobody came</Chip>;
  return one.started_at ? <Chip kind="good">In call</Chip> : <Chip kind="busy">Waiting</Chip>;
}
