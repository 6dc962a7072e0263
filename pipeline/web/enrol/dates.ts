// Dates as the visitor reads them, always in the venue's own time.
import { offsetMinutes } from "../shared/clock.ts";

/** Day and time of an RFC 3339 time, in its own offset, in words of a language. */
export function dayAndTime(rfc3339: string, language: string): string {
  const at = Date.parse(rfc3339);
  if (Number.isNaN(at)) return rfc3339;
  // The day before the month, as most of the world's English has it.
  const shown = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return shown.format(at + offsetMinutes(rfc3339) * 60_000);
}
