// A language in use: its words, and how it writes numbers, times and lists.
import type { Food, Language } from "../../enrol/contract.ts";
import { directionOf } from "../../enrol/words/speak.ts";
import { offsetMinutes, wallTime } from "../../shared/clock.ts";
import { ar } from "./ar.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { ko } from "./ko.ts";
import type { Plural, Words } from "./words.ts";
import { zh } from "./zh.ts";

const WORDS: Record<Language, Words> = { en, ko, zh, fr, es, ar };
/** What the screen speaks. */
export const SPOKEN = Object.keys(WORDS) as Language[];
const DAY_MS = 86_400_000;
const TURNED = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;

/** A language in use. */
export interface Speaker {
  readonly language: Language;
  readonly direction: "ltr" | "rtl";
  readonly words: Words;
  number(value: number): string;
  /** Minutes with their unit. */
  minutes(value: number): string;
  /** The time of day of a time of RFC 3339, by the clocks of its own offset. */
  clock(rfc3339: string): string;
  /** A time of day that came as `HH:MM`. */
  hours(hhmm: string): string;
  /** The hour and minute of a moment (milliseconds since 1970) in an offset (minutes). */
  face(at: number, offset: number): string;
  /** On which day, seen from `now`: today, tomorrow, in three days. */
  day(rfc3339: string, now: number): string;
  names(names: readonly string[]): string;
  plural(value: number, forms: Plural): string;
  food(food: string): string;
  /** Foreign text inside a sentence: it turns nothing around it. */
  foreign(text: string): string;
}

const made = new Map<Language, Speaker>();

/** The language a tag of BCP 47 asks for; null where it is not spoken here. */
export function spoken(tag: string): Language | null {
  const primary = tag.toLowerCase().split(/[-_]/)[0];
  return SPOKEN.find((one) => one === primary) ?? null;
}

/** Who speaks the first of these that is spoken here; English, where none is. */
export function speaker(...tags: string[]): Speaker {
  const language = tags.map(spoken).find((one) => one !== null) ?? "en";
  const known = made.get(language);
  if (known) return known;
  const fresh = make(language);
  made.set(language, fresh);
  return fresh;
}

function make(language: Language): Speaker {
  const words = WORDS[language];
  const direction = directionOf(language);
  const numbers = new Intl.NumberFormat(language);
  const minutes = new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: words.count.unit });
  const times = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC" });
  const days = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const lists = new Intl.ListFormat(language, { type: "conjunction" });
  const rules = new Intl.PluralRules(language);
  const foreign = (text: string) => (direction === "rtl" || TURNED.test(text) ? `\u2068${text}\u2069` : text);
  const hours = (hhmm: string) => {
    const found = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(hhmm);
    return found ? times.format(Date.UTC(2000, 0, 1, Number(found[1]), Number(found[2]))) : foreign(hhmm);
  };
  return {
    language,
    direction,
    words,
    number: (value) => numbers.format(value),
    minutes: (value) => minutes.format(value),
    clock: (rfc3339) => hours(wallTime(rfc3339)),
    hours,
    face: (at, offset) => times.format(at + offset * 60_000),
    day: (rfc3339, now) => {
      const offset = offsetMinutes(rfc3339) * 60_000;
      const whole = (at: number) => Math.floor((at + offset) / DAY_MS);
      return days.format(whole(Date.parse(rfc3339)) - whole(now), "day");
    },
    names: (names) => lists.format(names.map(foreign)),
    plural: (value, forms) => (forms[rules.select(value)] ?? forms.other).replace("#", numbers.format(value)),
    food: (food) => (Object.hasOwn(words.why.foods, food) ? words.why.foods[food as Food] : foreign(food)),
    foreign,
  };
}
