// All gates at a glance: what staff may do now, and a card for each gate.
import { byId, el, svg } from "../shared/dom.ts";
import type { AtAGlance } from "./state.ts";
import { KINDS, fanWords, gateName, horizonOf, people, standing, standingWords, timeIn, waitWords, waiting } from "./words.ts";

const cards = new Map<string, Card>();

/** Shows every gate; `choose` is called with the one that is to be looked at. */
export function showGlance(gates: readonly AtAGlance[], chosen: string | null, choose: (gate: string) => void): void {
  const grid = byId("gates");
  byId("none").hidden = gates.length > 0;
  grid.dataset["count"] = String(Math.min(gates.length, 7));
  const known = new Set(gates.map(({ flow }) => flow.gate));
  for (const [name, card] of cards) {
    if (known.has(name)) continue;
    card.root.remove();
    cards.delete(name);
  }
  gates.forEach((gate, place) => {
    let card = cards.get(gate.flow.gate);
    if (!card) {
      card = new Card(gate.flow.gate, choose);
      cards.set(gate.flow.gate, card);
    }
    card.tell(gate, gate.flow.gate === chosen);
    if (grid.children[place] !== card.root) grid.insertBefore(card.root, grid.children[place] ?? null);
  });
  showAdvice(gates, choose);
}

let advised = "";

function showAdvice(gates: readonly AtAGlance[], choose: (gate: string) => void): void {
  const all = gates
    .flatMap(({ flow }) => flow.advice.map((advice) => ({ advice, gate: flow.gate })))
    .sort((a, b) => KINDS[a.advice.kind].rank - KINDS[b.advice.kind].rank || (a.advice.minutes ?? 0) - (b.advice.minutes ?? 0) || a.gate.localeCompare(b.gate));
  // Drawn anew only when something is other than before: it is read aloud.
  const key = JSON.stringify([gates.length, all.map(({ advice, gate }) => [gate, advice.cause, advice.text])]);
  if (key === advised) return;
  advised = key;
  const row = ({ advice, gate }: (typeof all)[number]) => {
    const { tone, sign, words } = KINDS[advice.kind];
    const link = el("a", "", gateName(gate));
    link.href = `#${gate}`;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(gate);
    });
    const item = el("li", `tone-${tone}`, sign ? mark(sign) : null, el("span", "kind", words), link, el("span", "text", advice.text));
    item.dataset["cause"] = advice.cause;
    return item;
  };
  const calm = gates.length === 0 ? "Nothing is known yet." : "Nothing: no gate needs anybody now.";
  byId("advice").replaceChildren(...(all.length > 0 ? all.map(row) : [el("li", "tone-ok", mark("✓"), el("span", "text", calm))]));
}

function mark(sign: string): HTMLElement {
  const found = el("span", "mark", sign);
  found.setAttribute("aria-hidden", "true");
  return found;
}

/** One gate among others. */
class Card {
  readonly root = el("button", "card glance");
  #last = "";

  constructor(name: string, choose: (gate: string) => void) {
    this.root.type = "button";
    this.root.dataset["gate"] = name;
    this.root.addEventListener("click", () => choose(name));
  }

