// The day on a visitor's own telephone: the plan behind a screen's QR code, printable, and for their calendar.
import "./day.css";
import { byId, el } from "../shared/dom.ts";
import type { Language } from "../enrol/contract.ts";
import { button, heading } from "../enrol/parts.ts";
import { NATIVE, isLanguage, preferred, speak, wordsOf } from "../enrol/words/speak.ts";
import { type Planned, ask } from "./ask.ts";
import { drawPlans, planSection } from "./plan.ts";

const ALL = Object.keys(NATIVE).filter(isLanguage);
/** A plan is made anew from now: often enough for a session that moves, seldom enough for a telephone. */
const AGAIN_MS = 60_000;
const urls: string[] = [];
let language: Language = preferred(ALL);
let shown = "";

/** The key stays where the QR code put it. */
function key(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function show(...inside: (Node | null)[]): void {
  const title = heading(wordsOf(language).day.title);
  document.title = `${title.textContent ?? ""} · usher`;
  byId("main").replaceChildren(el("section", "card mine", title, ...inside));
}

function say(text: string, again: boolean): void {
  shown = "";
  show(el("p", "lead", text), again ? el("div", "buttons", button("alt", () => void load(), wordsOf(language).again)) : null);
}

function plan(planned: Planned, asked: string): void {
  if (isLanguage(planned.language)) language = planned.language;
  speak(language);
  const same = JSON.stringify(planned.day);
  if (same === shown) return;
  shown = same;
  for (const url of urls.splice(0)) URL.revokeObjectURL(url);
  show(planSection(planned, language, { calendar: () => ask.calendar({ key: asked }), nearby: (at) => ask.nearby({ key: asked }, at) }, urls));
  drawPlans();
}

async function load(): Promise<void> {
  speak(language);
  const asked = key();
  const words = wordsOf(language);
  if (!asked) return say(words.day.noKey, false);
  if (!shown) show(el("p", "lead", words.day.loading));
  const answer = await ask.day({ key: asked });
  // Another code may have been opened meanwhile.
  if (asked !== key()) return;
  if (answer.is === "ok") plan(answer.body, asked);
  else if (answer.is === "unknown") say(wordsOf(language).day.gone, false);
  // What is on the page is better than an error.
  else if (!shown) say(answer.is === "slow" ? words.busy : words.away, true);
}

addEventListener("hashchange", () => {
  shown = "";
  void load();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) void load();
});
setInterval(() => {
  if (document.visibilityState === "visible") void load();
}, AGAIN_MS);
void load();
