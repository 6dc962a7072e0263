// What passers-by see while nobody is welcomed.
import { byId } from "../shared/dom.ts";
import { SHOWN_SPORTS, icon } from "../shared/icons.ts";

/** Only languages that the page's own typeface can write: a kiosk may lack the others. */
const WORDS = ["Welcome", "Bienvenue", "Bienvenidos", "Willkommen", "Benvenuti", "Bem-vindos", "Välkommen", "Hoş geldiniz", "Chào mừng", "Καλώς ήρθατε", "Ласкаво просимо"];
const EVERY_MS = 5_000;

/** Draws the sports and turns the word of welcome. */
export function startAttract(): void {
  byId("sports").append(...SHOWN_SPORTS.map((name) => icon(name)));
  const word = byId("word");
  let turn = 0;
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  setInterval(() => {
    if (document.body.dataset["state"] !== "idle") return;
    turn = (turn + 1) % WORDS.length;
    const next = WORDS[turn] ?? "Welcome";
    if (quiet.matches) {
      word.textContent = next;
      return;
    }
    word.animate([{ opacity: 1 }, { opacity: 0, transform: "translateY(-.12em)" }], { duration: 350, easing: "ease-in" }).finished.then(
      () => {
        word.textContent = next;
        word.animate([{ opacity: 0, transform: "translateY(.12em)" }, { opacity: 1 }], { duration: 450, easing: "ease-out" });
      },
      () => undefined,
    );
  }, EVERY_MS);
}
