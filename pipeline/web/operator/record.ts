// A decision opened up: the sentence, the looks, the rules, the way to the broker.
import { el } from "../shared/dom.ts";
import type { Look, Rule, Step, Why } from "./reasons.ts";
import { DEEDS } from "./words.ts";

type Parts = Node[];

/** A score as the sentence and the rules write it. */
const score = (value: number | null): string => value?.toFixed(3) ?? "–";

/** A heading with words and what to do about them. */
export function said(title: string, words: string, ...more: Node[]): Parts {
  const note = el("p", "sentence", words);
  note.setAttribute("role", "status");
  return [head(el("span", "", title)), note, ...more];
}

/** Everything that a decision was made of. */
export function draw(why: Why): Parts {
  const tone = DEEDS[why.deed].tone;
  const words = why.deed === "referred" && why.found === "unproven" ? "looks doubtful · see to it" : DEEDS[why.deed].words;
  const name = why.name ? el("b", "name", why.name) : null;
  if (name) name.dir = "auto";
  const title = el("span", "", el("span", `tone ${tone}`, words), name);
  const where = el("p", "where", `${why.at.slice(0, 10)} ${why.at.slice(11, 19)} · gate ${why.gate} · ${why.camera}, track ${why.track}`);
  const sentence = el("p", "sentence", why.sentence);
  return [
    head(title),
    el("div", "lead", el("div", "", where, sentence), portrait(why)),
    el(
      "div",
      "beside",
      part("Rules", rules(why.rules), el("p", "foot", foot(why))),
      part("On the way", way(why.steps), el("p", "foot", "Times from the arrival of the frame with the last look.")),
    ),
    part("Looks", looks(why), el("p", "foot", countedOut(why))),
  ];
}

function head(title: HTMLElement): HTMLElement {
  const shut = el("button", "shut", "Close");
  shut.type = "button";
  shut.id = "why-shut";
  const heading = el("h2", "", title);
  heading.id = "why-title";
  return el("header", "", heading, shut);
}

function part(title: string, ...inside: Node[]): HTMLElement {
  return el("section", "", el("h3", "", title), ...inside);
}

function portrait(why: Why): HTMLElement | null {
  if (!why.portrait) return null;
  const picture = el("img", "portrait");
  picture.src = why.portrait;
  picture.alt = "the picture that the screen showed";
  return picture;
}

function foot(why: Why): string {
  if (why.threshold === null) return "";
  const people = `${why.enrolled.toLocaleString("en-GB")} ${why.enrolled === 1 ? "person" : "people"}`;
  const second = why.second === null ? "" : ` The next person: ${score(why.second)}${why.best === null ? "" : `, ${score(why.best - why.second)} behind`}.`;
  return `Threshold ${score(why.threshold)} with ${people} enrolled.${second}`;
}

function countedOut(why: Why): string {
  const came = why.refused === 1 ? "1 look came" : `${why.refused} looks came`;
  const soon = why.refused > 0 ? ` ${came} too soon after the one before and did not count.` : "";
  const more = why.untold > 0 ? ` ${why.untold} more gave way to heavier ones and are not listed.` : "";
  const scores = why.looks.some((look) => look.score !== null) ? " The mark on a score is the threshold of the pool." : "";
  return `Weights are shares of the pool.${scores}${soon}${more}`;
}

function table(caption: string, columns: string[], rows: HTMLTableRowElement[]): HTMLElement {
  const head = columns.map((name) => {
    const cell = el("th", "", name);
    cell.scope = "col";
    return cell;
  });
  const words = el("caption", "unseen", caption);
  return el("div", "wide", el("table", "", words, el("thead", "", el("tr", "", ...head)), el("tbody", "", ...rows)));
}

const MARKS = { met: "✓", unmet: "✗", idle: "–" };

