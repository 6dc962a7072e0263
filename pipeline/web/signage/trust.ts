// What the screen believes: what a box whose key it knows said, on this topic, just now, and once.
//
// Nothing but arithmetic: browsers keep WebCrypto to https and localhost, and most screens come by http.
import { hashes, verify } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Fields, fields, text, time } from "./read.ts";

hashes.sha512 = sha512;

/** `,"signature":"`, 128 hexadecimal digits, `"}`: the end of every event. */
const BEFORE = new TextEncoder().encode(',"signature":"');
const DIGITS = 128;
const TAIL = BEFORE.length + DIGITS + 2;
const KEY = /^[0-9a-f]{64}$/;
/** As far as a box's clock may seem to be ahead of what it told of it. */
const AHEAD_MS = 60_000;
const MOST_KEYS = 64;

/** Reads public keys, 64 hexadecimal digits each; those that are none are left out. */
export function readKeys(values: readonly unknown[]): string[] {
  const keys = values.map((value) => text(value, 64)?.toLowerCase() ?? "").filter((key) => KEY.test(key));
  return [...new Set(keys)].slice(0, MOST_KEYS);
}

/** What was believed, so that nobody says it again. */
export class Trust {
  /** Ids of what is for the moment, until when each could be believed again. */
  private readonly heard = new Map<string, number>();
  /** Of each topic and box, when its newest state was told. */
  private readonly newest = new Map<string, number>();

  /** Whether what was signed for `topic` is news at `now` (milliseconds since 1970 by the box's clock); remembered, if it is. */
  believes(payload: Uint8Array, topic: string, now: number): boolean {
    const event = fields(new TextDecoder().decode(payload));
    const said = event && instant(event, "time");
    const [id, source] = [text(event?.["id"], 64), text(event?.["source"], 200)];
    if (!event || said === null || !id || source === null || said > now + AHEAD_MS) return false;
    if ("expiresat" in event) return this.moment(id, instant(event, "expiresat"), now);
    return !/\/(visit|greeting|face|notice)$/.test(topic) && this.state(`${topic} ${source}`, said);
  }

  private moment(id: string, until: number | null, now: number): boolean {
    for (const [one, end] of this.heard) if (end <= now) this.heard.delete(one);
    if (until === null || until <= now || this.heard.has(id)) return false;
    this.heard.set(id, until);
    return true;
  }

  /** A state may be told again, as brokers do to those who come later; an older one may not come after it. */
  private state(whose: string, said: number): boolean {
    if (said < (this.newest.get(whose) ?? Number.NEGATIVE_INFINITY)) return false;
    this.newest.set(whose, said);
    return true;
  }
}

/** Whether one of these keys signed it for this topic, byte for byte. */
export function isSigned(keys: readonly string[], topic: string, payload: Uint8Array): boolean {
  const end = payload.length - TAIL;
  if (end < 0 || BEFORE.some((byte, at) => payload[end + at] !== byte)) return false;
  if (payload[payload.length - 2] !== 0x22 || payload[payload.length - 1] !== 0x7d) return false;
  const signature = bytesOf(new TextDecoder().decode(payload.subarray(end + BEFORE.length, payload.length - 2)));
  if (signature?.length !== DIGITS / 2) return false;
  const where = new TextEncoder().encode(`${topic}\n`);
  const said = new Uint8Array(where.length + end);
  said.set(where);
  said.set(payload.subarray(0, end), where.length);
  return keys.some((key) => {
    const known = bytesOf(key);
    try {
      return known?.length === 32 && verify(signature, said, known, { zip215: false });
    } catch {
      // What is no point of the curve throws.
      return false;
    }
  });
}

/** Hexadecimal digits of small letters as bytes; null for whatever is none. */
function bytesOf(digits: string): Uint8Array | null {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/.test(digits)) return null;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

function instant(event: Fields, key: string): number | null {
  const written = time(event[key]);
  return written === null ? null : Date.parse(written);
}
