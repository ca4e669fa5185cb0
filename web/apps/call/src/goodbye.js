// @ts-check
/** After the call: why it ended, what was said, and the way back. */

import { CallError, lookUp } from "./call.js";
import { byId, showScreen } from "./dom.js";
import { asText, drawLine } from "./lines.js";
import { goodbye, summary } from "./strings.js";

/** The server needs a moment to decide whether the conversation ends with the call. */
const SETTLE_MS = 1000;

let fileUrl = "";

/**
 * @param {import("./call.js").Call} call a call that has ended
 * @param {import("./call_view.js").CallView} view
 * @param {string} url the conversation's link
 */
export function sayGoodbye(call, view, url) {
  const name = call.conversation.persona.persona_name;
  const { title, text } = goodbye(call.endReason ?? "", name);
  byId("over-title").textContent = title;
  byId("over-text").textContent = text;
  byId("over-summary").textContent = summary(view.seconds, view.answers);

  const { lines } = view.transcript;
  byId("over-empty").hidden = lines.length > 0;
  byId("over-lines").replaceChildren(byId("over-empty"), ...lines.map((line) => drawLine(line, name)));
  const download = /** @type {HTMLAnchorElement} */ (byId("download"));
  URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(new Blob([asText(lines, name)], { type: "text/plain;charset=utf-8" }));
  download.href = fileUrl;
  download.download = `${call.conversation.conversation_id}.txt`;
  download.hidden = lines.length === 0;

  showScreen("over");
  byId("again").hidden = true;
  setTimeout(async () => {
    try {
      byId("again").hidden = (await lookUp(url)).status !== "active";
    } catch (error) {
      // A server that does not answer now may do so later.
      byId("again").hidden = !(error instanceof CallError) || error.reason !== "unreachable";
    }
  }, SETTLE_MS);
}
