/** @jsxImportSource preact */
/** A link to a call, to be sent to somebody. */

import { useId, useState } from "preact/hooks";

import { post } from "../api/http";
import type { Conversation, JsonObject } from "../api/types";
import { Button, CopyButton, Notice } from "./basics";
import { CodeBlock } from "./code";
import { Dialog } from "./dialog";

const HOUR_S = 3_600;
const VALID = [
  { seconds: HOUR_S, label: "an hour" },
  { seconds: 24 * HOUR_S, label: "a day" },
  { seconds: 7 * 24 * HOUR_S, label: "a week" },
];

/** People at once, besides the replica. */
const PEOPLE = [1, 2, 4, 9];

export function ShareButton({ body, name }: { body: JsonObject; name: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon="share" onClick={() => setOpen(true)}>Share</Button>
      {open && <ShareDialog body={body} name={name} close={() => setOpen(false)} />}
    </>
  );
}

function ShareDialog({ body, name, close }: { body: JsonObject; name: string; close: () => void }) {
  const [valid, setValid] = useState(24 * HOUR_S);
  const [people, setPeople] = useState(1);
  const [made, setMade] = useState<Conversation>();
  const [error, setError] = useState("");
  const id = useId();
  const make = () => {
    const several = people > 1 ? { max_participants: people + 1 } : {};
    post<Conversation>("conversations", { ...body, ...several, properties: { participant_absent_timeout: valid } }).then(setMade, (failed: Error) =>
      setError(failed.message),
    );
  };
  const frame = made && `<iframe src="${made.conversation_url}?embed=1" allow="microphone; camera; autoplay" width="960" height="600"></iframe>`;
  return (
    <Dialog title={`A call with ${name}`} close={close} wide={Boolean(made)}>
      {!made ? (
        <>
          <p>Whoever opens the link is in the call, without an account. Several people are in the same call and hear one another.</p>
          <div class="field-row">
            <div class="field">
              <label for={`${id}-people`}>For</label>
              <select id={`${id}-people`} value={people} onChange={(event) => setPeople(Number(event.currentTarget.value))}>
                {PEOPLE.map((most) => <option key={most} value={most}>{most === 1 ? "one person" : `up to ${most} people`}</option>)}
              </select>
            </div>
            <div class="field">
              <label for={id}>The link waits for</label>
              <select id={id} value={valid} onChange={(event) => setValid(Number(event.currentTarget.value))}>
                {VALID.map((one) => <option key={one.seconds} value={one.seconds}>{one.label}</option>)}
              </select>
            </div>
          </div>
          {error && <Notice kind="bad"><p>{error}</p></Notice>}
          <div class="actions end"><Button kind="main" icon="share" onClick={make}>Make a link</Button></div>
        </>
      ) : (
        <>
          <div class="link-line">
            <input readOnly value={made.conversation_url} aria-label="Link to the call" onFocus={(event) => event.currentTarget.select()} />
            <CopyButton text={made.conversation_url} label="Copy link" />
          </div>
          {frame && <CodeBlock title="Or put the call into a page of yours" text={frame} />}
        </>
      )}
    </Dialog>
  );
}
