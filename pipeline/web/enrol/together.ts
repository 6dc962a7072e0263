// The code by which a family or group is greeted together: typed, or made here for the first of them.
import { el } from "../shared/dom.ts";
import { button, field, say, sorryLine } from "./parts.ts";
import type { Visit } from "./visit.ts";
import type { Words } from "./words/words.ts";

/** Letters of a code; `gallery/visitor.rs` has the same number. */
const LETTERS = 5;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The code as the box takes it; null for whatever is none. */
export function groupCode(text: string): string | null {
  const letters = text.replace(/\s/gu, "").toUpperCase();
  return new RegExp(`^[A-Z]{${LETTERS}}$`, "u").test(letters) ? letters : null;
}

/** A code that nobody had before, as far as chance allows. */
export function newCode(): string {
  const letters: string[] = [];
  while (letters.length < LETTERS) {
    // Numbers from 234 on would make the first letters likelier.
    for (const byte of crypto.getRandomValues(new Uint8Array(LETTERS))) if (byte < 234) letters.push(ALPHABET[byte % 26] ?? "A");
  }
  return letters.slice(0, LETTERS).join("");
}

/** The field, and whether what stands in it will do. */
export function togetherField(visit: Visit, words: Words["tell"], optional: string): { root: HTMLElement; settle: () => boolean; focus: () => void } {
  const input = el("input");
  input.autocomplete = "off";
  input.spellcheck = false;
  input.maxLength = 9;
  input.autocapitalize = "characters";
  input.dir = "ltr";
  input.value = visit.together;
  const wrong = sorryLine("");
  wrong.id = "together-wrong";
  function judge(): boolean {
    const will = visit.together.trim() === "" || groupCode(visit.together) !== null;
    say(wrong, will ? "" : words.togetherWrong);
    input.setAttribute("aria-invalid", String(!will));
    return will;
  }
  input.addEventListener("input", () => {
    visit.together = input.value;
    if (wrong.childElementCount > 0) judge();
  });
  const make = button("alt small", () => {
    visit.together = input.value = newCode();
    judge();
  }, words.togetherNew);
  const root = field("together", `${words.together} · ${optional}`, input, words.togetherHint, [wrong], make);
  root.classList.add("together");
  return { root, settle: judge, focus: () => input.focus() };
}
