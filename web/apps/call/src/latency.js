// @ts-check
/** How soon the replica answers: the last turn, the median, and the stages of the last turn as bars. */

import { byId, label, make } from "./dom.js";
import { STAGES, readOut, readOutLabel, readOutMedian } from "./strings.js";

export class Latency {
  #button = byId("read-out");
  #waterfall = byId("waterfall");
  /** @type {number[]} */
  #totals = [];

  /** @param {AbortSignal} over */
  constructor(over) {
    this.#button.hidden = true;
    this.close();
    this.#button.addEventListener("click", () => (this.open ? this.close() : this.#show()), { signal: over });
    byId("waterfall-close").addEventListener("click", () => this.close({ focus: true }), { signal: over });
  }

  get open() {
    return !this.#waterfall.hidden;
  }

  /** @param {{focus?: boolean}} [options] focus: put it back on the read-out */
  close({ focus = false } = {}) {
    this.#waterfall.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (focus) this.#button.focus();
  }

  /** @param {{utterance_to_utterance_ms?: number | null, stages?: Record<string, number>}} turn */
  add({ utterance_to_utterance_ms: total, stages = {} }) {
    byId("bars").replaceChildren(...drawBars(stages));
    // A typed turn has stages but no last word to count from.
    if (typeof total !== "number") return;
    this.#totals.push(total);
    const [last, middle] = [Math.round(total), Math.round(median(this.#totals))];
    this.#button.hidden = false;
    this.#button.replaceChildren(make("span", "", readOut(last)), make("span", "wide", readOutMedian(middle)));
    label(this.#button, readOutLabel(last, middle));
  }

  #show() {
    this.#waterfall.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
  }
}

/**
 * One bar for each stage, from the end of the one before it in time to its own end.
 * @param {Record<string, number>} stages milliseconds
 */
function drawBars(stages) {
  const ends = Object.entries(stages)
    .filter(([, end]) => Number.isFinite(end))
    .sort(([, a], [, b]) => a - b);
  if (ends.length === 0) return [];
  const origin = ends[0][1];
  const share = 100 / Math.max(1, ends[ends.length - 1][1] - origin);
  return ends.flatMap(([stage, end], at) => {
    const start = at ? ends[at - 1][1] : origin;
    const bar = make("i");
    bar.style.setProperty("--start", `${(start - origin) * share}%`);
    bar.style.setProperty("--length", `${(end - start) * share}%`);
    const value = make("dd", "", make("span", "bar", bar), make("span", "value", String(Math.round(end))));
    return [make("dt", "", STAGES[stage] ?? stage), value];
  });
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
