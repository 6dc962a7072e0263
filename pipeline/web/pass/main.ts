// The visitor's own page: their pass, what is kept of them, and the end of it.
import "./pass.css";
import { byId, el } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { type Answer, type Kept, type Language, askPass, forgetPass } from "../enrol/contract.ts";
import { dayAndTime } from "../enrol/dates.ts";
import { button, download, heading, own, say, sorryLine } from "../enrol/parts.ts";
import { passCard } from "../enrol/pass.ts";
import { ask } from "../day/ask.ts";
import { drawPlans, planSection } from "../day/plan.ts";
import { sign } from "../enrol/signs.ts";
import { NATIVE, isLanguage, preferred, speak, wordsOf } from "../enrol/words/speak.ts";

const ALL = Object.keys(NATIVE).filter(isLanguage);
const urls: string[] = [];
let language: Language = preferred(ALL);

/** The secret stays where the QR code put it; it is sent to the box, and never kept. */
function secret(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function show(title: HTMLElement, ...inside: (Node | null)[]): void {
  document.title = `${title.textContent ?? ""} · usher`;
  byId("main").replaceChildren(el("section", "card mine", title, ...inside));
  title.focus({ preventScroll: true });
}

function drop(): void {
  for (const url of urls) URL.revokeObjectURL(url);
  urls.length = 0;
}

/** What ended a question without an answer, with another try where that may help. */
function failure(answer: Exclude<Answer<unknown>, { is: "ok" }>): string {
  const words = wordsOf(language);
  if (answer.is === "unknown") return words.mine.unknown;
  return answer.is === "slow" ? words.mine.slow : words.faults.other;
}

function row(label: string, ...inside: (Node | string)[]): HTMLElement[] {
  return [el("dt", "", label), el("dd", "", ...inside)];
}

function showKept(kept: Kept, asked: string): void {
  if (isLanguage(kept.language)) language = kept.language;
  speak(language);
  const words = wordsOf(language);
  const { mine } = words;
  const sports = kept.sports.flatMap((sport, i) => (i > 0 ? [" · ", own(sport)] : [own(sport)]));
  const list = el(
    "dl", "",
    ...row(mine.keptName, own(kept.name, "name")),
    ...row(mine.keptSports, ...sports),
    ...row(kept.face ? mine.keptFace : mine.keptNoFace, !kept.face ? words.consent.keyPlain : kept.custody === "visitor" ? mine.keyVisitor : mine.keyBox),
    ...(kept.together ? row(mine.keptTogether, own(kept.together)) : []),
    ...row(mine.keptUntil, own(dayAndTime(kept.expires_at, language))),
  );
  const wrong = sorryLine("");
  const sure = el("dialog", "sure");
  sure.setAttribute("aria-labelledby", "sure-title");
  const question = el("h2", "", mine.forgetSure);
  question.id = "sure-title";
  const yes = button("end", () => void forget(), mine.forgetYes);
  sure.append(question, wrong, el("div", "buttons", button("alt", () => sure.close(), mine.forgetNo), yes));
  async function forget(): Promise<void> {
    if (yes.disabled) return;
    yes.disabled = true;
    const answer = await forgetPass(asked);
    yes.disabled = false;
    if (answer.is === "ok") return showGone(answer.body.receipt);
    if (answer.is === "unknown") return showNothing(mine.unknown, false);
    say(wrong, failure(answer));
  }
  const day = el("div", "planned");
  show(
    heading(mine.title),
    passCard(words, language, { svg: kept.svg, name: kept.name, expires_at: kept.expires_at }, urls),
    day,
    el("div", "kept", el("h2", "", mine.kept), list),
    el("div", "buttons", download(words.pass.receipt, "receipt.json", kept.receipt, urls), button("end", () => {
      say(wrong, "");
      sure.showModal();
    }, icon("person"), mine.forget)),
    el("small", "", words.pass.receiptNote),
    sure,
  );
  void showDay(day, asked);
}

/** The plan beside the pass; where there is none, the pass stands alone. */
async function showDay(room: HTMLElement, asked: string): Promise<void> {
  const answer = await ask.day({ secret: asked });
  if (answer.is !== "ok" || !answer.body.day || !room.isConnected) return;
  const { day } = wordsOf(language);
  room.replaceChildren(el("h2", "", day.title), planSection(answer.body, language, { calendar: () => ask.calendar({ secret: asked }), nearby: (at) => ask.nearby({ secret: asked }, at) }, urls));
  drawPlans();
}

function showGone(receipt: object): void {
  drop();
  const { mine } = wordsOf(language);
  show(heading(mine.gone), el("p", "lead tick", sign("check"), el("span", "", mine.goneNote)), el("div", "buttons", download(mine.goneReceipt, "deletion-receipt.json", receipt, urls)));
}

function showNothing(text: string, again: boolean): void {
  drop();
  const words = wordsOf(language);
  show(heading(words.mine.title), el("p", "lead", text), again ? el("div", "buttons", button("alt", () => void load(), words.again)) : null);
}

async function load(): Promise<void> {
  drop();
  speak(language);
  const asked = secret();
  const { mine } = wordsOf(language);
  if (!asked) return showNothing(mine.noSecret, false);
  show(heading(mine.title), el("p", "lead", mine.loading));
  const answer = await askPass(asked);
  // Another code may have been opened meanwhile.
  if (asked !== secret()) return;
  if (answer.is === "ok") showKept(answer.body, asked);
  else showNothing(failure(answer), answer.is !== "unknown");
}

addEventListener("hashchange", () => void load());
addEventListener("pagehide", () => {
  drop();
  byId("main").replaceChildren();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) void load();
});
void load();
