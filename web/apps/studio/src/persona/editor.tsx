/** @jsxImportSource preact */
/** A persona's form beside a call in which the persona is tried out as it stands there, saved or not. */

import { useCallback, useEffect, useMemo, useState } from "preact/hooks";

import { ApiError, get, post, request } from "../api/http";
import { useLoad } from "../api/load";
import type { Json, JsonObject, Listed, Persona, Replica } from "../api/types";
import { TestCall } from "../conversation/test_call";
import { Button, Head, LinkButton, Notice, Tabs, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Confirm } from "../parts/dialog";
import { ShareButton } from "../parts/share";
import { say } from "../parts/toast";
import { go } from "../router";
import { BLANK, draftOf, jsonPatch, mergePatch, same, withValue, type Draft } from "./document";
import { FormContext, useForm, type Form } from "./form";
import { Character, Engines, Face, Manners, Perception } from "./sections";
import { Source } from "./source";
import { Tools } from "./tools";

const CHECK_AFTER_MS = 400;
/** Drafts that were left without saving, by persona: whoever comes back finds them. */
const UNSAVED = new Map<string, Draft>();

const TABS = [
  { name: "character", label: "Character", fields: ["persona_name", "system_prompt", "context", "greeting", "pipeline_mode"] },
  { name: "face", label: "Face", fields: ["default_replica_id"] },
  { name: "manners", label: "Manners", fields: ["layers.conversational_flow"] },
  { name: "engines", label: "Engines", fields: ["layers.llm", "layers.tts", "layers.stt"] },
  { name: "tools", label: "Tools", fields: ["tool_ids"] },
  { name: "perception", label: "Perception", fields: ["layers.perception"] },
  { name: "source", label: "JSON", fields: [] },
] as const;
type Tab = (typeof TABS)[number]["name"];

/** @param id the persona to change, or undefined for a new one, then made from `template` where there is one */
export function PersonaEditor({ id, template }: { id?: string | undefined; template?: string | undefined }) {
  const base = id ?? template ?? "pdemo";
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [persona, replicas, voices] = await Promise.all([
        get<Persona>(`personas/${base}`, signal),
        get<Listed<Replica>>("replicas?limit=100", signal),
        get<Listed<{ voice_name: string }>>("voices?limit=100", signal),
      ]);
      return { persona, replicas: replicas.data, voices: voices.data.map((one) => one.voice_name) };
    },
    [base],
  );
  if (!data) return <Waiting error={error} again={reload} lines={8} />;
  const blank = !id && !template;
  return <Editor key={id ?? `new ${template}`} {...data} id={id} first={blank ? BLANK : draftOf(data.persona)} reload={reload} />;
}

interface EditorProps {
  persona: Persona;
  replicas: Replica[];
  voices: string[];
  id: string | undefined;
  first: Draft;
  reload: () => void;
}

function Editor({ persona, replicas, voices, id, first, reload }: EditorProps) {
  const key = id ?? `new ${persona.persona_id}`;
  const { draft, setDraft, set, changed } = useDraft(key, first);
  const [tab, setTab] = useState<Tab>("character");
  const [calling, setCalling] = useState(false);
  const said = useChecked(draft, id);
  const [refused, setRefused] = useState<Form["error"]>(null);
  const readOnly = persona.persona_type === "system" && id !== undefined;
  useEffect(() => setRefused(null), [draft]);
  // A new persona is not scolded for fields that nobody has come to yet.
  const error = refused ?? (changed || id ? said.error : null);
  const form: Form = useMemo(() => ({ draft, set, error, warnings: said.warnings, readOnly }), [draft, set, error, said, readOnly]);

  const save = async () => {
    try {
      const made = id
        ? await request<Persona | undefined>("PATCH", `personas/${id}`, jsonPatch(first, draft))
        : await post<Persona>("personas", draft);
      UNSAVED.delete(key);
      say(id ? "Saved" : "Persona created");
      if (id) reload();
      else if (made) go(`personas/${made.persona_id}`, true);
    } catch (failed) {
      const problem = failed as ApiError;
      setRefused({ path: problem.field, text: problem.field ? sentence(problem.expected) : problem.message });
      const found = TABS.find((one) => one.fields.some((field) => problem.field?.startsWith(field)));
      if (found) setTab(found.name);
    }
  };
  const replica = replicas.find((one) => one.replica_id === (draft.default_replica_id ?? "rmira"));
  const begin = () => ({ persona_id: persona.persona_id, overrides: mergePatch(draftOf(persona), draft) });
  return (
    <>
      <EditorHead id={id} draft={draft} changed={changed} readOnly={readOnly} undo={() => setDraft(first)} save={save} forget={() => UNSAVED.delete(key)} />
      <div class={`editor ${calling ? "calling" : ""}`}>
        <FormContext.Provider value={form}>
          <Parts tab={tab} setTab={setTab} replicas={replicas} voices={voices} replace={setDraft} />
        </FormContext.Provider>
        <TestCall begin={begin} name={String(draft.persona_name || "your persona")} replica={replica} stale={draft} onCalling={setCalling} />
      </div>
    </>
  );
}

