// Text that came from outside, and how a gate and a place are said.
import { el } from "../../shared/dom.ts";
import type { Speaker } from "../words/speak.ts";

/** An element whose text is written in whichever direction it is in. */
export function foreign<K extends "p" | "span" | "h1" | "b" | "small">(tag: K, words: string, classes = ""): HTMLElementTagNameMap[K] {
  const element = el(tag, classes, words);
  element.dir = "auto";
  return element;
}

/** A gate as people call it: `gate-b` is Gate B. */
export function gateOf(slug: string, say: Speaker): string {
  const plain = slug.replace(/^gate[-_]?(?=.)/i, "").replace(/[-_]+/g, " ").trim() || slug;
  const named = plain.length <= 2 ? plain.toUpperCase() : plain.charAt(0).toUpperCase() + plain.slice(1);
  return say.words.gate(say.foreign(named));
}

/** Seconds as minutes, never nothing. */
export function minutesOf(seconds: number, say: Speaker): string {
  return say.minutes(Math.max(Math.ceil(seconds / 60), 1));
}
