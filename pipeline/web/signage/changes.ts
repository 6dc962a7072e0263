// What has moved, is delayed, sold out or cancelled today; and whose sessions that concerns.
import type { Day } from "./day.ts";
import { type Greeting, type Session, readSession, saidAt } from "./greeting.ts";
import { fields, isFields, list, shown } from "./read.ts";

/** A session that is not held as announced. */
export interface Change extends Session {
  readonly sport: string;
  readonly gate: string;
}

/** All of them, as the programme stood at `said` (milliseconds since 1970). */
export interface Changes {
  readonly said: number;
  readonly changes: readonly Change[];
}

/** No change is known. */
export const NONE: Changes = { said: 0, changes: [] };
const MOST = 20;

/** Reads what has changed; null for whatever does not say. */
export function readChanges(payload: string): Changes | null {
  const event = fields(payload);
  const data = event?.["data"];
  if (!event || event["type"] !== "usher.programme.v1" || !isFields(data)) return null;
  const changes = list(data["changes"], MOST).flatMap((value) => {
    if (!isFields(value)) return [];
    const [session] = readSession({ ...value, id: value["session"] });
    return session ? [{ ...session, sport: shown(value["sport"], 80) ?? "", gate: shown(value["gate"], 40) ?? "" }] : [];
  });
  return { said: saidAt(event), changes };
}

/** What is worth telling passers-by at `now`: what is not over, soonest first. */
export function current({ changes }: Changes, now: number): Change[] {
  return changes.filter((change) => change.status !== "on_time" && Date.parse(change.ends) > now).sort((a, b) => Date.parse(a.starts) - Date.parse(b.starts));
}

/** The greeting as the programme stands now. What was said before the greeting was made is in it already. */
export function brought(greeting: Greeting, changes: Changes): Greeting {
  if (changes.said !== 0 && changes.said < greeting.said) return greeting;
  const byId = new Map(changes.changes.filter((change) => change.id).map((change) => [change.id, change]));
  const meets = greeting.sessions.some((session) => byId.has(session.id)) || greeting.day?.stops.some((stop) => byId.has(stop.session));
  if (!meets) return greeting;
  const sessions = greeting.sessions
    .map((session) => broughtSession(session, byId.get(session.id)))
    .sort((a, b) => Date.parse(a.starts) - Date.parse(b.starts));
  return { ...greeting, sessions, day: greeting.day && broughtDay(greeting.day, byId) };
}

function broughtSession(session: Session, change: Change | undefined): Session {
  if (!change) return session;
  const { title, venue, place, starts, ends, status } = change;
  return { id: session.id, title, venue: venue || session.venue, place: place || session.place, starts, ends, status };
}

function broughtDay(day: Day, byId: ReadonlyMap<string, Change>): Day {
  let elsewhere = false;
  const stops = day.stops.map((stop) => {
    const change = stop.session ? byId.get(stop.session) : undefined;
    if (!change) return stop;
    const place = [change.venue, change.place].filter(Boolean).join(" · ") || stop.place;
    const held = { ...stop, starts: change.starts, ends: change.ends, place, gate: change.gate || stop.gate, status: change.status };
    if (!change.venue || stop.place.includes(change.venue)) return held;
    // Elsewhere: the way that was planned leads nowhere now.
    elsewhere = true;
    return { ...held, gate: change.gate, at: null, walk: 0, wait: 0 };
  });
  // Times may have changed places; where the visitor is stays first.
  const [first, ...rest] = stops;
  const later = rest.sort((a, b) => Date.parse(a.starts) - Date.parse(b.starts));
  return { stops: first ? [first, ...later] : later, route: elsewhere ? [] : day.route };
}
