// One gate: how it was, how it is and how it will be.
import { boxNow, offsetMinutes } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { Chart } from "./chart.ts";
import { gradesOf } from "./grades.ts";
import type { Drawing, FanPoint, Point } from "./plot.ts";
import { MINUTE, RANGES, type Range, ahead, arrivals, begun, points, ticks } from "./series.ts";
import { Lanes } from "./lanes.ts";
import type { GateFlow, Whole } from "./state.ts";
import { Ask } from "./whatif.ts";
import { estimateWords, gateName, people, peopleRange, standing, standingWords, timeIn, waitWords, waiting, waitingRange } from "./words.ts";

/** The part of the page that shows one gate. */
export class GateView {
  #root = byId("gate");
  #title = el("h2", "");
  #standing = el("p", "standing");
  #facts = el("dl", "facts");
  #lost = el("p", "lost");
  #ranges = el("div", "ranges");
  #counts = new Chart({ title: "People a minute, in", say: (value) => `${people(value)} a minute`, range: peopleRange, was: "Came in, a minute", willBe: "Expected, a minute", height: 260 });
  #wait = new Chart({ title: "Wait, minutes", say: (value) => waiting(value * 60), range: (low, high) => waitingRange(low * 60, high * 60), was: "Waited", willBe: "Expected" });
  #queue = new Chart({ title: "People in the queue", say: (value) => `${people(Math.round(value))} in the queue`, range: (low, high) => peopleRange(Math.round(low), Math.round(high)), was: "Stood there", willBe: "Expected" });
  #grades = el("div");
  #ask = new Ask();
  #lanes: Lanes;
  #range: Range = RANGES[0] ?? { name: "", back: 60, ahead: 60, minutes: 1 };
  #whole: Whole | null = null;

  constructor(close: () => void, signIn: () => void) {
    this.#lanes = new Lanes(signIn);
    this.#title.id = "gate-title";
    this.#title.tabIndex = -1;
    this.#ranges.setAttribute("role", "group");
    this.#ranges.setAttribute("aria-label", "How much time is shown");
    for (const range of RANGES) {
      const button = el("button", "", range.name);
      button.type = "button";
      button.addEventListener("click", () => {
        this.#range = range;
        this.#draw();
      });
      this.#ranges.append(button);
    }
    const shut = el("button", "shut", "All gates");
    shut.type = "button";
    shut.addEventListener("click", close);
    const key = el("p", "key", el("span", "count", "counted"), el("span", "median", "expected"), el("span", "band80", "4 times of 5"), el("span", "band95", "19 times of 20"), el("span", "hatched", "not counted"));
    this.#root.append(
      el("header", "", el("div", "", this.#title, this.#standing), this.#ranges, shut),
      this.#lost,
      this.#facts,
      this.#lanes.root,
      el("div", "charts", this.#counts.root, key, this.#wait.root, this.#queue.root),
      el("div", "beside", this.#ask.root, this.#grades),
    );
  }

  /** Another gate is asked for: nothing of the one before stays. */
  open(gate: string): void {
    if (this.#whole?.flow.gate !== gate) this.#whole = null;
    this.#title.textContent = gateName(gate);
    this.#root.hidden = false;
    this.#root.dataset["known"] = String(this.#whole !== null);
  }

  close(): void {
    this.#root.hidden = true;
  }

  focus(): void {
    this.#title.focus({ preventScroll: true });
    this.#root.scrollIntoView({ block: "start" });
  }

  tell(whole: Whole): void {
    this.#whole = whole;
    this.#root.dataset["known"] = "true";
    const { flow, forecast } = whole;
    const { tone, sign, words } = standing(flow);
    this.#standing.className = `standing tone-${tone}`;
    this.#standing.textContent = `${sign} ${words}`;
    this.#lost.hidden = flow.counting === "whole";
    this.#lost.classList.toggle("calm", flow.counting_since !== undefined);
    this.#lost.textContent = lostWords(flow);
    this.#facts.replaceChildren(...factsOf(flow).map(([term, fact]) => el("div", "", el("dt", "", term), el("dd", "", fact))));
    this.#lanes.tell(flow);
    this.#ask.tell(whole);
    this.#grades.replaceChildren(gradesOf(forecast?.grades ?? [], forecast?.rests_on ?? "live_only"));
    this.#draw();
  }

  #draw(): void {
    const [whole, range] = [this.#whole, this.#range];
    for (const button of this.#ranges.children) button.setAttribute("aria-pressed", String(button.textContent === range.name));
    if (!whole) return;
    const now = boxNow();
    const [from, to] = [now - range.back * MINUTE, now + range.ahead * MINUTE];
    const whole_ticks = ticks(whole);
    const drawing = (values: readonly (number | null)[], fan: FanPoint[], least: number, limit?: Drawing["limit"]): Drawing => {
      const counted: Point[] = points(values, whole.from, range.minutes).filter(({ at }) => at >= from && at <= now + MINUTE);
      return { from, to, now, offset: offsetMinutes(whole.time), step: range.minutes * MINUTE, points: counted, fan: begun(fan, counted), ticks: whole_ticks, least, ...(limit ? { limit } : {}) };
    };
    const limit = whole.flow.limit_seconds;
    this.#counts.draw(drawing(whole.entered, arrivals(whole), 5));
    const waits = whole.wait_seconds.map((value) => (value === null ? null : value / 60));
    const measured = whole.flow.queue !== undefined || waits.some((value) => value !== null);
    this.#wait.root.hidden = !measured;
    this.#queue.root.hidden = !measured;
    if (!measured) return;
    this.#wait.draw(drawing(waits, ahead(whole, "wait_seconds"), 3, limit === undefined ? undefined : { value: limit / 60, words: `limit ${waiting(limit)}` }));
    this.#queue.draw(drawing(whole.queue, ahead(whole, "queue"), 5));
  }
}

function lostWords(flow: GateFlow): string {
  const cameras = flow.lost_cameras.join(", ");
  if (flow.counting === "none") return `Nobody counts here now${cameras ? `: ${cameras} ${flow.lost_cameras.length === 1 ? "is" : "are"} lost` : ""}. What is shown of the last minutes is a gap, not nobody.`;
  if (flow.counting_since !== undefined) return `Counting since ${timeIn(flow.counting_since)}: the first whole minute is not over yet.`;
  return `Counted in part${cameras ? `: ${cameras} ${flow.lost_cameras.length === 1 ? "is" : "are"} lost` : ""}. The figures are too low.`;
}

function factsOf(flow: GateFlow): [string, string][] {
  const facts: [string, string][] = [[flow.counting_since === undefined ? "in, last minute" : `in, since ${timeIn(flow.counting_since)}`, flow.entered_last_minute === undefined ? "not known" : people(flow.entered_last_minute)]];
  if (flow.left_last_minute !== undefined) facts.push(["out, last minute", people(flow.left_last_minute)]);
  facts.push(["in, today", people(flow.entered_total)]);
  if (flow.left_total > 0) facts.push(["out, today", people(flow.left_total)]);
  if (flow.inside !== undefined) facts.push(["inside", people(flow.inside)]);
  if (flow.queue) {
    const { length, wait_seconds: wait, service_per_minute: service } = flow.queue;
    facts.push(["queue", standingWords(length)], ["wait", waitWords(wait)], ["let in, a minute", estimateWords(service)]);
  }
  if (flow.limit_seconds !== undefined) facts.push(["wait limit", waiting(flow.limit_seconds)]);
  return facts;
}
