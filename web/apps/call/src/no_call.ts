/** The page that is shown when there is no call to be had, and its way out. */

import { CallError, type Reason } from "@visavis/client";

import { byId, showScreen } from "./dom";
import { t } from "./strings";

const BUSY_RETRY_S = 15;

/** Nothing that the person could do here would change these. */
const FINAL = new Set<Reason>(["unknown", "ended", "private"]);

let countdown: ReturnType<typeof setInterval> | undefined;

export function explain(error: unknown, retry: () => void): void {
  if (!(error instanceof CallError)) console.error(error);
  const problem = error instanceof CallError ? error : new CallError("refused", String(error));
  const { title, text } = t.closed[problem.reason];
  byId("closed-title").textContent = title;
  byId("closed-text").textContent = text;
  byId("closed-detail").textContent = problem.reason === "refused" ? problem.message : "";
  byId("retry").hidden = FINAL.has(problem.reason);
  byId("retry").onclick = () => {
    clearInterval(countdown);
    retry();
  };
  clearInterval(countdown);
  byId("closed-countdown").textContent = "";
  if (problem.reason === "busy") countDown(problem.retryAfterS ?? BUSY_RETRY_S, retry);
  showScreen("closed");
}

function countDown(seconds: number, then: () => void): void {
  let left = Math.ceil(seconds);
  const tick = () => {
    byId("closed-countdown").textContent = t.retryIn(left);
    if (left === 0) {
      clearInterval(countdown);
      then();
    }
    left -= 1;
  };
  countdown = setInterval(tick, 1000);
  tick();
}
