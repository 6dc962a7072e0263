// This screen's sign of life.
import { faults } from "./faults.ts";

declare const PAGES: string;

/** Of which build this page is. */
export const BUILD: string = PAGES;
export const EVERY_MS = 10_000;
const NAME = /^[a-z0-9_-]{1,32}$/;
const KEPT = "usher.screen";

/** What this screen is called: as its address says, else by a name made once. */
export function screenName(wanted: string | null): string {
  if (wanted !== null && NAME.test(wanted)) return wanted;
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept !== null && NAME.test(kept)) return kept;
    const fresh = madeName();
    localStorage.setItem(KEPT, fresh);
    return fresh;
  } catch {
    return madeName();
  }
}

/** Says every ten seconds that this screen lives, and what it shows. */
export function startAlive(screen: string, gate: () => string, publish: (screen: string, words: string) => void): void {
  const say = () => {
    const shows = document.body.dataset["state"] ?? "idle";
    publish(screen, JSON.stringify({ screen, gate: gate(), version: BUILD, shows, width: innerWidth, height: innerHeight, faults: faults() }));
  };
  setInterval(say, EVERY_MS);
}

let last: string | null = null;

function madeName(): string {
  last ??= `screen-${Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  return last;
}
