// Outside data, as far as this page believes it: typed, bounded, cleaned of what turns or stacks text.

export type Fields = Record<string, unknown>;

/** A JSON object, or null. */
export function fields(payload: string): Fields | null {
  try {
    const value: unknown = JSON.parse(payload);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a list of at most so many; empty for whatever is not one. */
export function list(value: unknown, most: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, most) : [];
}

/** Text that is not shown: an id, a time. */
export function text(value: unknown, most: number): string | null {
  return typeof value === "string" && value.length > 0 && value.length <= most ? value : null;
}

/** More marks on one letter than any script needs. */
const STACKED = /(\p{M}{6})\p{M}+/gu;
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text to be shown: control characters and those that turn the direction of what follows are left out. */
export function shown(value: unknown, most: number): string | null {
  const whole = text(value, most * 8);
  if (whole === null) return null;
  const plain = whole.replace(UNSEEN, "").replace(STACKED, "$1").trim();
  return plain ? Array.from(plain).slice(0, most).join("") : null;
}

/** A time of RFC 3339, as written. */
export function time(value: unknown): string | null {
  const written = text(value, 40);
  return written !== null && !Number.isNaN(Date.parse(written)) ? written : null;
}

/** A whole number from 0 to `most`; 0 for whatever is not one. */
export function count(value: unknown, most: number): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(Math.max(Math.round(value), 0), most) : 0;
}

/** Longitude and latitude in degrees. */
export type LonLat = readonly [number, number];

/** A position of WGS 84, or null. */
export function position(value: unknown): LonLat | null {
  if (!Array.isArray(value)) return null;
  const [lon, lat]: unknown[] = value;
  if (typeof lon !== "number" || typeof lat !== "number" || !(Math.abs(lon) <= 180) || !(Math.abs(lat) <= 90)) return null;
  return [lon, lat];
}

/** A line of positions; those that are none are left out. */
export function line(value: unknown, most: number): LonLat[] {
  return list(value, most).map(position).filter((one): one is LonLat => one !== null);
}

/** Whether a session is held as announced. */
export const STATUSES = ["on_time", "delayed", "moved", "sold_out", "cancelled"] as const;
export type Status = (typeof STATUSES)[number];

/** A status; whatever is none is as announced. */
export function status(value: unknown): Status {
  return STATUSES.find((one) => one === value) ?? "on_time";
}
