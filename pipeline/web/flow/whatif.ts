// What if so many lanes were open from then on: asked of the box, answered by its own model of the queue.
import { boxNow, offsetMinutes } from "../shared/clock.ts";
import { el } from "../shared/dom.ts";
import { Chart } from "./chart.ts";
import { clockAt } from "./plot.ts";
import { MINUTE, scaled } from "./series.ts";
import type { Step, WhatIf, Whole } from "./state.ts";
import { sentence, waiting, waitingRange } from "./words.ts";

const DAY = 24 * 60;

/** Minutes from now until the clocks next show a time. */
export function minutesUntil(hhmm: string, now: number, offset: number): number | null {
  const found = /^(\d\d?):(\d\d)$/.exec(hhmm.trim());
  if (!found) return null;
  const wanted = Number(found[1]) * 60 + Number(found[2]);
  const here = Math.floor(now / MINUTE + offset) % DAY;
  const minutes = (wanted - here + DAY) % DAY;
  // A moment ago is now, not tomorrow.
  return minutes > DAY - 30 ? 0 : minutes;
}

/** The control, for the gate that is looked at. */
export class Ask {
  readonly root = el("section", "whatif");
  #lanes = el("input");
  #at = el("input");
  #said = el("p", "answer");
  #chart = new Chart({ title: "Wait, minutes, with these lanes", say: (value) => waiting(value * 60), range: (low, high) => waitingRange(low * 60, high * 60), was: "Was", willBe: "Would be", height: 170 });
  #gate = "";
  #offset = 0;
  #limit: number | undefined;

  constructor() {
    this.#lanes.type = "number";
    [this.#lanes.min, this.#lanes.max, this.#lanes.required] = ["0", "99", true];
    // As the clocks of the page are written, whatever the browser's language; not every browser's own field does so.
    [this.#at.type, this.#at.inputMode, this.#at.autocomplete, this.#at.maxLength, this.#at.required] = ["text", "numeric", "off", 5, true];
    [this.#at.pattern, this.#at.title, this.#at.className] = ["([01]?[0-9]|2[0-3]):[0-5][0-9]", "hours:minutes, for example 18:10", "at"];
    this.#said.setAttribute("role", "status");
    this.#chart.root.hidden = true;
    const form = el("form", "row", el("label", "", el("span", "", "Lanes open"), this.#lanes), el("label", "", el("span", "", "From"), this.#at), el("button", "", "What if?"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
    this.root.append(el("h3", "", "What if"), form, this.#said, this.#chart.root);
    this.#chart.root.append(el("p", "key", el("span", "other", "as it is now"), el("span", "median", "with these lanes"), el("span", "band80", "4 times of 5")));
  }

  /** Another gate, or the same as it is now. */
  tell(whole: Whole): void {
    const { flow } = whole;
    this.#offset = offsetMinutes(whole.time);
    this.#limit = flow.limit_seconds;
    if (this.#gate === flow.gate) return;
    this.#gate = flow.gate;
    this.root.hidden = !flow.queue && flow.counting === "whole";
    this.#lanes.value = String((flow.queue?.lanes_open ?? 0) + 1);
    this.#at.value = clockAt(Math.ceil((boxNow() + 5 * MINUTE) / (5 * MINUTE)) * 5 * MINUTE, this.#offset);
    this.#said.textContent = "";
    this.#chart.root.hidden = true;
  }

  async #ask(): Promise<void> {
    const [gate, lanes, from, now] = [this.#gate, this.#lanes.valueAsNumber, this.#at.value, boxNow()];
    const minutes = minutesUntil(from, now, this.#offset);
    if (minutes === null || !Number.isInteger(lanes)) return;
    this.#said.textContent = "Asking …";
    try {
      const answer = await fetch("/api/flow/what-if", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ gate, lanes, minutes }) });
      // Another gate is looked at by now.
      if (gate !== this.#gate) return;
      if (!answer.ok) throw new Error(await answer.text());
      this.#show((await answer.json()) as WhatIf, lanes, from, now);
    } catch (error) {
      this.#chart.root.hidden = true;
      this.#said.textContent = error instanceof TypeError ? "The box does not answer." : sentence(String((error as Error).message));
    }
  }

  #show({ as_is, would_be }: WhatIf, lanes: number, from: string, now: number): void {
    const worst = (steps: readonly Step[]) => Math.max(0, ...steps.map(({ wait_seconds }) => wait_seconds.median));
    const last = would_be.at(-1)?.minutes ?? 0;
    const [is, would] = [worst(as_is), worst(would_be)];
    const against = this.#limit === undefined ? "" : would <= this.#limit ? `: within the limit of ${waiting(this.#limit)}` : `: ${waiting(would) === waiting(this.#limit) ? "just" : "still"} over the limit of ${waiting(this.#limit)}`;
    this.#said.textContent = `With ${lanes} ${lanes === 1 ? "lane" : "lanes"} from ${from} the longest wait in the next ${last} min is ${waiting(would)}, instead of ${waiting(is)}${against}.`;
    const fan = (steps: readonly Step[]) => steps.map(({ minutes, wait_seconds }) => ({ at: now + minutes * MINUTE, fan: scaled(wait_seconds, 1 / 60) }));
    this.#chart.root.hidden = false;
    this.#chart.draw({ from: now, to: now + Math.max(last, 10) * MINUTE, now, offset: this.#offset, step: MINUTE, points: [], fan: fan(would_be), other: fan(as_is), ticks: [], least: 3, ...(this.#limit === undefined ? {} : { limit: { value: this.#limit / 60, words: "limit" } }) });
  }
}
