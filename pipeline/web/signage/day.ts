// A visitor's day, stop by stop, as far as this page believes it.
import { type LonLat, type Status, count, isFields, line, list, position, shown, status, text, time } from "./read.ts";

const KINDS = ["arrive", "session", "meal", "rest", "leave"] as const;
/** What is done at a stop. */
export type Kind = (typeof KINDS)[number];

/** A reason for a stop, to be said in the visitor's language. */
export type Why =
  | { readonly is: "favourite"; readonly sport: string }
  | { readonly is: "wish"; readonly food: string }
  | { readonly is: "near"; readonly minutes: number }
  | { readonly is: "popular" | "quiet" | "step_free" }
  | { readonly is: "open_until"; readonly at: string }
  | { readonly is: "departs"; readonly line: string; readonly towards: string; readonly at: string };

/** One stop. */
export interface Stop {
  readonly kind: Kind;
  readonly title: string;
  readonly place: string;
  readonly starts: string;
  readonly ends: string;
  /** Seconds on foot from the stop before. */
  readonly walk: number;
  readonly gate: string;
  /** Seconds of waiting at that gate. */
  readonly wait: number;
  readonly session: string;
  readonly status: Status;
  readonly at: LonLat | null;
  readonly why: readonly Why[];
}

/** What comes, in order, and the way through it. */
export interface Day {
  readonly stops: readonly Stop[];
  readonly route: readonly LonLat[];
}

const MOST_STOPS = 16;
const MOST_ROUTE = 1_000;
const DAY_S = 86_400;

/** Reads a day; null for whatever is not one or has no stop. */
export function readDay(value: unknown): Day | null {
  if (!isFields(value)) return null;
  const stops = list(value["stops"], MOST_STOPS).flatMap(readStop);
  return stops.length > 0 ? { stops, route: line(value["route"], MOST_ROUTE) } : null;
}

/** What of a day is still to come at `now`; the first stop says where the visitor is and stays. */
export function ahead(day: Day, now: number): readonly Stop[] {
  return day.stops.filter((stop, i) => (i === 0 && stop.kind === "arrive") || Date.parse(stop.ends) > now);
}

function readStop(value: unknown): Stop[] {
  if (!isFields(value)) return [];
  const kind = KINDS.find((one) => one === value["kind"]);
  const title = shown(value["title"], 160) ?? "";
  const starts = time(value["starts"]);
  if (!kind || !starts || (!title && kind === "session")) return [];
  return [
    {
      kind,
      title,
      place: shown(value["place"], 120) ?? "",
      starts,
      ends: time(value["ends"]) ?? starts,
      walk: count(value["walk_s"], DAY_S),
      gate: shown(value["gate"], 40) ?? "",
      wait: count(value["wait_s"], DAY_S),
      session: text(value["session"], 200) ?? "",
      status: status(value["status"]),
      at: position(value["at"]),
      why: readWhys(value["why"]),
    },
  ];
}

/** Reads reasons; whatever is none is left out. */
export function readWhys(value: unknown): Why[] {
  return list(value, 8).flatMap(readWhy);
}

function readWhy(value: unknown): Why[] {
  if (!isFields(value)) return [];
  const word = (key: string) => shown(value[key], 80);
  switch (value["is"]) {
    case "favourite": {
      const sport = word("sport");
      return sport ? [{ is: "favourite", sport }] : [];
    }
    case "wish": {
      const food = word("food");
      return food ? [{ is: "wish", food }] : [];
    }
    case "near":
      return [{ is: "near", minutes: Math.max(count(value["minutes"], 999), 1) }];
    case "popular":
    case "quiet":
    case "step_free":
      return [{ is: value["is"] }];
    case "open_until": {
      const at = word("at");
      return at ? [{ is: "open_until", at }] : [];
    }
    case "departs": {
      const [route, at] = [word("line"), word("at")];
      return route && at ? [{ is: "departs", line: route, towards: word("towards") ?? "", at }] : [];
    }
    default:
      return [];
  }
}
