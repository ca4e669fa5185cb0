// @ts-check
/** The few things that every part of the page needs to do with its elements. */

import { TEXTS } from "./strings.js";

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element #${id}`);
  return /** @type {T} */ (found);
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Put the fixed texts into all elements that ask for one by `data-text`, `data-label` or `data-placeholder`. */
export function fillTexts() {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element, "data-text");
  for (const element of document.querySelectorAll("[data-label]")) label(element, text(element, "data-label"));
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.setAttribute("placeholder", text(element, "data-placeholder"));
  }
}

/**
 * Put what belongs to this call into the elements that ask for it by `data-fill`.
 * @param {Record<string, string>} values
 */
export function fillValues(values) {
  for (const [name, value] of Object.entries(values)) {
    for (const element of document.querySelectorAll(`[data-fill="${name}"]`)) element.textContent = value;
  }
}

/**
 * Name an element for people who do not see its sign, and for the pointer that rests on it.
 * @param {Element} element
 * @param {string} name
 */
export function label(element, name) {
  element.setAttribute("aria-label", name);
  if (element instanceof HTMLButtonElement) element.title = name;
}

/**
 * Show one screen and begin reading at its heading.
 * @param {"loading" | "lobby" | "call" | "over" | "closed"} name
 */
export function showScreen(name) {
  for (const screen of document.querySelectorAll(".screen")) {
    /** @type {HTMLElement} */ (screen).hidden = screen.id !== name;
  }
  document.body.dataset.screen = name;
  window.scrollTo(0, 0);
  /** @type {HTMLElement | null} */ (document.querySelector(`#${name} h1`))?.focus({ preventScroll: true });
}

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStreamTrack | null} track
 */
export function showTrack(video, track) {
  const shown = /** @type {MediaStream | null} */ (video.srcObject)?.getTracks()[0] ?? null;
  if (shown !== track) video.srcObject = track && new MediaStream([track]);
}

/**
 * @param {Element} element
 * @param {string} attribute
 */
function text(element, attribute) {
  const key = element.getAttribute(attribute) ?? "";
  if (!(key in TEXTS)) throw new Error(`strings.js has no text ${key}`);
  return TEXTS[key];
}
