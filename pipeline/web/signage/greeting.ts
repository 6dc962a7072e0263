// What the broker sends, as far as this page believes it.

/** One session of the visitor's sport. */
export interface Session {
  readonly title: string;
  readonly venue: string;
  readonly place: string;
  readonly starts: string;
  readonly ends: string;
}

/** One welcome. Times in milliseconds since 1970 by the box's clock. */
export interface Greeting {
  readonly id: string;
  readonly visit: string;
  readonly name: string;
  readonly sport: string;
  readonly sessions: readonly Session[];
  readonly expires: number;
}

/** The picture that goes with a welcome. */
export interface Face {
  readonly visit: string;
  readonly expires: number;
  readonly jpeg: Uint8Array;
}

/** A greeting without a name: until when. */
export interface Notice {
  readonly expires: number;
}

/** A greeting may stay this long at most, whatever it says. */
const LONGEST_MS = 120_000;
const MOST_FACE_CHARACTERS = 128 * 1024;

type Fields = Record<string, unknown>;

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
  const sessions = Array.isArray(data["sessions"]) ? data["sessions"] : [];
  return { id, visit, name, sport: shown(data["sport"], 80) ?? "", sessions: sessions.slice(0, 3).flatMap(readSession), expires };
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

function readSession(value: unknown): Session[] {
  if (!isFields(value)) return [];
  const title = shown(value["title"], 160);
  const starts = text(value["starts"], 40);
  const ends = text(value["ends"], 40);
  if (!title || !starts || !ends || Number.isNaN(Date.parse(starts)) || Number.isNaN(Date.parse(ends))) return [];
  return [{ title, venue: shown(value["venue"], 120) ?? "", place: shown(value["place"], 120) ?? "", starts, ends }];
}

function expiry(value: unknown, now: number): number | null {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return at > now ? Math.min(at, now + LONGEST_MS) : null;
}

function fields(payload: string): Fields | null {
  try {
    const value: unknown = JSON.parse(payload);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown, most: number): string | null {
  return typeof value === "string" && value.length > 0 && value.length <= most ? value : null;
}

/** Text to be shown: control characters and those that turn the direction of what follows are left out. */
function shown(value: unknown, most: number): string | null {
  const whole = text(value, most * 8);
  if (whole === null) return null;
  const plain = whole.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, "").trim();
  return plain ? Array.from(plain).slice(0, most).join("") : null;
}
