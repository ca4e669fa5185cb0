/** @jsxImportSource preact */
/** API keys: who may use this server, and how much. */

import { useState } from "preact/hooks";

import { ApiError, get, post, request } from "../api/http";
import { useLoad } from "../api/load";
import type { Key, Listed } from "../api/types";
import { ago, moment } from "../format";
import { Button, Chip, CopyButton, Empty, Head, Notice, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Confirm, Dialog } from "../parts/dialog";
import { say } from "../parts/toast";

export function Keys() {
  const { data, error, reload } = useLoad((signal) => get<Listed<Key>>("keys?limit=100", signal), []);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <>
      <Head title="API keys" about="Programs show a key to use this server. Keep keys on servers: whoever sees one can use it.">
        <CodeButton requests={() => [{ method: "POST", path: "keys", body: { name: "website", scopes: ["read", "write"] }, what: "Make a key (with a key of scope admin)" }]} />
        {!forbidden && <Button kind="main" icon="plus" onClick={() => setMaking(true)}>New key</Button>}
      </Head>
      {forbidden ? (
        <Notice><p>Keys are shown to whoever is signed in with one that has the scope “admin”. On the server, <code>visavis keys list</code> does the same.</p></Notice>
      ) : !data ? (
        <Waiting error={error} again={reload} />
      ) : data.total_count === 0 ? (
        <Empty icon="key" title="No keys yet"><p class="quiet">Make one for each program that uses this server.</p></Empty>
      ) : (
        <KeyTable keys={data.data} revoke={setRevoking} />
      )}
      {making && <NewKey close={() => { setMaking(false); reload(); }} />}
      {revoking && (
        <Confirm
          title={`Revoke “${revoking.name}”?`}
          yes="Revoke"
          close={() => setRevoking(null)}
          act={async () => {
            await request("DELETE", `keys/${revoking.key_id}`);
            say("Key revoked");
            reload();
          }}
        >
          <p>Programs that use it are refused from now on. This cannot be taken back.</p>
        </Confirm>
      )}
    </>
  );
}

function KeyTable({ keys, revoke }: { keys: Key[]; revoke: (key: Key) => void }) {
  return (
    <table class="table sheet">
      <thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col">Limits</th><th scope="col">Last used</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
      <tbody>
        {keys.map((key) => (
          <tr key={key.key_id} class={key.revoked_at ? "faded" : ""}>
            <td data-label="Name"><b>{key.name}</b><span class="quiet small mono">{key.hint}… · {key.key_id}</span></td>
            <td data-label="May">{key.scopes.join(", ")}</td>
            <td data-label="Limits">{limits(key)}</td>
            <td data-label="Last used">{ago(key.last_used_at)}</td>
            <td class="end">{key.revoked_at ? <Chip>Revoked</Chip> : <Button class="small" kind="quiet" onClick={() => revoke(key)}>Revoke</Button>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function limits(key: Key): string {
  const found = [
    key.max_conversations && `${key.max_conversations} calls at once`,
    key.requests_per_minute && `${key.requests_per_minute} requests a minute`,
    key.networks.length && `from ${key.networks.join(", ")}`,
    key.expires_at && `until ${moment(key.expires_at)}`,
  ].filter(Boolean);
  return found.join(", ") || "none";
}

const DAYS = [
  { days: 0, label: "never" },
  { days: 30, label: "in 30 days" },
  { days: 90, label: "in 90 days" },
  { days: 365, label: "in a year" },
];

const MAY = [
  { scope: "read", label: "Read", about: "look at everything" },
  { scope: "write", label: "Write", about: "make calls, personas and replicas" },
  { scope: "admin", label: "Admin", about: "also manage keys" },
];

function NewKey({ close }: { close: () => void }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(["read", "write"]);
  const [days, setDays] = useState(0);
  const [calls, setCalls] = useState("");
  const [rate, setRate] = useState("");
  const [made, setMade] = useState<Key & { key: string }>();
  const [error, setError] = useState<ApiError>();
  const save = (event: Event) => {
    event.preventDefault();
    const body = {
      name,
      scopes,
      ...(days ? { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() } : {}),
      ...(calls ? { max_conversations: Number(calls) } : {}),
      ...(rate ? { requests_per_minute: Number(rate) } : {}),
    };
    post<Key & { key: string }>("keys", body).then(setMade, setError);
  };
  const wrong = (field: string) => error?.field?.split(".")[0] === field && <p class="error" role="alert">Expected {error.expected}</p>;
  if (made)
    return (
      <Dialog title="Your new key" close={close}>
        <Notice kind="good"><p>Copy it now: it is not shown again.</p></Notice>
        <div class="link-line"><input readOnly value={made.key} aria-label="API key" class="mono" onFocus={(event) => event.currentTarget.select()} /><CopyButton text={made.key} label="Copy key" /></div>
        <div class="actions end"><Button kind="main" onClick={close}>Done</Button></div>
      </Dialog>
    );
  return (
    <Dialog title="New API key" close={close}>
      <form onSubmit={save}>
        <div class="field"><label for="key-name">Name</label><p class="hint">What uses it, so that you know it again.</p><input id="key-name" value={name} placeholder="website" onInput={(event) => setName(event.currentTarget.value)} />{wrong("name")}</div>
        <fieldset class="field">
          <legend>It may</legend>
          {MAY.map(({ scope, label, about }) => (
            <label class="check" key={scope}>
              <input type="checkbox" checked={scopes.includes(scope)} onChange={(event) => setScopes(event.currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))} />
              <span><b>{label}</b> <span class="quiet">{about}</span></span>
            </label>
          ))}
          {wrong("scopes")}
        </fieldset>
        <div class="field-row">
          <div class="field"><label for="key-days">Expires</label><select id="key-days" value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>{DAYS.map((one) => <option key={one.days} value={one.days}>{one.label}</option>)}</select></div>
          <div class="field"><label for="key-calls">Calls at once</label><input id="key-calls" inputMode="numeric" value={calls} placeholder="no limit" onInput={(event) => setCalls(event.currentTarget.value)} />{wrong("max_conversations")}</div>
          <div class="field"><label for="key-rate">Requests a minute</label><input id="key-rate" inputMode="numeric" value={rate} placeholder="no limit" onInput={(event) => setRate(event.currentTarget.value)} />{wrong("requests_per_minute")}</div>
        </div>
        {error && !error.field && <Notice kind="bad"><p>{error.message}</p></Notice>}
        <div class="actions end"><Button onClick={close}>Cancel</Button><Button kind="main" type="submit">Make key</Button></div>
      </form>
    </Dialog>
  );
}
