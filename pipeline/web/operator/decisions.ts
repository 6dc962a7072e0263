// The last decisions, each with its evidence against the threshold.
import { wallTime } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { addressOf } from "./why.ts";
import type { DecisionNow } from "./state.ts";
import { deed, score } from "./words.ts";

const list = byId<HTMLOListElement>("decisions");
const rows = new Map<number, HTMLLIElement>();
let named = false;

/** Shows the decisions, newest first; what is open stays open. */
export function showDecisions(decisions: readonly DecisionNow[], signedIn: boolean): void {
  byId("none").hidden = decisions.length > 0;
  if (named !== signedIn) {
    // Every row is made anew: none may keep a name that is not to be shown any more.
    rows.clear();
    list.replaceChildren();
    named = signedIn;
  }
  const kept = new Set(decisions.map((decision) => decision.number));
  for (const [number, row] of rows) {
    if (kept.has(number)) continue;
    row.remove();
    rows.delete(number);
  }
  decisions.forEach((decision, place) => {
    let row = rows.get(decision.number);
    if (!row || row.dataset["name"] !== String(decision.name ?? "")) {
      const made = draw(decision);
      if (row) row.replaceWith(made);
      row = made;
      rows.set(decision.number, made);
    }
    if (list.children[place] !== row) list.insertBefore(row, list.children[place] ?? null);
  });
}

function draw(decision: DecisionNow): HTMLLIElement {
  const { words, tone, why } = deed(decision);
  const name = decision.name ? el("b", "name", decision.name) : null;
  if (name) name.dir = "auto";
  const looks = `${decision.looks} ${decision.looks === 1 ? "look" : "looks"}`;
  const over = decision.over_ms > 0 ? ` · ${(decision.over_ms / 1_000).toFixed(2)} s` : "";
  const summary = el(
    "summary",
    "",
    el("time", "", decision.at.slice(11, 19) || wallTime(decision.at)),
    el("span", "gate", decision.gate),
    el("span", "what", el("span", `tone ${tone}`, words), name, bar(decision)),
    el("span", "looks", looks, over && el("br"), over.slice(3)),
  );
  const facts: [string, string][] = [
    ["best score", score(decision.best)],
    ["had to reach", `${score(decision.threshold)} with ${decision.enrolled.toLocaleString("en-GB")} enrolled`],
    ["second person", decision.second === null ? "none near" : `${score(decision.second)}${decision.best === null ? "" : ` · ${score(decision.best - decision.second)} behind`}`],
    ["looks that counted", looks + over],
    ...(decision.live === undefined ? [] : [["seems live", `${Math.round(decision.live * 100)} of 100`] as [string, string]]),
    ["camera, track", `${decision.camera}, ${decision.track}`],
  ];
  const all = el("a", "", "Look by look, rule by rule");
  all.href = addressOf(decision.number);
  all.setAttribute("aria-label", `Why, look by look and rule by rule: ${words}, ${decision.at.slice(11, 19)}`);
  const details = el("details", "", summary, el("div", "why", el("p", "", why), el("dl", "", ...facts.flatMap(([term, fact]) => [el("dt", "", term), el("dd", "", fact)])), el("p", "all", all)));
  const row = el("li", "", details);
  row.dataset["name"] = decision.name ?? "";
  row.dataset["deed"] = decision.deed;
  return row;
}

/** Scores from 0 to 1 along a line, the threshold drawn in. */
function bar(decision: DecisionNow): HTMLElement {
  const share = (value: number) => `${Math.min(Math.max(value, 0), 1) * 100}%`;
  const fill = el("i", deed(decision).tone);
  fill.style.width = share(decision.best ?? 0);
  const mark = el("u");
  mark.style.insetInlineStart = share(decision.threshold);
  const line = el("span", "bar", fill, mark);
  line.title = `score ${score(decision.best)}, threshold ${score(decision.threshold)}`;
  return line;
}
