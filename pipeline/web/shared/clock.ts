// The box's time. A kiosk's own clock may show anything; it is only trusted to count seconds.

let base = Date.now();
let mark = performance.now();

/** Takes the box's time in, as it answered a question asked at `askedAt` (of `performance.now()`). */
export function syncClock(time: string, askedAt: number): void {
  const told = Date.parse(time);
  if (Number.isNaN(told)) return;
  const now = performance.now();
  base = told + (now - askedAt) / 2;
  mark = now;
}

/** Milliseconds since 1970 by the box's clock. */
export function boxNow(): number {
  return base + (performance.now() - mark);
}

/** Hours and minutes as a time of RFC 3339 says them, in its own offset: the venue's time on any kiosk. */
export function wallTime(rfc3339: string): string {
  return /T(\d\d:\d\d)/.exec(rfc3339)?.[1] ?? "";
}

/** Minutes by which a time of RFC 3339 is ahead of UTC. */
export function offsetMinutes(rfc3339: string): number {
  const found = /([+-])(\d\d):(\d\d)$/.exec(rfc3339);
  if (!found) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === "-" ? -minutes : minutes;
}

/** Now by the box's clock as `HH:MM` or `HH:MM:SS` in an offset. */
export function clockFace(offset: number, seconds = false): string {
  return new Date(boxNow() + offset * 60_000).toISOString().slice(11, seconds ? 19 : 16);
}
