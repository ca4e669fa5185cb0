/** The few things that every part of the page needs to do with its elements. */

import { t } from "./strings";

export type Screen = "loading" | "lobby" | "call" | "over" | "closed" | "kiosk";

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return found as T;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Put the fixed texts into all elements that ask for one by `data-text`, `data-label` or `data-placeholder`. */
export function fillTexts(): void {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element, "data-text");
  for (const element of document.querySelectorAll("[data-label]")) label(element, text(element, "data-label"));
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.setAttribute("placeholder", text(element, "data-placeholder"));
  }
}

/** Put what belongs to this call into the elements that ask for it by `data-fill`. */
export function fillValues(values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    for (const element of document.querySelectorAll(`[data-fill="${name}"]`)) element.textContent = value;
  }
}

/** Name an element for people who do not see its sign, and for the pointer that rests on it. */
export function label(element: Element, name: string): void {
  element.setAttribute("aria-label", name);
  if (element instanceof HTMLButtonElement) element.title = name;
}

/** Show one screen and begin reading at its heading. */
export function showScreen(name: Screen): void {
  for (const screen of document.querySelectorAll<HTMLElement>(".screen")) screen.hidden = screen.id !== name;
  document.body.dataset.screen = name;
  window.scrollTo(0, 0);
  document.querySelector<HTMLElement>(`#${name} h1`)?.focus({ preventScroll: true });
}

export function showTrack(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
  const shown = (video.srcObject as MediaStream | null)?.getTracks()[0] ?? null;
  if (shown !== track) video.srcObject = track && new MediaStream([track]);
}

function text(element: Element, attribute: string): string {
  const key = element.getAttribute(attribute) ?? "";
  const found = (t.texts as Record<string, string>)[key];
  if (found === undefined) throw new Error(`strings/en.ts has no text ${key}`);
  return found;
}
