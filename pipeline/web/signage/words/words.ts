// Everything the big screen says; a language that lacks a word does not compile.
import type { Food } from "../../enrol/contract.ts";
import type { Kind } from "../day.ts";
import type { Status } from "../read.ts";

/** Forms of one phrase by CLDR's plural categories; `#` is the number. */
export type Plural = { readonly other: string } & { readonly [form in Exclude<Intl.LDMLPluralRule, "other">]?: string };

/** Times, minutes and numbers come written in the language already. */
export interface Words {
  idle: {
    word: string;
    /** At a gate that looks for faces; at one that looks for passes. */
    hint: string;
    hintPass: string;
    fine: string;
    changes: string;
  };
  /** Stands above one name, and above several. */
  hello: string;
  helloAll: string;
  next: string;
  then: string;
  /** Whom a session is for. */
  forWhom: (names: string) => string;
  day: string;
  evening: string;
  /** Where there is no session to name. */
  good: string;
  enjoy: string;
  notice: { welcome: string; pass: string };
  count: {
    now: string;
    over: string;
    since: (at: string) => string;
    started: (at: string) => string;
    starts: (at: string) => string;
    /** Whole hours, and minutes in two digits. */
    hours: (hours: string, minutes: string) => string;
    /** How long a minute is written beside its number. */
    unit: "short" | "long";
  };
  status: Record<Exclude<Status, "on_time">, string>;
  /** What a stop is called that has no title of its own. */
  stops: Record<Kind, string>;
  walk: (minutes: string) => string;
  gate: (name: string) => string;
  wait: (minutes: string) => string;
  /** That one waits less at another gate, and how long. */
  steer: (gate: string, minutes: string) => string;
  why: {
    favourite: (sport: string) => string;
    near: (minutes: string) => string;
    popular: string;
    quiet: string;
    openUntil: (at: string) => string;
    stepFree: string;
    departs: (line: string, towards: string, at: string) => string;
    departsAt: (line: string, at: string) => string;
    foods: Record<Food, string>;
  };
  /** Stops that found no room on the screen. */
  more: Plural;
  map: string;
  here: string;
  take: string;
  takeHow: string;
  noGate: (name: string) => string;
  connected: string;
  looking: string;
}
