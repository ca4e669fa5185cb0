/** @jsxImportSource preact */
/** The whole persona as JSON, for what has no field of its own. */

import { useEffect, useState } from "preact/hooks";

import type { Json } from "../api/types";
import { isObject, same, type Draft } from "./document";
import { useForm } from "./form";

export function Source({ replace }: { replace: (draft: Draft) => void }) {
  const { draft, readOnly } = useForm();
  const [text, setText] = useState(() => JSON.stringify(draft, null, 2));
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (!same(parsed(text).value, draft)) setText(JSON.stringify(draft, null, 2));
  }, [draft]);
  const changed = (given: string) => {
    setText(given);
    const { value, error } = parsed(given);
    setProblem(error);
    if (isObject(value)) replace(value);
  };
  return (
    <div class="field">
      <label for="source">The persona as the API takes it</label>
      <p class="hint">Everything that the form has no field for can be written here.</p>
      <textarea id="source" class="mono" rows={24} spellcheck={false} value={text} disabled={readOnly} aria-invalid={problem ? true : undefined} onInput={(event) => changed(event.currentTarget.value)} />
      {problem && <p class="error" role="alert">{problem}</p>}
    </div>
  );
}

function parsed(text: string): { value?: Json; error: string } {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? { value, error: "" } : { error: "Expected a JSON object: { … }" };
  } catch (error) {
    return { error: `No valid JSON yet: ${(error as Error).message}` };
  }
}
