// Figures in words, and how urgent they are.
import type { Advice, AtAGlance, Estimate, Fan, GateFlow, Kind, RestsOn } from "./state.ts";

/** A gate as people call it: `gate-b` is Gate B. */
export function gateName(slug: string): string {
  const plain = slug.replace(/^gate[-_]?(?=.)/i, "").replace(/[-_]+/g, " ").trim() || slug;
  return `Gate ${plain.length <= 2 ? plain.toUpperCase() : plain.charAt(0).toUpperCase() + plain.slice(1)}`;
}

/** A time that is waited: `40 s`, `6 min`. */
export function waiting(seconds: number): string {
  if (seconds < 10) return "no wait";
  if (seconds < 90) return `${Math.round(seconds / 10) * 10} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** From where to where, in minutes or seconds; one where both are alike. */
export function waitingRange(low: number, high: number): string {
  const [from, to] = [waiting(low), waiting(high)];
  if (from === to) return from;
  const unit = to.split(" ").at(-1) ?? "";
  return from === "no wait" ? `0–${to}` : from.endsWith(unit) ? `${from.slice(0, -unit.length - 1)}–${to}` : `${from}–${to}`;
}

/** A number of people; one decimal below ten, where it is no whole number. */
export function people(value: number): string {
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1).replace(/\.0$/, "");
  return Math.round(value).toLocaleString("en-GB");
}

export function peopleRange(low: number, high: number): string {
  const [from, to] = [people(low), people(high)];
  return from === to ? from : `${from}–${to}`;
}

export function share(value: number): string {
  return `${Math.round(value * 100)} %`;
}

/** A value and its interval, where that says more. */
function within(value: string, range: string): string {
  return value === range ? value : `${value} (${range})`;
}

/** The median and the interval that holds four times of five. */
export function fanWords({ median, low80, high80 }: Fan, unit: "people" | "wait"): string {
  return unit === "wait" ? waitWords({ value: median, low: low80, high: high80 }) : within(people(median), peopleRange(low80, high80));
}

export function estimateWords({ value, low, high }: Estimate): string {
  return within(people(value), peopleRange(low, high));
}

export function waitWords({ value, low, high }: Estimate): string {
  return within(waiting(value), waitingRange(low, high));
}

/** Words with a capital letter and a full stop. */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** The time of day in what the box wrote, by the venue's clocks: `14:03`. */
export function timeIn(written: string): string {
  return written.slice(11, 16);
}

/** People who stand somewhere: whole ones. */
export function standingWords({ value, low, high }: Estimate): string {
  const [count, from, to] = [value, low, high].map(Math.round);
  return within(people(count ?? 0), peopleRange(from ?? 0, to ?? 0));
}

export type Tone = "ok" | "warn" | "bad" | "calm";

/** How urgent a kind of advice is: its tone, its sign, and what it is called; the most urgent first. */
export const KINDS: Record<Kind, { tone: Tone; sign: string; words: string; rank: number }> = {
  over: { tone: "bad", sign: "■", words: "over the limit", rank: 0 },
  over_soon: { tone: "warn", sign: "▲", words: "over soon", rank: 1 },
  open_lanes: { tone: "warn", sign: "+", words: "open lanes", rank: 2 },
  steer: { tone: "warn", sign: "→", words: "steer", rank: 3 },
  camera_lost: { tone: "warn", sign: "!", words: "camera lost", rank: 4 },
  close_lanes: { tone: "calm", sign: "−", words: "close lanes", rank: 5 },
};

/** What a gate is, at a glance. */
export function standing(flow: GateFlow): { tone: Tone; sign: string; words: string } {
  if (flow.counting === "none") return { tone: "bad", sign: "!", words: "not counted" };
  const worst = worstOf(flow.advice);
  if (worst && (worst.kind === "over" || worst.kind === "over_soon")) return KINDS[worst.kind];
  const wait = flow.queue?.wait_seconds.value;
  if (wait !== undefined && flow.limit_seconds !== undefined && wait > flow.limit_seconds) return KINDS.over;
  if (flow.counting_since !== undefined) return { tone: "calm", sign: "…", words: `counting since ${timeIn(flow.counting_since)}` };
  if (flow.counting === "partial") return { tone: "warn", sign: "!", words: "counted in part" };
  return { tone: "ok", sign: "✓", words: "as it should be" };
}

function worstOf(all: readonly Advice[]): Advice | undefined {
  return [...all].sort((a, b) => KINDS[a.kind].rank - KINDS[b.kind].rank)[0];
}

export const RESTS_ON: Record<RestsOn, string> = {
  both: "earlier days and the programme",
  history: "earlier days",
  programme: "the programme alone",
  live_only: "what was counted today alone",
};

/** What comes at a gate in so many minutes, if it is forecast. */
export function horizonOf(gate: AtAGlance, minutes: number): AtAGlance["horizons"][number] | undefined {
  return gate.horizons.find((horizon) => horizon.minutes === minutes);
}
