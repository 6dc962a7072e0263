// How long until something starts, in the few words that are read in passing.
import type { Speaker } from "./words/speak.ts";

const MINUTE = 60_000;

/** A number to be read from afar and the words beside it. */
export interface Countdown {
  readonly big: string;
  readonly small: string;
}

/** What to say at `now` about something from `starts` to `ends`, both of RFC 3339, in a speaker's language. */
export function countdown(starts: string, ends: string, now: number, say: Speaker): Countdown {
  const [from, to, at] = [Date.parse(starts), Date.parse(ends), say.clock(starts)];
  const { count } = say.words;
  if (now >= to) return { big: count.over, small: count.started(at) };
  if (now >= from) return { big: count.now, small: count.since(at) };
  const minutes = Math.ceil((from - now) / MINUTE);
  if (minutes < 60) return { big: say.minutes(minutes), small: count.starts(at) };
  if (minutes < 12 * 60) {
    const two = (value: number) => (value < 10 ? say.number(0) : "") + say.number(value);
    return { big: count.hours(say.number(Math.floor(minutes / 60)), two(minutes % 60)), small: count.starts(at) };
  }
  return { big: at, small: say.day(starts, now) };
}
