// How long until something starts, in the few words that are read in passing.

const MINUTE = 60_000;

/** A number to be read from afar and the words beside it. */
export interface Countdown {
  readonly big: string;
  readonly small: string;
}

/** What to say about something from `starts` to `ends` (milliseconds) at `now`; `at` is its time of day. */
export function countdown(starts: number, ends: number, now: number, at: string): Countdown {
  if (now >= ends) return { big: "over", small: `started ${at}` };
  if (now >= starts) return { big: "now", small: `since ${at}` };
  const minutes = Math.ceil((starts - now) / MINUTE);
  if (minutes < 60) return { big: `${minutes} min`, small: `starts ${at}` };
  if (minutes < 12 * 60) {
    const rest = minutes % 60;
    return { big: `${Math.floor(minutes / 60)}:${String(rest).padStart(2, "0")} h`, small: `starts ${at}` };
  }
  const days = Math.round((starts - now) / (24 * 60 * MINUTE));
  return { big: at, small: days <= 1 ? "in the next 24 hours" : `in ${days} days` };
}
