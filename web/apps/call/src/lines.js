// @ts-check
/** Transcript lines, as elements and as text. */

import { make } from "./dom.js";
import { INTERRUPTED, YOU } from "./strings.js";

/** @typedef {import("./transcript.js").Line} Line */

/**
 * @param {Line} line
 * @param {string} name the replica's
 */
export function drawLine(line, name) {
  const time = make("time", "", clock(line.at));
  time.dateTime = line.at.toISOString();
  const speech = make("p", "", line.speech);
  speech.dir = "auto";
  if (line.interrupted) speech.append(make("span", "cut", ` (${INTERRUPTED})`));
  return make("article", `line ${line.role}`, make("header", "", make("b", "", speaker(line, name)), time), speech);
}

/**
 * The transcript as a text file has it.
 * @param {Line[]} lines
 * @param {string} name the replica's
 */
export function asText(lines, name) {
  return lines
    .map((line) => {
      const cut = line.interrupted ? ` (${INTERRUPTED})` : "";
      return `[${line.at.toLocaleString()}] ${speaker(line, name)}: ${line.speech}${cut}\n`;
    })
    .join("");
}

/**
 * @param {Line} line
 * @param {string} name
 */
function speaker(line, name) {
  return line.role === "user" ? YOU : name;
}

/** @param {Date} at */
function clock(at) {
  return at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
