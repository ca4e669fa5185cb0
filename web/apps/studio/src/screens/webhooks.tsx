/** @jsxImportSource preact */
/** Messages to callbacks: what was delivered, what waits, what was given up; send it again. */

import { useState } from "preact/hooks";

import { get, post } from "../api/http";
import { useLoad } from "../api/load";
import type { Delivery, Listed } from "../api/types";
import { ago, count, exactMoment } from "../format";
import { Button, Empty, Head, Tabs, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Dialog } from "../parts/dialog";
import { Pages } from "../parts/pages";
import { say } from "../parts/toast";

const LIMIT = 20;
const WHILE_PENDING_MS = 3_000;
const STATES = [
  { name: "dead", label: "Failed" },
  { name: "pending", label: "Waiting" },
  { name: "delivered", label: "Delivered" },
] as const;
type State = (typeof STATES)[number]["name"];

const NOTHING: Record<State, string> = {
  dead: "No message was given up.",
  pending: "No message waits to be sent.",
  delivered: "Nothing was delivered in the last seven days.",
};

export function Webhooks() {
  const [status, setStatus] = useState<State>("delivered");
  const [page, setPage] = useState(1);
  const [open, setOpen] = useState<string>();
  const path = `webhooks/deliveries?status=${status}&limit=${LIMIT}&page=${page}`;
  const { data, error, reload } = useLoad(
    (signal) => get<Listed<Delivery>>(path, signal),
    [path],
    () => (status === "pending" ? WHILE_PENDING_MS : undefined),
  );
  const again = async (delivery: Delivery) => {
    await post(`webhooks/deliveries/${delivery.delivery_id}/replay`);
    say("It will be sent again now");
    setOpen(undefined);
    reload();
  };
  return (
    <>
      <Head title="Webhooks" about={<>What was told to the <code>callback_url</code> of calls, videos and replicas. Messages are signed; <code>visavis webhooks secret</code> prints the secret.</>}>
        <CodeButton
          requests={() => [
            { method: "POST", path: "conversations", body: { callback_url: "https://example.com/hook" }, what: "A call that tells an address what happens" },
            { method: "GET", path, what: "List deliveries" },
          ]}
        />
      </Head>
      <Tabs label="Which messages" tabs={STATES} chosen={status} choose={(name) => { setStatus(name); setPage(1); }} />
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : data.total_count === 0 ? (
        <Empty icon="webhook" title={NOTHING[status]}>
          <p class="quiet">Give a call a <code>callback_url</code>, and its beginning, transcript and end are told to that address.</p>
        </Empty>
      ) : (
        <>
          <DeliveryTable deliveries={data.data} show={setOpen} again={again} />
          <Pages page={page} limit={LIMIT} total={data.total_count} turn={setPage} />
        </>
      )}
      {open && <DeliveryDialog id={open} close={() => setOpen(undefined)} again={again} />}
    </>
  );
}

function DeliveryTable({ deliveries, show, again }: { deliveries: Delivery[]; show: (id: string) => void; again: (one: Delivery) => void }) {
  return (
    <table class="table sheet">
      <thead><tr><th scope="col">Message</th><th scope="col">To</th><th scope="col">Attempts</th><th scope="col">When</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
      <tbody>
        {deliveries.map((one) => (
          <tr key={one.delivery_id}>
            <td data-label="Message"><button type="button" class="row-link" onClick={() => show(one.delivery_id)}>{one.event_type}</button><span class="quiet small mono">{one.delivery_id}</span></td>
            <td data-label="To" class="break">{one.url}{one.last_error && <span class="error small">{one.last_error}</span>}</td>
            <td data-label="Attempts">{one.attempts}</td>
            <td data-label="When">{ago(one.created_at)}</td>
            <td class="end">{one.status !== "pending" && <Button class="small" kind="quiet" icon="again" onClick={() => again(one)}>Send again</Button>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DeliveryDialog({ id, close, again }: { id: string; close: () => void; again: (one: Delivery) => void }) {
  const { data, error, reload } = useLoad((signal) => get<Delivery>(`webhooks/deliveries/${id}`, signal), [id]);
  return (
    <Dialog title={data?.event_type ?? "Message"} close={close} wide>
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : (
        <>
          <dl class="list">
            <div><dt>To</dt><dd class="break">{data.url}</dd></div>
            <div><dt>State</dt><dd>{data.status} after {count(data.attempts, "attempt")}</dd></div>
            <div><dt>Created</dt><dd>{exactMoment(data.created_at)}</dd></div>
            {data.next_attempt_at && <div><dt>Next attempt</dt><dd>{exactMoment(data.next_attempt_at)}</dd></div>}
            {data.last_error && <div><dt>Last answer</dt><dd>{data.last_error}</dd></div>}
          </dl>
          <pre class="body" tabIndex={0}>{JSON.stringify(data.body, null, 2)}</pre>
          <div class="actions end"><Button kind="main" icon="again" onClick={() => again(data)}>Send again</Button></div>
        </>
      )}
    </Dialog>
  );
}
