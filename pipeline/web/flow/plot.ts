// A plot over time, drawn by hand: lines that break at gaps, a fan of what may come, sessions along the top.
import { el, svg } from "../shared/dom.ts";
import type { Fan } from "./state.ts";

export interface Point {
  /** Milliseconds since 1970: the middle of what the value is of. */
  readonly at: number;
  /** Null where nobody saw. */
  readonly value: number | null;
}

export interface FanPoint {
  readonly at: number;
  readonly fan: Fan;
}

/** Something that begins or ends. */
export interface Tick {
  readonly at: number;
  readonly ends: boolean;
  readonly words: string;
}

export interface Drawing {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** Minutes by which the venue's clocks are ahead of UTC. */
  readonly offset: number;
  /** Milliseconds from one point to the next. */
  readonly step: number;
  readonly points: readonly Point[];
  readonly fan: readonly FanPoint[];
  /** Another course that is compared with the fan's median. */
  readonly other?: readonly FanPoint[];
  readonly ticks: readonly Tick[];
  readonly limit?: { readonly value: number; readonly words: string };
  /** Smallest value that the scale reaches up to. */
  readonly least: number;
}

const LEFT = 44;
const RIGHT = 10;
const BOTTOM = 24;
const TOP = 10;
/** A row of words about sessions. */
const ROW = 16;
const MINUTE = 60_000;

let made = 0;

/** Hours and minutes of a moment by the venue's clocks. */
export function clockAt(at: number, offset: number): string {
  return new Date(at + offset * MINUTE).toISOString().slice(11, 16);
}

/** The SVG that a plot is drawn into, anew whenever its width or what it shows changes. */
export class Plot {
  readonly root = el("div", "plot");
  #svg = svg("svg", { "aria-hidden": "true", focusable: "false" });
  #hand = el("input", "hand");
  #id = `hatch-${(made += 1)}`;
  #drawing: Drawing | null = null;
  #width = 0;
  #scale = 1;
  #look: number | null = null;
  #cursor: SVGGElement | null = null;
  #x = (_at: number) => 0;
  #y = (_value: number) => 0;