  tell(gate: AtAGlance, chosen: boolean): void {
    this.root.setAttribute("aria-pressed", String(chosen));
    const key = JSON.stringify(gate);
    if (key === this.#last) return;
    this.#last = key;
    const { flow } = gate;
    const { tone, sign, words } = standing(flow);
    this.root.dataset["tone"] = tone;
    this.root.dataset["counting"] = flow.counting;
    this.root.replaceChildren(
      el("span", "top", el("b", "name", gateName(flow.gate)), el("span", `standing tone-${tone}`, mark(sign), words)),
      el("span", "now", big(flow.entered_last_minute, flow.counting_since === undefined ? "in the last minute" : `since ${timeIn(flow.counting_since)}`), ...(flow.left_last_minute !== undefined ? [small(people(flow.left_last_minute), "out")] : []), ...(flow.inside !== undefined ? [small(people(flow.inside), "inside")] : [])),
      spark(gate),
      queue(gate),
      el("span", "next", next(gate)),
    );
  }
}

function big(value: number | undefined, words: string): HTMLElement {
  return el("span", "big", el("b", value === undefined ? "unknown" : "", value === undefined ? "?" : people(value)), el("span", "", value === undefined ? "nobody saw the last minute" : words));
}

function small(value: string, words: string): HTMLElement {
  return el("span", "small", el("b", "", value), el("span", "", words));
}

/** How long one waits against the limit. */
function queue({ flow }: AtAGlance): HTMLElement {
  if (!flow.queue) return el("span", "queue none", withoutQueue(flow));
  const { wait_seconds: wait, length, lanes_open: lanes } = flow.queue;
  const limit = flow.limit_seconds;
  const most = Math.max((limit ?? 0) * 1.5, wait.high, 60);
  const at = (seconds: number) => `${Math.min(seconds / most, 1) * 100}%`;
  const fill = el("i");
  fill.style.width = at(wait.value);
  const range = el("em");
  range.style.insetInlineStart = at(wait.low);
  range.style.width = `${((Math.min(wait.high, most) - Math.min(wait.low, most)) / most) * 100}%`;
  const bar = el("span", "bar", fill, range);
  if (limit !== undefined) {
    const line = el("u");
    line.style.insetInlineStart = at(limit);
    bar.append(line);
    bar.classList.toggle("over", wait.value > limit);
  }
  return el(
    "span",
    "queue",
    el("span", "line", el("b", "", waiting(wait.value)), el("span", "", [waitWords(wait).slice(waiting(wait.value).length + 1) || (wait.value < 10 ? "" : "wait"), limit === undefined ? "" : `limit ${waiting(limit)}`].filter(Boolean).join(" · "))),
    bar,
    el("span", "line", el("span", "", `${Math.round(length.high) === 0 ? "nobody" : standingWords(length)} in the queue · ${lanes} ${lanes === 1 ? "lane" : "lanes"} open`)),
  );
}

function withoutQueue({ counting, counting_since }: AtAGlance["flow"]): string {
  if (counting === "none") return "The queue is not known while nobody sees.";
  return counting_since === undefined ? "No queue is measured here." : "The first whole minute is not over yet.";
}

function next(gate: AtAGlance): string {
  const soon = horizonOf(gate, 30) ?? gate.horizons.at(-1);
  if (!soon) return "No forecast yet.";
  const wait = soon.wait_seconds ? `, ${soon.wait_seconds.median < 10 ? "" : "wait "}${fanWords(soon.wait_seconds, "wait")}` : "";
  return `In ${soon.minutes} min: ${fanWords(soon.arrivals, "people")} a minute${wait}`;
}

const [WIDE, HIGH] = [300, 54];

/** The last hour's counts and the next hour's fan, small; the same in words stands beside it. */
function spark({ entered, horizons }: AtAGlance): SVGSVGElement {
  const most = Math.max(4, ...entered.map((value) => value ?? 0), ...horizons.map(({ arrivals }) => arrivals.high80));
  const y = (value: number) => (HIGH - 2 - (Math.min(value, most) / most) * (HIGH - 6)).toFixed(1);
  const past = (i: number) => ((WIDE / 2) * (60 - entered.length + i + 0.5)) / 60;
  const ahead = (minutes: number) => (WIDE / 2) * (1 + minutes / 60);
  const bars = entered.map((value, i) =>
    value === null
      ? svg("rect", { x: (past(i) - 1.25).toFixed(1), y: "4", width: "2.5", height: String(HIGH - 6), class: "gone" })
      : svg("rect", { x: (past(i) - 1).toFixed(1), y: y(value), width: "2", height: (HIGH - 2 - Number(y(value))).toFixed(1), class: "count" }),
  );
  const top = horizons.map(({ minutes, arrivals }) => `${ahead(minutes).toFixed(1)} ${y(arrivals.high80)}`);
  const low = [...horizons].reverse().map(({ minutes, arrivals }) => `${ahead(minutes).toFixed(1)} ${y(arrivals.low80)}`);
  const middle = horizons.map(({ minutes, arrivals }) => `${ahead(minutes).toFixed(1)} ${y(arrivals.median)}`);
  const fan = horizons.length > 1 ? [svg("path", { d: `M${[...top, ...low].join("L")}Z`, class: "band80" }), svg("path", { d: `M${middle.join("L")}`, class: "median" })] : [];
  return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "spark", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" }, ...bars, ...fan, svg("line", { x1: String(WIDE / 2), y1: "2", x2: String(WIDE / 2), y2: String(HIGH - 2), class: "now" }));
}
