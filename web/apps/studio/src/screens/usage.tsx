/** @jsxImportSource preact */
/** What was used, day by day, and what may be. */

import { useState } from "preact/hooks";

import { get } from "../api/http";
import { useLoad } from "../api/load";
import type { Key, Limits, Usage } from "../api/types";
import { clock } from "../format";
import { Head, Tabs, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";

const SPANS = [
  { name: "7", label: "7 days" },
  { name: "30", label: "30 days" },
  { name: "90", label: "90 days" },
] as const;
const DAY_MS = 86_400_000;

export function UsageScreen() {
  const [span, setSpan] = useState<(typeof SPANS)[number]["name"]>("30");
  const since = new Date(Date.now() - (Number(span) - 1) * DAY_MS).toISOString().slice(0, 10);
  const path = `usage?start=${since}&by=day`;
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [usage, limits, key] = await Promise.all([get<Usage>(path, signal), get<Limits>("limits", signal), get<Key>("keys/current", signal)]);
      return { usage, limits, key };
    },
    [path],
  );
  return (
    <>
      <Head title="Usage" about="Seconds of conversation, film and speech on this server, by all keys.">
        <CodeButton requests={() => [{ method: "GET", path, what: "Usage by day" }, { method: "GET", path: "limits", what: "What this key may do" }]} />
      </Head>
      <Tabs label="Span of time" tabs={SPANS} chosen={span} choose={setSpan} />
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : (
        <>
          <Totals usage={data.usage} />
          <Days usage={data.usage} days={Number(span)} />
          <Allowed limits={data.limits} keyName={data.key.name} />
        </>
      )}
    </>
  );
}

const KINDS: { kind: string; label: string; lasts: boolean }[] = [
  { kind: "conversation_seconds", label: "In calls", lasts: true },
  { kind: "video_seconds", label: "Films made", lasts: true },
  { kind: "speech_seconds", label: "Speech made", lasts: true },
  { kind: "replicas_trained", label: "Replicas trained", lasts: false },
];

function Totals({ usage: { usage } }: { usage: Usage }) {
  return (
    <dl class="facts">
      {KINDS.map(({ kind, label, lasts }) => {
        const used = usage[kind] ?? { times: 0, quantity: 0 };
        return (
          <div key={kind}>
            <dt>{label}</dt>
            <dd>{lasts ? clock(used.quantity) : used.quantity} {lasts && <span class="quiet small">{used.times} times</span>}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function Days({ usage, days }: { usage: Usage; days: number }) {
  const found = new Map(usage.days?.map((one) => [one.day, one.usage.conversation_seconds?.quantity ?? 0]));
  const all = Array.from({ length: days }, (_, back) => {
    const day = new Date(Date.now() - (days - 1 - back) * DAY_MS).toISOString().slice(0, 10);
    return { day, seconds: found.get(day) ?? 0 };
  });
  const most = Math.max(60, ...all.map((one) => one.seconds));
  return (
    <section class="sheet pad" aria-label="Time in calls by day">
      <div class="section-head"><h2>Time in calls by day</h2><span class="quiet small">highest {clock(most)}</span></div>
      <ol class="days">
        {all.map(({ day, seconds }) => (
          <li key={day} title={`${day}: ${clock(seconds)}`} aria-label={`${day}: ${clock(seconds)}`}>
            <i style={{ blockSize: `${(seconds / most) * 100}%` }} />
          </li>
        ))}
      </ol>
      <div class="scale small quiet"><span>{all[0]?.day}</span><span>{all.at(-1)?.day}</span></div>
    </section>
  );
}

function Allowed({ limits, keyName }: { limits: Limits; keyName: string }) {
  const { server } = limits;
  return (
    <section class="sheet pad" aria-label="Limits">
      <h2>Limits</h2>
      <dl class="list">
        <div><dt>Signed in with</dt><dd>{keyName}</dd></div>
        <div><dt>Calls at once, this server</dt><dd>{server.max_conversations}</dd></div>
        <div><dt>Calls at once, this key</dt><dd>{limits.active_conversations} open of {limits.max_conversations ?? "any number"}</dd></div>
        <div><dt>Requests a minute, this key</dt><dd>{limits.requests_per_minute ?? "any number"}</dd></div>
        <div><dt>Largest upload</dt><dd>{server.max_upload_mb} MiB</dd></div>
      </dl>
    </section>
  );
}
