/** Transcript lines, as elements and as text. */

import type { Line } from "@visavis/client";

import { make } from "./dom";
import { t } from "./strings";

/** @param name the replica's */
export function drawLine(line: Line, name: string): HTMLElement {
  const time = make("time", "", line.at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = line.at.toISOString();
  const speech = make("p", "", line.speech);
  speech.dir = "auto";
  if (line.interrupted) speech.append(make("span", "cut", ` (${t.interrupted})`));
  return make("article", `line ${line.role}`, make("header", "", make("b", "", speaker(line, name)), time), speech);
}

/** The transcript as a text file has it. */
export function asText(lines: Line[], name: string): string {
  return lines
    .map((line) => {
      const cut = line.interrupted ? ` (${t.interrupted})` : "";
      return `[${line.at.toLocaleString()}] ${speaker(line, name)}: ${line.speech}${cut}\n`;
    })
    .join("");
}

function speaker(line: Line, name: string): string {
  return line.role === "replica" ? name : line.other ? t.guest : t.you;
}
