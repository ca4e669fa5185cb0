/** Buttons that switch something on and off, in the lobby and in the call, and the keys that do the same. */

import { label } from "./dom";
import { type Strings, t } from "./strings";

export type Switch = keyof Strings["switches"];

/** `none`: there is nothing to switch yet. */
export type Position = "on" | "off" | "none";

const KEYS: Record<string, Switch> = { m: "microphone", v: "camera", c: "captions", t: "panel", s: "screen" };

export function setSwitch(name: Switch, position: Position): void {
  for (const button of buttons(name)) {
    button.dataset.position = position;
    if (button.hasAttribute("aria-expanded")) button.setAttribute("aria-expanded", String(position === "on"));
    label(button, t.switches[name][position] ?? t.switches[name].off);
    const words = button.querySelector("[data-words]");
    if (words) words.textContent = t.switches[name][position] ?? t.switches[name].off;
  }
}

/** Call `press` for clicks and keys. Keys work only where the switch can be used and nobody is typing. */
export function onSwitch(press: (name: Switch) => void): void {
  for (const name of Object.keys(t.switches) as Switch[]) {
    for (const button of buttons(name)) button.addEventListener("click", () => press(name));
  }
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    const name = KEYS[event.key.toLowerCase()];
    if (!name || !buttons(name).some((button) => button.closest(".screen:not([hidden])") && !button.hidden)) return;
    event.preventDefault();
    press(name);
  });
}

/** Whether a key is meant for the page, not for a field or the browser. */
export function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return false;
  return !(event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]"));
}

function buttons(name: Switch): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[data-switch="${name}"]`)];
}
