// From what the box tells of a gate to what plots draw.
import type { FanPoint, Point, Tick } from "./plot.ts";
import type { Fan, Whole } from "./state.ts";

export const MINUTE = 60_000;

/** How far back and ahead is looked, and over how many minutes counts are averaged. */
export interface Range {
  readonly name: string;
  readonly back: number;
  readonly ahead: number;
  readonly minutes: number;
}

export const RANGES: readonly Range[] = [
  { name: "2 hours", back: 60, ahead: 60, minutes: 1 },
  { name: "6 hours", back: 180, ahead: 180, minutes: 5 },
  { name: "Day", back: 12 * 60, ahead: 12 * 60, minutes: 15 },
];

/** Values by minute as points, each the mean of so many minutes; where half of them or more are unknown it is a gap. */
export function points(values: readonly (number | null)[], from: number, minutes: number): Point[] {
  const first = Math.ceil(from / 60 / minutes) * minutes - Math.round(from / 60);
  const found: Point[] = [];
  for (let start = first; start < values.length; start += minutes) {
    const part = values.slice(start, start + minutes);
    const known = part.filter((value): value is number => value !== null);
    const value = known.length * 2 > part.length ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
    found.push({ at: from * 1_000 + (start + part.length / 2) * MINUTE, value });
  }
  return found;
}

/** People a minute that will arrive: the next hour by its horizons, the rest of the day by its quarters. */
export function arrivals({ forecast }: Whole): FanPoint[] {
  if (!forecast) return [];
  const at = Date.parse(forecast.at);
  const near = forecast.horizons.map(({ minutes, arrivals }) => ({ at: at + minutes * MINUTE, fan: arrivals }));
  const last = near.at(-1)?.at ?? at;
  const far = forecast.day.map((bin) => ({ at: Date.parse(bin.at) + 7.5 * MINUTE, fan: scaled(bin.arrivals, 1 / 15) })).filter((one) => one.at > last + 5 * MINUTE);
  return [...near, ...far];
}

/** The queue, or the wait in minutes, that there will be. */
export function ahead({ forecast }: Whole, of: "queue" | "wait_seconds"): FanPoint[] {
  if (!forecast) return [];
  const at = Date.parse(forecast.at);
  return forecast.horizons.flatMap((horizon) => {
    const fan = horizon[of];
    return fan ? [{ at: at + horizon.minutes * MINUTE, fan: of === "queue" ? fan : scaled(fan, 1 / 60) }] : [];
  });
}

/** A fan that begins at what is known now. */
export function begun(fan: readonly FanPoint[], points: readonly Point[]): FanPoint[] {
  const last = points.filter((point) => point.value !== null).at(-1);
  const [first] = fan;
  if (!last || last.value === null || !first || first.at - last.at > 12 * MINUTE || last.at >= first.at) return [...fan];
  const { value } = last;
  return [{ at: last.at, fan: { median: value, low80: value, high80: value, low95: value, high95: value } }, ...fan];
}

export function scaled(fan: Fan, by: number): Fan {
  return { median: fan.median * by, low80: fan.low80 * by, high80: fan.high80 * by, low95: fan.low95 * by, high95: fan.high95 * by };
}

/** When sessions begin and end; those of one minute as one. */
export function ticks({ marks }: Whole): Tick[] {
  const found = new Map<string, { at: number; ends: boolean; titles: string[] }>();
  for (const { title, starts, ends } of marks) {
    for (const [time, isEnd] of [[starts, false], [ends, true]] as const) {
      const at = Date.parse(time);
      const key = `${Math.floor(at / MINUTE)} ${isEnd}`;
      const known = found.get(key);
      if (known) known.titles.push(title);
      else found.set(key, { at, ends: isEnd, titles: [title] });
    }
  }
  return [...found.values()]
    .sort((a, b) => a.at - b.at)
    .map(({ at, ends, titles }) => ({ at, ends, words: titles.length === 1 ? `${titles[0]}` : `${titles.length} ${ends ? "end" : "start"}` }));
}
