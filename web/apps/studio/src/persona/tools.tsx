/** @jsxImportSource preact */
/** What a persona can do besides talking: tools to choose from, and a form for a new one. */

import { useState } from "preact/hooks";

import { ApiError, get, post, request } from "../api/http";
import { useLoad } from "../api/load";
import type { Json, JsonObject, Listed, Tool } from "../api/types";
import { Button, Chip, IconButton, Notice, Waiting } from "../parts/basics";
import { Confirm, Dialog } from "../parts/dialog";
import { say } from "../parts/toast";
import { at } from "./document";
import { useForm, useSaid } from "./form";

export function Tools() {
  const { draft, set, readOnly } = useForm();
  const { data, error, reload } = useLoad((signal) => get<Listed<Tool>>("tools?limit=100", signal), []);
  const { error: refused, warnings } = useSaid("tool_ids");
  const [making, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Tool | null>(null);
  const value = at(draft, "tool_ids");
  const chosen = Array.isArray(value) ? value.map(String) : [];
  const choose = (id: string, on: boolean) => set("tool_ids", on ? [...chosen, id] : chosen.filter((one) => one !== id));
  if (!data) return <Waiting error={error} again={reload} />;
  const groups = [
    { title: "Yours", tools: data.data.filter((one) => one.tool_type === "user"), none: "None yet. A tool asks your own server, or the page of the call, for something." },
    { title: "Built in", tools: data.data.filter((one) => one.tool_type === "system"), none: "" },
  ];
  return (
    <>
      <p class="hint">What the persona may do or look up while it talks. It decides by the description when to use which.</p>
      {groups.map(({ title, tools, none }) => (
        <fieldset class="field" key={title} disabled={readOnly}>
          <legend>{title}</legend>
          {tools.length === 0 && <p class="hint">{none}</p>}
          {tools.map((tool) => (
            <div class="tool" key={tool.tool_id}>
              <label class="check">
                <input type="checkbox" checked={chosen.includes(tool.tool_id)} onChange={(event) => choose(tool.tool_id, event.currentTarget.checked)} />
                <span><b>{tool.name.replaceAll("_", " ")}</b> <span class="hint">{tool.description}</span></span>
              </label>
              {tool.tool_type === "user" && <Chip>{tool.delivery?.api ? "asks a server" : "asks the page"}</Chip>}
              {tool.tool_type === "user" && !readOnly && <IconButton icon="trash" label={`Delete ${tool.name}`} onClick={() => setDeleting(tool)} />}
            </div>
          ))}
        </fieldset>
      ))}
      {refused && <p class="error">{refused}</p>}
      {warnings.map((text) => <p class="warning" key={text}>{text}</p>)}
      {!readOnly && <div><Button icon="plus" onClick={() => setMaking(true)}>New tool</Button></div>}
      {making && (
        <NewTool
          close={() => setMaking(false)}
          made={(tool) => {
            setMaking(false);
            say("Tool made");
            choose(tool.tool_id, true);
            reload();
          }}
        />
      )}
      {deleting && (
        <Confirm
          title={`Delete “${deleting.name}”?`}
          yes="Delete"
          close={() => setDeleting(null)}
          act={async () => {
            await request("DELETE", `tools/${deleting.tool_id}`);
            choose(deleting.tool_id, false);
            say("Tool deleted");
            reload();
          }}
        >
          <p>Every persona that has it loses it. Calls that are running go on with it.</p>
        </Confirm>
      )}
    </>
  );
}

const TYPES = ["string", "number", "integer", "boolean"] as const;

interface Parameter {
  name: string;
  type: (typeof TYPES)[number];
  description: string;
  required: boolean;
}

interface Written {
  name: string;
  description: string;
  where: "api" | "page";
  url: string;
  method: string;
  token: string;
  answers: boolean;
  parameters: Parameter[];
}

const EMPTY: Written = { name: "", description: "", where: "api", url: "", method: "GET", token: "", answers: true, parameters: [] };

function NewTool({ close, made }: { close: () => void; made: (tool: Tool) => void }) {
  const [tool, setTool] = useState(EMPTY);
  const [error, setError] = useState<ApiError>();
  const change = (part: Partial<Written>) => setTool((before) => ({ ...before, ...part }));
  const save = (event: Event) => {
    event.preventDefault();
    post<Tool>("tools", asDocument(tool)).then(made, setError);
  };
  const wrong = (field: string) => error?.field?.startsWith(field) && <p class="error" role="alert">Expected {error.expected}</p>;
  const elsewhere = error && !["name", "description", "delivery", "parameters"].some((field) => error.field?.startsWith(field));
  return (
    <Dialog title="New tool" close={close} wide>
      <form onSubmit={save} class="tool-form">
        <div class="field">
          <label for="tool-name">Name</label>
          <p class="hint">Letters, digits and underscores.</p>
          <input id="tool-name" class="mono" value={tool.name} placeholder="get_opening_hours" onInput={(event) => change({ name: event.currentTarget.value })} />
          {wrong("name")}
        </div>
        <div class="field">
          <label for="tool-about">Description</label>
          <p class="hint">What it is good for. The language model decides by this when to use it.</p>
          <textarea id="tool-about" rows={2} value={tool.description} placeholder="When the museum is open on a given day." onInput={(event) => change({ description: event.currentTarget.value })} />
          {wrong("description")}
        </div>
        <Where tool={tool} change={change} />
        {wrong("delivery")}
        <Parameters parameters={tool.parameters} change={(parameters) => change({ parameters })} />
        {wrong("parameters")}
        <label class="check">
          <input type="checkbox" checked={tool.answers} onChange={(event) => change({ answers: event.currentTarget.checked })} />
          <span><b>The persona tells what came of it</b> <span class="hint">Otherwise it talks on and the result is not waited for.</span></span>
        </label>
        {elsewhere && <Notice kind="bad"><p>{error.message}</p></Notice>}
        <div class="actions end"><Button onClick={close}>Cancel</Button><Button kind="main" type="submit">Make tool</Button></div>
      </form>
    </Dialog>
  );
}

function Where({ tool, change }: { tool: Written; change: (part: Partial<Written>) => void }) {
  return (
    <>
      <fieldset class="field">
        <legend>Who does it</legend>
        <div class="segments">
          <label><input type="radio" name="tool-where" checked={tool.where === "api"} onChange={() => change({ where: "api" })} /><span>A server</span></label>
          <label><input type="radio" name="tool-where" checked={tool.where === "page"} onChange={() => change({ where: "page" })} /><span>The page of the call</span></label>
        </div>
        {tool.where === "page" && <p class="hint">Your page gets <code>conversation.tool_call</code> and answers with <code>conversation.tool_result</code>.</p>}
      </fieldset>
      {tool.where === "api" && (
        <>
          <div class="tool-address">
            <div class="field">
              <label for="tool-method">Method</label>
              <select id="tool-method" value={tool.method} onChange={(event) => change({ method: event.currentTarget.value })}>
                {["GET", "POST", "PUT", "PATCH", "DELETE"].map((one) => <option key={one}>{one}</option>)}
              </select>
            </div>
            <div class="field">
              <label for="tool-url">Address</label>
              <input id="tool-url" type="url" value={tool.url} placeholder="https://api.example.com/hours/{day}" onInput={(event) => change({ url: event.currentTarget.value })} />
            </div>
          </div>
          <p class="hint">{"{day}"} stands for the parameter of that name.</p>
          <div class="field">
            <label for="tool-token">Bearer token</label>
            <p class="hint">Where that server asks for one. Stored encrypted, never shown again.</p>
            <input id="tool-token" type="password" autoComplete="off" value={tool.token} onInput={(event) => change({ token: event.currentTarget.value })} />
          </div>
        </>
      )}
    </>
  );
}

function Parameters({ parameters, change }: { parameters: Parameter[]; change: (parameters: Parameter[]) => void }) {
  const set = (index: number, part: Partial<Parameter>) => change(parameters.map((one, at) => (at === index ? { ...one, ...part } : one)));
  return (
    <fieldset class="field">
      <legend>Parameters</legend>
      <p class="hint">What the persona has to know before it can use the tool; it asks for what is missing.</p>
      {parameters.map((one, index) => (
        <div class="parameter" key={index}>
          <input class="mono" value={one.name} placeholder="day" aria-label={`Name of parameter ${index + 1}`} onInput={(event) => set(index, { name: event.currentTarget.value })} />
          <select value={one.type} aria-label={`Kind of parameter ${index + 1}`} onChange={(event) => set(index, { type: event.currentTarget.value as Parameter["type"] })}>
            {TYPES.map((type) => <option key={type} value={type}>{{ string: "text", number: "number", integer: "whole number", boolean: "yes or no" }[type]}</option>)}
          </select>
          <input value={one.description} placeholder="Day of the week" aria-label={`Meaning of parameter ${index + 1}`} onInput={(event) => set(index, { description: event.currentTarget.value })} />
          <label class="check"><input type="checkbox" checked={one.required} onChange={(event) => set(index, { required: event.currentTarget.checked })} /><span>needed</span></label>
          <IconButton icon="trash" label={`Remove parameter ${index + 1}`} onClick={() => change(parameters.filter((_, at) => at !== index))} />
        </div>
      ))}
      <div><Button class="small" icon="plus" onClick={() => change([...parameters, { name: "", type: "string", description: "", required: true }])}>Add parameter</Button></div>
    </fieldset>
  );
}

/** The tool as the API takes it. */
function asDocument(tool: Written): JsonObject {
  const named = tool.parameters.filter((one) => one.name);
  const api: JsonObject = { url: tool.url, method: tool.method };
  if (tool.token) api.auth = { type: "bearer", token: tool.token };
  const properties: JsonObject = {};
  for (const one of named) properties[one.name] = { type: one.type, ...(one.description ? { description: one.description } : {}) };
  const required: Json[] = named.filter((one) => one.required).map((one) => one.name);
  return {
    name: tool.name,
    description: tool.description,
    parameters: { type: "object", properties, ...(required.length ? { required } : {}) },
    delivery: tool.where === "api" ? { api } : { app_message: true },
    on_resolve: tool.answers ? "generate_response" : "fire_and_forget",
  };
}
