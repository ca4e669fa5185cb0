/** How soon the replica answers: the last turn, the median, and the stages of the last turn as bars. */

import type { Latency as Turn } from "@visavis/client";

import { byId, label, make } from "./dom";
import { t } from "./strings";

export class Latency {
  readonly #button = byId("read-out");
  readonly #waterfall = byId("waterfall");
  readonly #totals: number[] = [];

  constructor(over: AbortSignal) {
    this.#button.hidden = true;
    this.close();
    this.#button.addEventListener("click", () => (this.open ? this.close() : this.#show()), { signal: over });
    byId("waterfall-close").addEventListener("click", () => this.close({ focus: true }), { signal: over });
  }

  get open(): boolean {
    return !this.#waterfall.hidden;
  }

  /** @param focus put it back on the read-out */
  close({ focus = false } = {}): void {
    this.#waterfall.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (focus) this.#button.focus();
  }

  add({ utterance_to_utterance_ms: total, stages }: Turn): void {
    byId("bars").replaceChildren(...drawBars(stages ?? {}));
    // A typed turn has stages but no last word to count from.
    if (typeof total !== "number") return;
    this.#totals.push(total);
    const [last, middle] = [Math.round(total), Math.round(median(this.#totals))];
    this.#button.hidden = false;
    this.#button.replaceChildren(make("span", "", t.readOut(last)), make("span", "wide", t.readOutMedian(middle)));
    label(this.#button, t.readOutLabel(last, middle));
  }

  #show(): void {
    this.#waterfall.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
  }
}

/** One bar for each stage, from the end of the one before it in time to its own end. */
function drawBars(stages: Record<string, number>): HTMLElement[] {
  const ends = Object.entries(stages)
    .filter(([, end]) => Number.isFinite(end))
    .sort(([, a], [, b]) => a - b);
  const origin = ends[0]?.[1] ?? 0;
  const share = 100 / Math.max(1, (ends.at(-1)?.[1] ?? 0) - origin);
  return ends.flatMap(([stage, end], at) => {
    const start = ends[at - 1]?.[1] ?? origin;
    const bar = make("i");
    bar.style.setProperty("--start", `${(start - origin) * share}%`);
    bar.style.setProperty("--length", `${(end - start) * share}%`);
    const value = make("dd", "", make("span", "bar", bar), make("span", "value", String(Math.round(end))));
    return [make("dt", "", t.stages[stage] ?? stage), value];
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
