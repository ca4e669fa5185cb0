/** @jsxImportSource preact */
/** The gallery of replicas, and one of them. */

import { useState } from "preact/hooks";

import { get, request } from "../api/http";
import { useLoad } from "../api/load";
import type { Listed, Replica } from "../api/types";
import { TestCall } from "../conversation/test_call";
import { ago, exactMoment } from "../format";
import { Button, Chip, Head, LinkButton, Notice, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Confirm, Dialog } from "../parts/dialog";
import { Film } from "../parts/film";
import { say } from "../parts/toast";
import { go, link } from "../router";

const WHILE_TRAINING_MS = 2_000;

export function Replicas() {
  const { data, error, reload } = useLoad(
    (signal) => get<Listed<Replica>>("replicas?limit=100&verbose=true", signal),
    [],
    (found) => (found.data.some((one) => one.status === "started") ? WHILE_TRAINING_MS : undefined),
  );
  return (
    <>
      <Head title="Replicas" about="Who is seen: faces that speak, listen and look at you.">
        <CodeButton requests={() => [{ method: "GET", path: "replicas?verbose=true", what: "List replicas" }]} />
        <LinkButton kind="main" icon="plus" to="replicas/new">New replica</LinkButton>
      </Head>
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : (
        <ul class="gallery">
          {data.data.map((replica) => (
            <li key={replica.replica_id}>
              <a class="sheet face-card" href={link(`replicas/${replica.replica_id}`)}>
                <Film replica={replica} />
                <span class="face-words">
                  <b>{replica.replica_name}</b>
                  <Standing replica={replica} />
                </span>
              </a>
            </li>
          ))}
          <li>
            <a class="face-card add" href={link("replicas/new")}>
              <span>+</span>
              <b>Make one of yourself</b>
              <span class="quiet small">A video of a minute or more, or one photo</span>
            </a>
          </li>
        </ul>
      )}
    </>
  );
}

function Standing({ replica }: { replica: Replica }) {
  if (replica.status === "started") return <Chip kind="busy">Training {replica.training_progress.replace("/100", " %")}</Chip>;
  if (replica.status === "error") return <Chip kind="bad">Failed</Chip>;
  return <span class="quiet small">{replica.replica_type === "system" ? "comes with visavis" : ago(replica.created_at)}</span>;
}

export function ReplicaScreen({ id }: { id: string }) {
  const { data, error, reload } = useLoad(
    (signal) => get<Replica>(`replicas/${id}?verbose=true`, signal),
    [id],
    (found) => (found.status === "started" ? WHILE_TRAINING_MS : undefined),
  );
  const [asking, setAsking] = useState<"delete" | "rename" | null>(null);
  if (!data) return <Waiting error={error} again={reload} lines={8} />;
  const own = data.replica_type !== "system" && id !== "rmira";
  const ready = data.status === "completed";
  return (
    <>
      <Head title={data.replica_name} back={{ to: "replicas", label: "Replicas" }} about={<span class="mono">{id}</span>}>
        <CodeButton
          requests={() => [
            { method: "POST", path: "conversations", body: { replica_id: id }, what: "A call with it" },
            { method: "POST", path: "videos", body: { replica_id: id, script: "Hello." }, what: "A film in which it says something" },
          ]}
        />
        {own && <Button kind="quiet" onClick={() => setAsking("rename")}>Rename</Button>}
        {own && <Button kind="quiet" icon="trash" onClick={() => setAsking("delete")}>Delete</Button>}
      </Head>
      {data.status === "started" && <Training replica={data} />}
      {data.status === "error" && <Failed replica={data} />}
      {ready && (
        <div class="two replica-page">
          <TestCall begin={() => ({ replica_id: id })} name={data.replica_name} label="Talk now" about="With the persona of this server." replica={data} />
          <About replica={data} />
        </div>
      )}
      {asking === "rename" && <Rename replica={data} close={() => { setAsking(null); reload(); }} />}
      {asking === "delete" && (
        <Confirm
          title={`Delete ${data.replica_name}?`}
          yes="Delete for ever"
          close={() => setAsking(null)}
          act={async () => {
            await request("DELETE", `replicas/${id}?hard=true`);
            say("Replica deleted");
            go("replicas");
          }}
        >
          <p>Its file is removed from this server. {data.status === "started" && "Its training is given up."}</p>
        </Confirm>
      )}
    </>
  );
}

function Training({ replica }: { replica: Replica }) {
  const done = Number(replica.training_progress.split("/")[0]);
  return (
    <section class="sheet pad training" aria-label="Training">
      <h2>In training</h2>
      <progress max={100} value={done} aria-label="Training progress" />
      <p><b>{done} %</b> <span class="quiet">{stage(done)}</span></p>
      <p class="quiet">You may leave this page: training goes on, also after a restart of the server. Calls come first, so it takes longer while somebody talks.</p>
    </section>
  );
}

function stage(done: number): string {
  if (done < 7) return "Looking at what came, and listening for the consent";
  if (done < 96) return "Learning the face and how it speaks";
  return "Filming the preview";
}

function Failed({ replica }: { replica: Replica }) {
  return (
    <Notice kind="bad">
      <h2>It could not be made</h2>
      <p>{replica.error_message}</p>
      <LinkButton kind="main" to="replicas/new">Try again</LinkButton>
    </Notice>
  );
}

function About({ replica }: { replica: Replica }) {
  const consent = replica.properties?.manifest?.consent;
  const warnings = replica.properties?.warnings ?? [];
  const figures = Object.entries(replica.properties?.figures ?? {});
  return (
    <section class="sheet pad stack" aria-label="About this replica">
      <h2>About this replica</h2>
      <dl class="list">
        <div><dt>Made</dt><dd>{exactMoment(replica.created_at)}</dd></div>
        <div><dt>Drawn by</dt><dd>{replica.model_name}</dd></div>
        {consent && <div><dt>Consent</dt><dd>{consent.kind === "statement" ? `Spoken by ${consent.by}` : consent.kind === "declaration" ? `Declared for ${consent.by}` : "Shows nobody who lives"}</dd></div>}
        {!consent && <div><dt>Consent</dt><dd>Shows nobody who lives</dd></div>}
        {figures.map(([name, value]) => <div key={name}><dt>{name.replaceAll("_", " ")}</dt><dd>{Number.isInteger(value) ? value : value.toFixed(3)}</dd></div>)}
      </dl>
      {consent?.text && <blockquote>{consent.text}</blockquote>}
      {warnings.length > 0 && (
        <>
          <h3>What could be better</h3>
          <ul class="plain-list">{warnings.map((text) => <li key={text}>{text}</li>)}</ul>
        </>
      )}
    </section>
  );
}

function Rename({ replica, close }: { replica: Replica; close: () => void }) {
  const [name, setName] = useState(replica.replica_name);
  const [error, setError] = useState("");
  const save = (event: Event) => {
    event.preventDefault();
    request("PATCH", `replicas/${replica.replica_id}/name`, { replica_name: name }).then(close, (failed: Error) => setError(failed.message));
  };
  return (
    <Dialog title="Rename" close={close}>
      <form onSubmit={save}>
        <div class="field">
          <label for="new-name">Name</label>
          <input id="new-name" value={name} onInput={(event) => setName(event.currentTarget.value)} />
          {error && <p class="error" role="alert">{error}</p>}
        </div>
        <div class="actions end"><Button kind="main" type="submit">Save</Button></div>
      </form>
    </Dialog>
  );
}
