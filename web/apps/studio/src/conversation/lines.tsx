/** @jsxImportSource preact */
/** A transcript: who said what and when, and behind each reply how soon it came. */

import { useState } from "preact/hooks";

import { clock, milliseconds } from "../format";
import { pace, Waterfall } from "../parts/waterfall";
import type { Line } from "./story";

interface TranscriptProps {
  lines: Line[];
  name: string;
  began: number | null;
  chosen?: number | null;
  choose?: (line: Line) => void;
}

export function Transcript({ lines, name, began, chosen, choose }: TranscriptProps) {
  return (
    <ol class="lines">
      {lines.map((line) => (
        <li key={`${line.role} ${line.began}`} id={`line-${line.seq}`} class={`line ${line.role}`} aria-current={chosen === line.seq ? "true" : undefined}>
          <header>
            <b>{line.role === "user" ? "Person" : name}</b>
            {choose ? (
              <button type="button" class="time" onClick={() => choose(line)} title="Show what happened then">{clock(line.began - (began ?? line.began))}</button>
            ) : (
              <span class="time">{clock(line.began - (began ?? line.began))}</span>
            )}
            {line.latency && <Speed line={line} />}
          </header>
          <p class={line.open ? "open" : ""}>
            {line.text}
            {line.interrupted && <span class="cut"> – interrupted</span>}
          </p>
          {line.notes.map((note) => <p class="seen" key={note}>{note}</p>)}
        </li>
      ))}
    </ol>
  );
}

function Speed({ line }: { line: Line }) {
  const [open, setOpen] = useState(false);
  const ms = line.latency?.utterance_to_utterance_ms;
  if (!line.latency || Object.keys(line.latency.stages).length === 0) return null;
  return (
    <>
      <button type="button" class={`speed ${typeof ms === "number" ? pace(ms) : ""}`} aria-expanded={open} onClick={() => setOpen(!open)} title="What took how long">
        {typeof ms === "number" ? milliseconds(ms) : "how it came"}
      </button>
      {open && <Waterfall turn={line.latency} />}
    </>
  );
}