/** What is written, and whether it differs from what is stored. */
function useDraft(key: string, first: Draft) {
  const [draft, setDraft] = useState<Draft>(UNSAVED.get(key) ?? first);
  const changed = !same(draft, first);
  useEffect(() => {
    if (changed) UNSAVED.set(key, draft);
    else UNSAVED.delete(key);
    const warn = (event: BeforeUnloadEvent) => changed && event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [draft, changed, key]);
  const set = useCallback((path: string, value: Json | undefined) => setDraft((before) => withValue(before, path, value)), []);
  return { draft, setDraft, set, changed };
}

interface EditorHeadProps {
  id: string | undefined;
  draft: Draft;
  changed: boolean;
  readOnly: boolean;
  undo: () => void;
  save: () => void;
  forget: () => void;
}

function EditorHead({ id, draft, changed, readOnly, undo, save, forget }: EditorHeadProps) {
  const [deleting, setDeleting] = useState(false);
  const name = String(draft.persona_name ?? "");
  const about = readOnly ? "A template: it cannot be changed, but copied." : (draft.description as string) || undefined;
  return (
    <Head title={name || (id ? "Persona" : "New persona")} about={about} back={{ to: "personas", label: "Personas" }}>
      <CodeButton requests={() => code(id, readOnly, draft)} />
      {id && <ShareButton body={{ persona_id: id }} name={name} />}
      {id && !readOnly && <Button kind="quiet" icon="trash" onClick={() => setDeleting(true)}>Delete</Button>}
      {changed && id && !readOnly && <Button kind="quiet" onClick={undo}>Undo changes</Button>}
      {readOnly ? (
        <LinkButton kind="main" icon="copy" to={`personas/new?template=${id}`}>Use this template</LinkButton>
      ) : (
        <Button kind="main" icon="check" disabled={!changed && id !== undefined} onClick={save}>
          {id ? "Save" : "Create persona"}
        </Button>
      )}
      {deleting && (
        <Confirm
          title={`Delete ${name}?`}
          yes="Delete"
          close={() => setDeleting(false)}
          act={async () => {
            await request("DELETE", `personas/${id}`);
            forget();
            say("Persona deleted");
            go("personas");
          }}
        >
          <p>Calls that are running go on as they are. Links that were shared keep working.</p>
        </Confirm>
      )}
    </Head>
  );
}

interface PartsProps {
  tab: Tab;
  setTab: (tab: Tab) => void;
  replicas: Replica[];
  voices: string[];
  replace: (draft: Draft) => void;
}

function Parts({ tab, setTab, replicas, voices, replace }: PartsProps) {
  const { error } = useForm();
  const inside = (fields: readonly string[]) => fields.some((field) => error?.path === field || error?.path?.startsWith(`${field}.`));
  const tabs = TABS.map(({ name, label, fields }) => ({
    name,
    label: inside(fields) ? <>{label} <span class="dot" title="Something to put right" /></> : label,
  }));
  const elsewhere = error && !inside(TABS.find((one) => one.name === tab)?.fields ?? []);
  return (
    <section class="sheet form" aria-label="Persona">
      <Tabs label="Parts of the persona" tabs={tabs} chosen={tab} choose={setTab} />
      {elsewhere && <Notice kind="bad"><p>{error.path ? `${error.path}: ${error.text}` : error.text}</p></Notice>}
      <div class="fields" role="tabpanel">
        {tab === "character" && <Character />}
        {tab === "face" && <Face replicas={replicas} />}
        {tab === "manners" && <Manners />}
        {tab === "engines" && <Engines voices={voices} />}
        {tab === "tools" && <Tools />}
        {tab === "perception" && <Perception />}
        {tab === "source" && <Source replace={replace} />}
      </div>
    </section>
  );
}

/** What the server says of a draft, asked a moment after the last change. */
function useChecked(draft: Draft, id: string | undefined): Pick<Form, "error" | "warnings"> {
  const [said, setSaid] = useState<Pick<Form, "error" | "warnings">>({ error: null, warnings: [] });
  useEffect(() => {
    const over = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const path = `personas/check${id ? `?persona_id=${id}` : ""}`;
        const { warnings } = await post<{ warnings: string[] }>(path, draft, over.signal);
        setSaid({ error: null, warnings: warnings.map(split) });
      } catch (failed) {
        if (!(failed instanceof ApiError)) return;
        const text = failed.field ? sentence(failed.expected) : failed.message;
        setSaid((before) => ({ ...before, error: { path: failed.field, text } }));
      }
    }, CHECK_AFTER_MS);
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [draft, id]);
  return said;
}

function split(warning: string): { path: string; text: string } {
  const [, path = "", text = ""] = /^([\w.]+): (.*)$/s.exec(warning) ?? ["", "", warning];
  return { path, text: text.charAt(0).toUpperCase() + text.slice(1) };
}

function sentence(expected: string): string {
  return `Expected ${expected}`;
}

function code(id: string | undefined, readOnly: boolean, draft: Draft) {
  const call = { method: "POST" as const, path: "conversations", what: "A call with it; the answer has its link" };
  if (id && readOnly) return [{ ...call, body: { persona_id: id } }];
  if (id) {
    const newGreeting = [{ op: "add", path: "/greeting", value: draft.greeting ?? "" }];
    return [
      { ...call, body: { persona_id: id } },
      { method: "PATCH" as const, path: `personas/${id}`, body: newGreeting, what: "Change it, for example its greeting" },
    ];
  }
  return [{ method: "POST" as const, path: "personas", body: withoutEmpty(draft), what: "Make this persona" }];
}

function withoutEmpty(draft: Draft): JsonObject {
  const layers = Object.entries((draft.layers ?? {}) as JsonObject).filter(([, layer]) => layer && Object.keys(layer).length);
  const filled = Object.entries(draft).filter(([name, value]) => name !== "layers" && value && (!Array.isArray(value) || value.length));
  return { ...Object.fromEntries(filled), ...(layers.length ? { layers: Object.fromEntries(layers) } : {}) };
}
