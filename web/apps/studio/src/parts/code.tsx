/** @jsxImportSource preact */
/** The API request behind what is on the screen, to be copied. */

import { useState } from "preact/hooks";

import { address } from "../api/http";
import { Button, CopyButton, Tabs } from "./basics";
import { Dialog } from "./dialog";

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  body?: unknown;
  /** What it does, in a few words. */
  what: string;
}

const LANGUAGES = [
  { name: "curl", label: "curl" },
  { name: "python", label: "Python" },
  { name: "javascript", label: "JavaScript" },
] as const;
type Language = (typeof LANGUAGES)[number]["name"];

export function CodeButton({ requests }: { requests: () => ApiRequest[] }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon="code" onClick={() => setOpen(true)}>
        API code
      </Button>
      {open && <CodeDialog requests={requests()} close={() => setOpen(false)} />}
    </>
  );
}

function CodeDialog({ requests, close }: { requests: ApiRequest[]; close: () => void }) {
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <Dialog title="The same with the API" close={close} wide>
      <p class="quiet">
        Put an API key into the variable <code>VISAVIS_API_KEY</code>.
      </p>
      <Tabs label="Language" tabs={LANGUAGES} chosen={language} choose={setLanguage} />
      {requests.map((one) => (
        <CodeBlock key={one.what} title={one.what} text={written(one, language)} />
      ))}
    </Dialog>
  );
}

export function CodeBlock({ title, text }: { title: string; text: string }) {
  return (
    <figure class="code">
      <figcaption>
        <span>{title}</span>
        <CopyButton text={text} />
      </figcaption>
      <pre tabIndex={0}>{text}</pre>
    </figure>
  );
}

function written({ method, path, body }: ApiRequest, language: Language): string {
  const url = address(`v2/${path}`);
  const json = body === undefined ? null : JSON.stringify(body, null, 2);
  if (language === "curl") {
    const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} '${url}'`, `  -H "x-api-key: $VISAVIS_API_KEY"`];
    if (json) lines.push("  -H 'content-type: application/json'", `  -d '${json.replaceAll("'", "'\\''")}'`);
    return lines.join(" \\\n");
  }
  if (language === "python") {
    const lines = ["import os", "import httpx", "", `answer = httpx.request(`, `    "${method}",`, `    "${url}",`];
    lines.push('    headers={"x-api-key": os.environ["VISAVIS_API_KEY"]},');
    if (json) lines.push(`    json=${asPython(body, "    ")},`);
    return [...lines, ")", "answer.raise_for_status()", "print(answer.json())"].join("\n");
  }
  const lines = [`const answer = await fetch("${url}", {`, `  method: "${method}",`];
  lines.push(`  headers: { "x-api-key": process.env.VISAVIS_API_KEY${json ? ', "content-type": "application/json"' : ""} },`);
  if (json) lines.push(`  body: JSON.stringify(${json.replaceAll("\n", "\n  ")}),`);
  return [...lines, "});", "console.log(await answer.json());"].join("\n");
}

/** JSON as Python writes it. */
function asPython(value: unknown, indent: string): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}    `;
  const list = Array.isArray(value);
  const inner = list
    ? value.map((one) => asPython(one, deeper))
    : Object.entries(value as object).map(([name, one]) => `${JSON.stringify(name)}: ${asPython(one, deeper)}`);
  const [open, close] = list ? "[]" : "{}";
  return inner.length ? `${open}\n${deeper}${inner.join(`,\n${deeper}`)},\n${indent}${close}` : `${open}${close}`;
}
