/** Every text of the page, in the person's language: `?lang=` in the address, else the browser's choice, else English. */

import { english } from "./strings/en";

export type Strings = typeof english;

/** The texts. Other modules read it when they draw, which is after `chooseLanguage`. */
export let t: Strings = english;

const LANGUAGES: Record<string, () => Promise<Strings>> = {
  en: async () => english,
  de: async () => (await import("./strings/de")).german,
  es: async () => (await import("./strings/es")).spanish,
  zh: async () => (await import("./strings/zh")).chinese,
};

export async function chooseLanguage(asked: string | null, preferred: readonly string[]): Promise<void> {
  const wanted = [...(asked ? [asked] : []), ...preferred].map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  const language = wanted.find((tag) => tag in LANGUAGES) ?? "en";
  t = (await LANGUAGES[language]?.()) ?? english;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
}
