// The languages there are, by their own names, and the words of each.
import type { Language } from "../contract.ts";
import { ar } from "./ar.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ko } from "./ko.ts";
import type { Words } from "./words.ts";
import { zh } from "./zh.ts";

const WORDS: Record<Language, Words> = { en, ko, zh, fr, es, ar };

/** Each language as its speakers write it. */
export const NATIVE: Record<Language, string> = { en: "English", ko: "한국어", zh: "中文", fr: "Français", es: "Español", ar: "العربية" };

/** What the pages say in a language. */
export function wordsOf(language: Language): Words {
  return WORDS[language];
}

/** Whether the pages speak it. */
export function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(WORDS, tag);
}

/** Which way a language is written. */
export function directionOf(language: string): "ltr" | "rtl" {
  return /^(ar|fa|he|ur)\b/.test(language) ? "rtl" : "ltr";
}

/** The first of the reader's languages that is spoken here, or English. */
export function preferred(spoken: readonly Language[]): Language {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return wanted.find((tag): tag is Language => isLanguage(tag) && spoken.includes(tag)) ?? (spoken.includes("en") ? "en" : (spoken[0] ?? "en"));
}

/** Makes a language the page's own. */
export function speak(language: Language): void {
  document.documentElement.lang = language;
  document.documentElement.dir = directionOf(language);
}
