/** After the call: why it ended, what was said, and the way back. */

import { type Call, CallError, lookUp } from "@visavis/client";

import type { CallView } from "./call_view";
import { byId, showScreen } from "./dom";
import { asText, drawLine } from "./lines";
import { t } from "./strings";

/** The server needs a moment to decide whether the conversation ends with the call. */
const SETTLE_MS = 1000;

let fileUrl = "";

/** @param call a call that has ended */
export function sayGoodbye(call: Call, view: CallView): void {
  const name = call.conversation.persona.persona_name;
  const { title, text } = t.goodbye(call.endReason ?? "", name);
  byId("over-title").textContent = title;
  byId("over-text").textContent = text;
  byId("over-summary").textContent = t.summary(view.seconds, view.answers);

  const { lines } = view.transcript;
  byId("over-empty").hidden = lines.length > 0;
  byId("over-lines").replaceChildren(byId("over-empty"), ...lines.map((line) => drawLine(line, name)));
  const download = byId<HTMLAnchorElement>("download");
  URL.revokeObjectURL(fileUrl);
  fileUrl = URL.createObjectURL(new Blob([asText(lines, name)], { type: "text/plain;charset=utf-8" }));
  download.href = fileUrl;
  download.download = `${call.conversation.conversation_id}.txt`;
  download.hidden = lines.length === 0;

  showScreen("over");
  byId("again").hidden = true;
  setTimeout(async () => {
    try {
      byId("again").hidden = (await lookUp(call.url)).status !== "active";
    } catch (error) {
      // A server that does not answer now may do so later.
      byId("again").hidden = !(error instanceof CallError) || error.reason !== "unreachable";
    }
  }, SETTLE_MS);
}
