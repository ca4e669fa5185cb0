/** @jsxImportSource preact */
/** How soon the replica answered, and what took how long: the stages of one turn, and all turns side by side. */

import type { Turn } from "../api/types";
import { milliseconds } from "../format";

const STAGES: Record<string, string> = {
  asked: "Asked by a program",
  last_voice: "Last word",
  vad_end: "Pause noticed",
  turn_decision: "Turn decided",
  final_text: "Words recognised",
  first_token: "Model's first word",
  first_clause: "First clause",
  first_sound: "First sound",
  first_frame: "First picture",
  sent: "Sent",
  own_words: "Own words sent",
};

/** One bar for each stage, from the end of the one before it in time to its own end. */
export function Waterfall({ turn }: { turn: Turn }) {
  const ends = Object.entries(turn.stages).sort(([, one], [, other]) => one - other);
  const origin = ends[0]?.[1] ?? 0;
  const whole = Math.max(1, (ends.at(-1)?.[1] ?? 0) - origin);
  return (
    <dl class="waterfall">
      {ends.map(([stage, end], at) => {
        const start = at ? (ends[at - 1]?.[1] ?? origin) : origin;
        return (
          <div key={stage}>
            <dt>{STAGES[stage] ?? stage}</dt>
            <dd>
              <span class="bar">
                <i style={{ insetInlineStart: `${((start - origin) / whole) * 100}%`, inlineSize: `${((end - start) / whole) * 100}%` }} />
              </span>
              <span class="value">{Math.round(end)}</span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

const GOOD_MS = 500;
const SLOW_MS = 1_000;

export function pace(ms: number): "good" | "fair" | "slow" {
  return ms <= GOOD_MS ? "good" : ms <= SLOW_MS ? "fair" : "slow";
}

interface LatencyBarsProps {
  turns: Turn[];
  chosen?: number | undefined;
  choose?: (turn: Turn) => void;
}

/** One column for each answered turn, with lines at half a second and a second. */
export function LatencyBars({ turns, chosen, choose }: LatencyBarsProps) {
  const spoken = turns.filter((turn) => turn.utterance_to_utterance_ms !== null);
  const top = Math.max(SLOW_MS * 1.1, ...spoken.map((turn) => (turn.utterance_to_utterance_ms ?? 0) * 1.05));
  return (
    <div class="latency-bars" role="group" aria-label="Time to answer, turn by turn">
      {[GOOD_MS, SLOW_MS].map((at) => (
        <span key={at} class="mark" style={{ insetBlockEnd: `${(at / top) * 100}%` }}>
          {at} ms
        </span>
      ))}
      {spoken.map((turn) => {
        const ms = turn.utterance_to_utterance_ms ?? 0;
        return (
          <button
            type="button"
            key={turn.timestamp}
            class={`column ${pace(ms)}`}
            aria-pressed={chosen === turn.timestamp}
            aria-label={`Turn ${turn.turn_idx}: ${milliseconds(ms)}`}
            title={`Turn ${turn.turn_idx}: ${milliseconds(ms)}`}
            onClick={() => choose?.(turn)}
          >
            <i style={{ blockSize: `${(ms / top) * 100}%` }} />
          </button>
        );
      })}
    </div>
  );
}