function rules(all: readonly Rule[]): HTMLElement {
  if (all.length === 0) return el("p", "", "No look could be compared.");
  const row = (rule: Rule) => {
    const state = rule.met === null ? "idle" : rule.met ? "met" : "unmet";
    const words = { met: "met", unmet: rule.binds ? "not met" : "not met, advisory", idle: "not asked" }[state];
    const mark = el("span", `mark ${state}`, MARKS[state]);
    mark.setAttribute("aria-hidden", "true");
    const title = el("th", "", rule.title);
    title.scope = "row";
    const made = el("tr", state, title, el("td", "state", mark, words), el("td", "", rule.was_words), el("td", "", rule.needed_words));
    made.dataset["rule"] = rule.rule;
    return made;
  };
  return table("What each rule asked for, and what it was", ["rule", "", "was", "at least"], all.map(row));
}

/** What makes a look's weight, in words of the page. */
const TERMS: Record<string, string> = { inter_eye_px: "between eyes", pose: "frontal", sharpness: "sharp" };

function measured(term: string, value: number | null | undefined): string {
  if (typeof value !== "number") return "–";
  return term.endsWith("_px") ? `${Math.round(value)} px` : value.toFixed(2);
}

function looks(why: Why): HTMLElement {
  if (why.looks.length === 0) return el("p", "", "No look counted.");
  const terms = Object.keys(why.looks[0]?.quality ?? {}).filter((term) => why.looks.some((look) => typeof look.quality[term] === "number"));
  const heaviest = Math.max(...why.looks.map((look) => look.share), 1e-6);
  const row = (look: Look) => {
    const number = el("th", "", String(look.number));
    number.scope = "row";
    const weight = look.pooled ? el("td", "figure", `${Math.round(look.share * 100)} %`, bar(look.share / heaviest)) : el("td", "figure", "gave way");
    const alone = el("td", "figure", score(look.score), look.score === null ? null : bar(look.score, why.threshold));
    const cells = terms.map((term) => el("td", "", measured(term, look.quality[term])));
    const made = el("tr", look.pooled ? "" : "out", number, el("td", "", `${look.after_ms} ms`), weight, alone, ...cells);
    return made;
  };
  const columns = ["look", "after", "weight", "score alone", ...terms.map((term) => TERMS[term] ?? term.replaceAll("_", " "))];
  return table("The looks that counted", columns, why.looks.map(row));
}

/** A share along a line, with the threshold drawn in where there is one. */
function bar(value: number, threshold: number | null = null): HTMLElement {
  const share = (part: number) => `${Math.min(Math.max(part, 0), 1) * 100}%`;
  const fill = el("i", threshold !== null && value < threshold ? "under" : "");
  fill.style.width = share(value);
  const mark = threshold === null ? null : el("u");
  if (mark && threshold !== null) mark.style.insetInlineStart = share(threshold);
  const line = el("span", "bar", fill, mark);
  line.setAttribute("aria-hidden", "true");
  return line;
}

function way(steps: readonly Step[]): HTMLElement {
  const times = steps.flatMap((step) => (step.at_ms === null ? [] : [step.at_ms]));
  const [from, to] = [Math.min(...times, 0), Math.max(...times, 1)];
  const place = (at: number) => ((at - from) / (to - from)) * 100;
  let before = from;
  const row = (step: Step) => {
    const line = el("span", "line");
    line.setAttribute("aria-hidden", "true");
    if (step.at_ms !== null) {
      const piece = el("i");
      piece.style.insetInlineStart = `${place(before)}%`;
      piece.style.width = `${Math.max(place(step.at_ms) - place(before), 0.4)}%`;
      line.append(piece);
      before = step.at_ms;
    }
    const words = step.at_ms === null ? (step.missing ?? "not known") : milliseconds(step.at_ms);
    const made = el("li", step.at_ms === null ? "missing" : "", el("span", "", step.title), line, el("span", "time", words));
    made.dataset["step"] = step.step;
    return made;
  };
  return el("ol", "way", ...steps.map(row));
}

function milliseconds(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 100 ? 1 : 0;
  return `${value.toFixed(digits).replace("-", "−")} ms`;
}
