// A plot with its title, what it says at the moment looked at, and the table behind it.
import { el } from "../shared/dom.ts";
import { type Drawing, Plot, clockAt, fanAt, pointAt } from "./plot.ts";
import type { Fan } from "./state.ts";

/** What a chart is of. */
export interface About {
  readonly title: string;
  /** Of one value, for example `12 a minute`. */
  readonly say: (value: number) => string;
  /** Of an interval, for example `8–15`. */
  readonly range: (low: number, high: number) => string;
  /** Heads of the table after the time: what was, and what is expected. */
  readonly was: string;
  readonly willBe: string;
  readonly height?: number;
}

/** One chart. */
export class Chart {
  readonly root = el("figure", "chart");
  #plot: Plot;
  #said = el("output", "said");
  #table = el("details", "behind");
  #drawing: Drawing | null = null;

  constructor(readonly about: About) {
    this.#plot = new Plot(about.title, about.height ?? 210, (at) => this.#tell(at));
    const summary = el("summary", "", "The same as a table");
    this.#table.append(summary);
    this.#table.addEventListener("toggle", () => this.#fill());
    this.#said.setAttribute("aria-live", "off");
    this.root.append(el("figcaption", "", el("h3", "", about.title), this.#said), this.#plot.root, this.#table);
  }

  draw(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#plot.draw(drawing);
    this.#fill();
  }

  #tell(at: number | null): string {
    const words = this.#words(at);
    this.#said.textContent = words;
    return words;
  }

  #words(at: number | null): string {
    const drawing = this.#drawing;
    if (!drawing) return "";
    const { say, range } = this.about;
    if (at === null) {
      const last = drawing.points.at(-1);
      return !last ? "" : last.value === null ? "now: not counted" : `now: ${say(last.value)}`;
    }
    const time = clockAt(at, drawing.offset);
    const near = drawing.ticks.filter((tick) => Math.abs(tick.at - at) <= Math.max(drawing.step / 2, 120_000));
    const sessions = near.map((tick) => ` · ${tick.words}${/\d (end|start)$/.test(tick.words) ? "" : tick.ends ? " ends" : " starts"}`).join("");
    const point = pointAt(drawing, at);
    if (point) return `${time}: ${point.value === null ? "not counted" : say(point.value)}${sessions}`;
    const fan = fanAt(drawing.fan, at);
    if (!fan) return `${time}: not known${sessions}`;
    const other = fanAt(drawing.other ?? [], at);
    return `${time}: ${say(fan.median)} expected, ${range(fan.low80, fan.high80)} four times of five${other ? `; ${say(other.median)} as it is now` : ""}${sessions}`;
  }

  #fill(): void {
    const drawing = this.#drawing;
    if (!this.#table.open || !drawing) return;
    const { about } = this;
    const head = el("tr", "", ...["Time", about.was, about.willBe, "4 times of 5", "19 times of 20"].map((name) => scoped("col", name)));
    const was = drawing.points
      .filter(({ at }) => at >= drawing.from && at <= drawing.to)
      .map(({ at, value }) => el("tr", value === null ? "gap" : "", scoped("row", clockAt(at - drawing.step / 2, drawing.offset)), el("td", "", value === null ? "not counted" : about.say(value)), el("td"), el("td"), el("td")));
    const fan = (of: Fan) => [about.say(of.median), about.range(of.low80, of.high80), about.range(of.low95, of.high95)].map((words) => el("td", "", words));
    const last = drawing.points.at(-1)?.at ?? drawing.from;
    const willBe = drawing.fan.filter(({ at }) => at > last && at <= drawing.to).map((one) => el("tr", "ahead", scoped("row", clockAt(one.at, drawing.offset)), el("td"), ...fan(one.fan)));
    const table = el("table", "", el("thead", "", head), el("tbody", "", ...was.reverse().slice(0, 60).reverse(), ...willBe));
    const wide = el("div", "wide", table);
    // What scrolls can be reached by keys.
    wide.tabIndex = 0;
    wide.setAttribute("role", "region");
    wide.setAttribute("aria-label", `${about.title}, as a table`);
    this.#table.replaceChildren(this.#table.firstElementChild ?? el("summary"), wide);
  }
}

export function scoped(scope: "col" | "row", words: string): HTMLTableCellElement {
  const head = el("th", "", words);
  head.scope = scope;
  return head;
}
