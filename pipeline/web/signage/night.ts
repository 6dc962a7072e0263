// Whether it is night at the venue, and the colours of it.
import type { Venue } from "./box.ts";

/** Whether `at` (minutes of the day) lies between two times `HH:MM`, over midnight where the second comes first. */
export function isNight(night: Venue["night"], at: number): boolean {
  if (!night) return false;
  const minutes = (written: string) => Number(written.slice(0, 2)) * 60 + Number(written.slice(3, 5));
  const [from, to] = [minutes(night.from), minutes(night.to)];
  return from <= to ? at >= from && at < to : at >= from || at < to;
}

/** Gives the page its colours for the time of the day: `now` in milliseconds since 1970, `offset` in minutes. */
export function showNight(night: Venue["night"], now: number, offset: number): void {
  const minute = Math.floor(now / 60_000) + offset;
  const dark = isNight(night, ((minute % 1440) + 1440) % 1440);
  if (dark === "night" in document.documentElement.dataset) return;
  if (dark) document.documentElement.dataset["night"] = "";
  else delete document.documentElement.dataset["night"];
}
