// @ts-check
/** Buttons that switch something on and off, in the lobby and in the call, and the keys that do the same. */

import { label } from "./dom.js";
import { SWITCHES } from "./strings.js";

/** @typedef {keyof typeof SWITCHES} Switch */
/** @typedef {"on" | "off" | "none"} Position `none`: there is nothing to switch yet */

/** @type {Record<string, Switch>} */
const KEYS = { m: "microphone", v: "camera", c: "captions", t: "panel" };

/**
 * @param {Switch} name
 * @param {Position} position
 */
export function setSwitch(name, position) {
  const labels = /** @type {Record<Position, string>} */ (SWITCHES[name]);
  for (const button of buttons(name)) {
    button.dataset.position = position;
    if (button.hasAttribute("aria-expanded")) button.setAttribute("aria-expanded", String(position === "on"));
    label(button, labels[position]);
  }
}

/**
 * Call `press` for clicks and keys. Keys work only where the switch is on the screen and nobody is typing.
 * @param {(name: Switch) => void} press
 */
export function onSwitch(press) {
  for (const name of /** @type {Switch[]} */ (Object.keys(SWITCHES))) {
    for (const button of buttons(name)) button.addEventListener("click", () => press(name));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
    const name = KEYS[event.key.toLowerCase()];
    if (!name || !buttons(name).some((button) => button.offsetParent)) return;
    event.preventDefault();
    press(name);
  });
}

/**
 * @param {Switch} name
 * @returns {HTMLElement[]}
 */
function buttons(name) {
  return [...document.querySelectorAll(`[data-switch="${name}"]`)].map((one) => /** @type {HTMLElement} */ (one));
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
