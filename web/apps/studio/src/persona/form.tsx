/** @jsxImportSource preact */
/** Fields of a persona's form: each knows its place in the document, and shows what the server says of it. */

import { createContext, type ComponentChildren, type JSX } from "preact";
import { useContext, useId } from "preact/hooks";

import type { Json } from "../api/types";
import { at, type Draft } from "./document";

export interface Form {
  draft: Draft;
  set: (path: string, value: Json | undefined) => void;
  /** What is wrong with a field, by its path. */
  error: { path: string | null; text: string } | null;
  /** What the server keeps of a field without acting on it. */
  warnings: { path: string; text: string }[];
  readOnly: boolean;
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("There is no form around this field.");
  return form;
}

interface FieldProps {
  path: string;
  label: string;
  hint?: ComponentChildren;
}

interface Attributes {
  id: string;
  "aria-describedby": string;
  "aria-invalid": boolean | undefined;
  disabled: boolean;
}

/** A label, what the field is for, the control, and what is wrong with it. */
function Labelled({ path, label, hint, counter, children }: FieldProps & { counter?: string; children: (attributes: Attributes) => ComponentChildren }) {
  const id = useId();
  const { readOnly } = useForm();
  const { error, warnings } = useSaid(path);
  return (
    <div class="field">
      <div class="label-line">
        <label for={id}>{label}</label>
        {counter && <span class="quiet small">{counter}</span>}
      </div>
      {hint && <p class="hint">{hint}</p>}
      {children({ id, "aria-describedby": `${id}-said`, "aria-invalid": error ? true : undefined, disabled: readOnly })}
      <div id={`${id}-said`} aria-live="polite">
        {error && <p class="error">{error}</p>}
        {!error && warnings.map((text) => <p class="warning" key={text}>{text}</p>)}
      </div>
    </div>
  );
}

/** What the server says of the field at `path`, or of something inside it. */
export function useSaid(path: string): { error: string | null; warnings: string[] } {
  const { error, warnings } = useForm();
  const mine = (about: string | null) => about === path || about?.startsWith(`${path}.`);
  return {
    error: error && mine(error.path) ? error.text : null,
    warnings: warnings.filter((one) => mine(one.path)).map((one) => one.text),
  };
}

interface TextProps extends FieldProps {
  lines?: number;
  placeholder?: string;
  most?: number;
  type?: "text" | "password" | "url";
  /** Names to choose from, beside others. */
  known?: string[];
  /** Take the field away when it is emptied, rather than keep an empty text. */
  optional?: boolean;
}

export function TextField({ lines = 1, placeholder, most, type = "text", known, optional, ...field }: TextProps) {
  const { draft, set } = useForm();
  const value = at(draft, field.path);
  const text = typeof value === "string" ? value : "";
  const changed = (event: JSX.TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) => {
    const given = event.currentTarget.value;
    set(field.path, optional && !given ? undefined : given);
  };
  const counter = most && text.length > most * 0.8 ? `${text.length} of ${most}` : undefined;
  return (
    <Labelled {...field} {...(counter ? { counter } : {})}>
      {(attributes) =>
        lines > 1 ? (
          <textarea rows={lines} value={text} placeholder={placeholder} onInput={changed} {...attributes} />
        ) : (
          <>
            <input type={type} value={text} placeholder={placeholder} autoComplete="off" list={known ? `${attributes.id}-known` : undefined} onInput={changed} {...attributes} />
            {known && (
              <datalist id={`${attributes.id}-known`}>
                {known.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            )}
          </>
        )
      }
    </Labelled>
  );
}

/** A list of texts, one a line. */
export function LinesField({ placeholder, ...field }: FieldProps & { placeholder?: string }) {
  const { draft, set } = useForm();
  const value = at(draft, field.path);
  const lines = Array.isArray(value) ? value.join("\n") : "";
  return (
    <Labelled {...field}>
      {(attributes) => (
        <textarea
          rows={3}
          value={lines}
          placeholder={placeholder}
          onChange={(event) => {
            const given = event.currentTarget.value.split("\n").map((line) => line.trim()).filter(Boolean);
            set(field.path, given.length ? given : undefined);
          }}
          {...attributes}
        />
      )}
    </Labelled>
  );
}

interface ChoiceProps extends FieldProps {
  options: { value: string; label: string; about?: string }[];
  /** What counts while nothing is chosen. */
  usual: string;
}

/** One of a few: all are seen at once, with what the chosen one does. */
export function ChoiceField({ options, usual, ...field }: ChoiceProps) {
  const { draft, set, readOnly } = useForm();
  const name = useId();
  const value = at(draft, field.path) ?? usual;
  const { error, warnings } = useSaid(field.path);
  const about = options.find((one) => one.value === value)?.about;
  return (
    <fieldset class="field" disabled={readOnly}>
      <legend>{field.label}</legend>
      {field.hint && <p class="hint">{field.hint}</p>}
      <div class="segments">
        {options.map((one) => (
          <label key={one.value}>
            <input type="radio" name={name} checked={one.value === value} onChange={() => set(field.path, one.value)} />
            <span>{one.label}</span>
          </label>
        ))}
      </div>
      {about && <p class="hint">{about}</p>}
      {error && <p class="error">{error}</p>}
      {warnings.map((text) => <p class="warning" key={text}>{text}</p>)}
    </fieldset>
  );
}

export function SwitchField({ usual, ...field }: FieldProps & { usual: boolean }) {
  const { draft, set, readOnly } = useForm();
  const id = useId();
  const value = at(draft, field.path);
  const { error, warnings } = useSaid(field.path);
  return (
    <div class="switch-field">
      <div>
        <label for={id}>{field.label}</label>
        {field.hint && <p class="hint" id={`${id}-hint`}>{field.hint}</p>}
        {error && <p class="error">{error}</p>}
        {warnings.map((text) => <p class="warning" key={text}>{text}</p>)}
      </div>
      <input
        id={id}
        type="checkbox"
        role="switch"
        class="switch"
        disabled={readOnly}
        aria-describedby={`${id}-hint`}
        checked={typeof value === "boolean" ? value : usual}
        onChange={(event) => set(field.path, event.currentTarget.checked)}
      />
    </div>
  );
}