  /** `tell` is called with the moment that is looked at, or null; what it answers is said to whoever cannot see the plot. */
  constructor(
    label: string,
    readonly height: number,
    readonly tell: (at: number | null) => string,
  ) {
    this.#hand.type = "range";
    this.#hand.setAttribute("aria-label", `${label}: look at a time`);
    this.#hand.addEventListener("input", () => this.look(Number(this.#hand.value) * MINUTE));
    this.#hand.addEventListener("focus", () => this.look(Number(this.#hand.value) * MINUTE));
    this.#hand.addEventListener("blur", () => this.look(null));
    this.#hand.addEventListener("pointermove", (event) => this.look(this.#at(event.offsetX / this.#scale)));
    this.#hand.addEventListener("pointerleave", () => this.look(null));
    this.root.append(this.#svg, this.#hand);
    new ResizeObserver(([entry]) => {
      // Drawn in units of 16 px type, so that a wall's large type has a plot to match.
      const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
      const width = Math.floor((entry?.contentRect.width ?? 0) / scale);
      if (width === this.#width && scale === this.#scale) return;
      [this.#width, this.#scale] = [width, scale];
      this.#redraw();
    }).observe(this.root);
  }

  draw(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#redraw();
  }

  /** Shows a moment, or none. */
  look(at: number | null): void {
    this.#look = at;
    const words = this.tell(at);
    this.#hand.setAttribute("aria-valuetext", words);
    this.#point();
  }

  #at(x: number): number {
    const drawing = this.#drawing;
    if (!drawing) return 0;
    const share = (x - LEFT) / Math.max(this.#width - LEFT - RIGHT, 1);
    return drawing.from + Math.min(Math.max(share, 0), 1) * (drawing.to - drawing.from);
  }

  #redraw(): void {
    const [drawing, width] = [this.#drawing, this.#width];
    if (!drawing || width < LEFT + RIGHT + 20) return;
    const rows = placed(drawing, width);
    const top = TOP + rows.deep * ROW;
    // Taller where there is room below.
    const height = Math.round(this.height * Math.min(Math.max(innerHeight / this.#scale / 900, 1), 1.5));
    const { from, to, now } = drawing;
    const most = nice(Math.max(drawing.least, ...drawing.points.map(({ value }) => value ?? 0), ...drawing.fan.filter((one) => one.at <= to && one.at >= from).map(({ fan }) => Math.min(fan.high95, fan.high80 * 1.6)), ...(drawing.other ?? []).map(({ fan }) => fan.median), (drawing.limit?.value ?? 0) * 1.08));
    const x = (this.#x = (at: number) => LEFT + ((at - from) / (to - from)) * (width - LEFT - RIGHT));
    const y = (this.#y = (value: number) => height - BOTTOM - (Math.min(value, most.top) / most.top) * (height - BOTTOM - top));
    const base = y(0);

    const hatch = svg("pattern", { id: this.#id, width: "7", height: "7", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, svg("rect", { width: "2", height: "7", class: "hatch" }));
    const grid = most.ticks.map((value) => svg("g", {}, line(LEFT, y(value), width - RIGHT, y(value), value === 0 ? "axis" : "grid"), words(LEFT - 8, y(value) + 4, value.toLocaleString("en-GB"), "end")));
    const hours = timesBetween(from, to, drawing.offset, width).map((at) => svg("g", {}, line(x(at), base, x(at), base + 4, "axis"), words(x(at), height - 6, clockAt(at, drawing.offset), x(at) > width - 24 ? "end" : x(at) < LEFT + 16 ? "start" : "middle")));
    const gaps = gapsOf(drawing).map(([begin, end]) => {
      const [left, right] = [Math.max(x(begin), LEFT), Math.min(x(end), width - RIGHT)];
      const wide = Math.max(right - left, 2);
      return svg("g", { class: "gap" }, svg("rect", { x: n(left), y: n(top), width: n(wide), height: n(base - top), fill: `url(#${this.#id})` }), ...(wide > 70 ? [words(left + wide / 2, base - 8, "not counted", "middle")] : []));
    });
    const fan = drawing.fan.filter((one) => one.at >= from - 20 * MINUTE && one.at <= to + 20 * MINUTE);
    const area = (low: (fan: Fan) => number, high: (fan: Fan) => number) =>
      fan.length > 1 ? `M${fan.map((one) => `${n(x(one.at))} ${n(y(high(one.fan)))}`).join("L")}L${[...fan].reverse().map((one) => `${n(x(one.at))} ${n(y(low(one.fan)))}`).join("L")}Z` : "";
    const median = (all: readonly FanPoint[]) => (all.length > 0 ? `M${all.map((one) => `${n(x(one.at))} ${n(y(one.fan.median))}`).join("L")}` : "");
    const limit = drawing.limit ? [line(LEFT, y(drawing.limit.value), width - RIGHT, y(drawing.limit.value), "limit"), words(LEFT + 6, y(drawing.limit.value) - 5, drawing.limit.words, "start", "limit-words")] : [];
    const clip = svg("clipPath", { id: `${this.#id}-in` }, svg("rect", { x: String(LEFT), y: "0", width: n(width - LEFT - RIGHT), height: String(height) }));
    this.#cursor = svg("g", { class: "cursor" });
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("height", n(height * this.#scale));
    this.#svg.replaceChildren(
      svg("defs", {}, hatch, clip),
      ...grid,
      ...hours,
      ...gaps,
      svg(
        "g",
        { "clip-path": `url(#${this.#id}-in)` },
        svg("path", { d: area((one) => one.low95, (one) => one.high95), class: "band95" }),
        svg("path", { d: area((one) => one.low80, (one) => one.high80), class: "band80" }),
        svg("path", { d: median(fan), class: "median" }),
        ...(drawing.other ? [svg("path", { d: median(drawing.other), class: "other" })] : []),
        ...lines(drawing.points, x, y),
      ),
      ...limit,
      ...rows.marks.map(({ tick, at, row, told }) => svg("g", { class: tick.ends ? "tick ends" : "tick" }, line(at, told ? TOP + row * ROW + 3 : top - 4, at, base, ""), ...(told ? [words(at + 4, TOP + row * ROW + 9, told, "start", "tick-words")] : []))),
      ...(now > from && now < to ? [line(x(now), top, x(now), base, "now"), words(x(now) + 4, base - 6, "now", "start", "now-words")] : []),
      this.#cursor,
    );
    this.#hand.min = String(Math.floor(from / MINUTE));
    this.#hand.max = String(Math.floor(to / MINUTE));
    if (this.#look === null) this.#hand.value = String(Math.floor(now / MINUTE));
    this.#hand.setAttribute("aria-valuetext", this.tell(this.#look));
    this.#point();
  }

  #point(): void {
    const [drawing, cursor, at] = [this.#drawing, this.#cursor, this.#look];
    if (!drawing || !cursor) return;
    if (at === null) return cursor.replaceChildren();
    const value = valueAt(drawing, at);
    const x = this.#x(at);
    cursor.replaceChildren(line(x, TOP, x, this.#y(0), ""), ...(value === null ? [] : [svg("circle", { cx: n(x), cy: n(this.#y(value)), r: "4.5" })]));
  }
}

/** What was counted at a moment, or is expected. */
export function valueAt(drawing: Drawing, at: number): number | null {
  const point = pointAt(drawing, at);
  if (point) return point.value;
  return fanAt(drawing.fan, at)?.median ?? null;
}

/** The point that a moment belongs to. */
export function pointAt(drawing: Drawing, at: number): Point | null {
  return drawing.points.find((point) => Math.abs(point.at - at) <= drawing.step / 2) ?? null;
}

/** The fan at a moment, between those that are known. */
export function fanAt(all: readonly FanPoint[], at: number): Fan | null {
  const after = all.findIndex((one) => one.at >= at);
  const [a, b] = [all[after - 1], all[after]];
  if (!b) return null;
  if (!a) return b.at - at < 8 * MINUTE ? b.fan : null;
  const share = (at - a.at) / Math.max(b.at - a.at, 1);
  const mix = (of: (fan: Fan) => number) => of(a.fan) + (of(b.fan) - of(a.fan)) * share;
  return { median: mix((fan) => fan.median), low80: mix((fan) => fan.low80), high80: mix((fan) => fan.high80), low95: mix((fan) => fan.low95), high95: mix((fan) => fan.high95) };
}

/** A line for each stretch without gaps; a point by itself is a dot. */
function lines(points: readonly Point[], x: (at: number) => number, y: (value: number) => number): SVGElement[] {
  const stretches: { at: number; value: number }[][] = [[]];
  for (const { at, value } of points) {
    if (value === null) stretches.push([]);
    else stretches.at(-1)?.push({ at, value });
  }
  return stretches
    .filter((stretch) => stretch.length > 0)
    .map((stretch) => {
      const [only] = stretch;
      if (stretch.length === 1 && only) return svg("circle", { cx: n(x(only.at)), cy: n(y(only.value)), r: "2.5", class: "counted-dot" });
      return svg("path", { d: `M${stretch.map(({ at, value }) => `${n(x(at))} ${n(y(value))}`).join("L")}`, class: "counted" });
    });
}

/** From when to when nobody saw. */
function gapsOf({ points, step, from, to }: Drawing): [number, number][] {
  const gaps: [number, number][] = [];
  let last: [number, number] | null = null;
  for (const { at, value } of points) {
    if (value !== null || at < from || at > to) {
      last = null;
      continue;
    }
    if (last) last[1] = at + step / 2;
    else gaps.push((last = [at - step / 2, at + step / 2]));
  }
  return gaps;
}

/** Where the words about sessions go: in three rows at most; what finds no room keeps its line. */
function placed({ ticks, from, to }: Drawing, width: number): { marks: { tick: Tick; at: number; row: number; told: string | null }[]; deep: number } {
  const ends = [LEFT, LEFT, LEFT].slice(0, width > 520 ? 3 : 2);
  let deep = 0;
  const marks = ticks
    .filter((tick) => tick.at >= from && tick.at <= to)
    .map((tick) => {
      const at = LEFT + ((tick.at - from) / (to - from)) * (width - LEFT - RIGHT);
      const room = width - RIGHT - at - 6;
      const whole = `${tick.ends ? "▽" : "▲"} ${tick.words}`;
      const told = room < 40 ? null : shortened(whole, Math.min(room, 190));
      const row = told === null ? -1 : ends.findIndex((end) => end <= at);
      if (told === null || row < 0) return { tick, at, row: 0, told: null };
      ends[row] = at + 10 + told.length * 6.4;
      deep = Math.max(deep, row + 1);
      return { tick, at, row, told };
    });
  return { marks, deep: ticks.length > 0 ? Math.max(deep, 1) : 0 };
}

function shortened(words: string, room: number): string {
  const most = Math.max(Math.floor(room / 6.4), 4);
  return words.length <= most ? words : `${words.slice(0, most - 1)}…`;
}

/** A scale with round numbers along it. */
function nice(most: number): { top: number; ticks: number[] } {
  const rough = Math.max(most, 1) / 3.5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = Math.max([1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? 10 * power, 1);
  const top = Math.max(most * 1.04, unit);
  return { top, ticks: Array.from({ length: Math.floor(top / unit) + 1 }, (_, i) => i * unit) };
}

/** Round times of the venue's clocks, as many as there is room for. */
function timesBetween(from: number, to: number, offset: number, width: number): number[] {
  const most = Math.max(Math.floor((width - LEFT) / 72), 2);
  const step = [5, 10, 15, 30, 60, 120, 180, 240, 360].map((one) => one * MINUTE).find((one) => (to - from) / one <= most) ?? 360 * MINUTE;
  const first = Math.ceil((from + offset * MINUTE) / step) * step - offset * MINUTE;
  return Array.from({ length: Math.max(Math.floor((to - first) / step) + 1, 0) }, (_, i) => first + i * step);
}

function line(x1: number, y1: number, x2: number, y2: number, name: string): SVGElement {
  return svg("line", { x1: n(x1), y1: n(y1), x2: n(x2), y2: n(y2), ...(name ? { class: name } : {}) });
}

function words(x: number, y: number, said: string, anchor: "start" | "middle" | "end", name = "words"): SVGElement {
  const text = svg("text", { x: n(x), y: n(y), "text-anchor": anchor, class: name });
  text.textContent = said;
  return text;
}

function n(value: number): string {
  return value.toFixed(1);
}
