// What passers-by see while nobody is welcomed.
import { byId } from "../../shared/dom.ts";
import { SHOWN_SPORTS, icon } from "../../shared/icons.ts";
import type { Speaker } from "../words/speak.ts";

/** Only languages that the page's own typeface can write: a kiosk may lack the others. */
const WORDS = ["Welcome", "Bienvenue", "Bienvenidos", "Willkommen", "Benvenuti", "Bem-vindos", "Välkommen", "Hoş geldiniz", "Chào mừng", "Καλώς ήρθατε", "Ласкаво просимо"];
const EVERY_MS = 5_000;

let words: readonly string[] = WORDS;

/** Invites in the venue's language, to hold up a pass or to look at the screen. */
export function setAttract(say: Speaker, pass: boolean): void {
  const { idle } = say.words;
  const first = idle.word;
  if (words[0] !== first) {
    words = [first, ...WORDS.filter((word) => word !== first)];
    write(byId("word"), first, say.language);
  }
  const hint = pass ? idle.hintPass : idle.hint;
  for (const each of document.querySelectorAll(".hint")) each.textContent = hint;
  byId("fine").textContent = idle.fine;
}

/** Draws the sports and turns the word of welcome. */
export function startAttract(): void {
  byId("sports").append(...SHOWN_SPORTS.map((name) => icon(name)));
  const word = byId("word");
  let turn = 0;
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  setInterval(() => {
    if (document.body.dataset["state"] !== "idle" || document.body.dataset["slide"] !== "attract") return;
    turn = (turn + 1) % words.length;
    const next = words[turn] ?? "Welcome";
    if (quiet.matches) {
      write(word, next, null);
      return;
    }
    word.animate([{ opacity: 1 }, { opacity: 0, transform: "translateY(-.12em)" }], { duration: 350, easing: "ease-in" }).finished.then(
      () => {
        write(word, next, null);
        word.animate([{ opacity: 0, transform: "translateY(.12em)" }, { opacity: 1 }], { duration: 450, easing: "ease-out" });
      },
      () => undefined,
    );
  }, EVERY_MS);
}

function write(word: HTMLElement, text: string, language: string | null): void {
  word.textContent = text;
  word.dir = "auto";
  if (language) word.lang = language;
  else word.removeAttribute("lang");
}
