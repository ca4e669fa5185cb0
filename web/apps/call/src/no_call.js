// @ts-check
/** The page that is shown when there is no call to be had, and its way out. */

import { CallError } from "./call.js";
import { byId, showScreen } from "./dom.js";
import { CLOSED, retryIn } from "./strings.js";

const BUSY_RETRY_S = 15;

/** Nothing that the person could do here would change these. */
const FINAL = new Set(["unknown", "ended", "private"]);

/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

/**
 * @param {unknown} error
 * @param {() => void} retry
 */
export function explain(error, retry) {
  if (!(error instanceof CallError)) console.error(error);
  const problem = error instanceof CallError ? error : new CallError("refused", String(error));
  const { title, text } = CLOSED[problem.reason];
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

/**
 * @param {number} seconds
 * @param {() => void} then
 */
function countDown(seconds, then) {
  let left = Math.ceil(seconds);
  const tick = () => {
    byId("closed-countdown").textContent = retryIn(left);
    if (left === 0) {
      clearInterval(countdown);
      then();
    }
    left -= 1;
  };
  countdown = setInterval(tick, 1000);
  tick();
}
