// What the broker sends about a visitor, as far as this page believes it.
import { type Day, readDay } from "./day.ts";
import { type Fields, type Status, fields, isFields, list, shown, status, text, time } from "./read.ts";

/** One session of the visitor's sport. */
export interface Session {
  /** The programme's id; empty from boxes that send none. */
  readonly id: string;
  readonly title: string;
  readonly venue: string;
  readonly place: string;
  readonly starts: string;
  readonly ends: string;
  readonly status: Status;
}

/** One welcome. Times in milliseconds since 1970 by the box's clock. */
export interface Greeting {
  readonly id: string;
  readonly visit: string;
  readonly name: string;
  readonly sport: string;
  readonly sessions: readonly Session[];
  readonly expires: number;
  /** When the box said so. */
  readonly said: number;
  /** BCP 47; empty: the venue's. */
  readonly language: string;
  /** Who is welcomed together; null: nobody else. */
  readonly party: string | null;
  readonly day: Day | null;
  /** What the symbol to take along says. */
  readonly take: string | null;
}

/** The picture that goes with a welcome. */
export interface Face {
  readonly visit: string;
  readonly expires: number;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

/** A greeting without a name: until when. */
export interface Notice {
  readonly expires: number;
}

/** A greeting may stay this long at most, whatever it says. */
const LONGEST_MS = 120_000;
const MOST_FACE_CHARACTERS = 128 * 1024;
/** As much as a symbol of a hand's width can say. */
const MOST_TAKE = 300;

/** Reads a greeting; null for whatever is not one, is over, or claims to stay for ever. */
export function readGreeting(payload: string, now: number): Greeting | null {
  const event = fields(payload);
  const data = event?.["data"];
  if (!event || event["type"] !== "usher.greeting.v1" || !isFields(data)) return null;
  const id = text(event["id"], 64);
  const visit = text(data["visit"], 64);
  const name = shown(data["name"], 200);
  const expires = expiry(data["expires_at"], now);
  if (!id || !visit || !name || expires === null) return null;
  return {
    id,
    visit,
    name,
    sport: shown(data["sport"], 80) ?? "",
    sessions: list(data["sessions"], 3).flatMap(readSession),
    expires,
    said: saidAt(event),
    language: text(data["language"], 35) ?? "",
    party: text(data["party"], 128),
    day: readDay(data["day"]),
    take: readTake(data["take"]),
  };
}

/** Reads a face; null for whatever is not one or is over. */
export function readFace(payload: string, now: number): Face | null {
  const event = fields(payload);
  if (!event || event["type"] !== "usher.face.v1") return null;
  const visit = text(event["subject"], 64);
  const expires = expiry(event["expiresat"], now);
  const coded = event["data_base64"];
  if (!visit || expires === null || typeof coded !== "string" || coded.length > MOST_FACE_CHARACTERS) return null;
  try {
    const jpeg = Uint8Array.from(atob(coded), (c) => c.charCodeAt(0));
    return jpeg[0] === 0xff && jpeg[1] === 0xd8 ? { visit, expires, jpeg } : null;
  } catch {
    return null;
  }
}

/** Reads a greeting without a name; null for whatever is not one or is over. */
export function readNotice(payload: string, now: number): Notice | null {
  const event = fields(payload);
  const data = event?.["data"];
  if (!event || event["type"] !== "usher.notice.v1" || !isFields(data)) return null;
  const expires = expiry(data["expires_at"], now);
  return expires === null ? null : { expires };
}

/** When an event was made, in milliseconds since 1970; 0 where it does not say. */
export function saidAt(event: Fields): number {
  const written = time(event["time"]);
  return written === null ? 0 : Date.parse(written);
}

/** Reads one session; none for whatever is not one. */
export function readSession(value: unknown): Session[] {
  if (!isFields(value)) return [];
  const title = shown(value["title"], 160);
  const starts = time(value["starts"]);
  const ends = time(value["ends"]);
  if (!title || !starts || !ends) return [];
  return [
    {
      id: text(value["id"], 200) ?? "",
      title,
      venue: shown(value["venue"], 120) ?? "",
      place: shown(value["place"], 120) ?? "",
      starts,
      ends,
      status: status(value["status"]),
    },
  ];
}

function readTake(value: unknown): string | null {
  const url = text(value, MOST_TAKE);
  return url !== null && /^https?:\/\/[\x21-\x7e]+$/i.test(url) ? url : null;
}

function expiry(value: unknown, now: number): number | null {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return at > now ? Math.min(at, now + LONGEST_MS) : null;
}
