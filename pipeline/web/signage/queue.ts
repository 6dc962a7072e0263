// Who is shown next, and for how long.
import type { Greeting } from "./greeting.ts";

/** Shortest and usual time on the screen while others wait. */
export const SHORTEST_MS = 2_000;
export const USUAL_MS = 4_000;
/** Greetings that may wait; a crowd beyond this has expired before its turn anyway. */
const MOST_WAITING = 24;
/** Ids remembered to tell duplicates: a broker that comes back sends again what was not acknowledged. */
const MOST_SEEN = 512;

/** Waiting greetings, each shown once and never after its time. */
export class Queue {
  #waiting: Greeting[] = [];
  #seen = new Set<string>();

  /** Takes a greeting in unless it was there before, is over, or too many wait. */
  offer(greeting: Greeting, now: number): boolean {
    if (greeting.expires <= now || this.#seen.has(greeting.id) || this.#seen.has(greeting.visit)) return false;
    this.#remember(greeting.id);
    this.#remember(greeting.visit);
    this.#drop(now);
    if (this.#waiting.length >= MOST_WAITING) return false;
    this.#waiting.push(greeting);
    return true;
  }

  /** The next one whose time is not over. */
  take(now: number): Greeting | null {
    this.#drop(now);
    return this.#waiting.shift() ?? null;
  }

  /** How many wait. */
  size(now: number): number {
    this.#drop(now);
    return this.#waiting.length;
  }

  /** Forgets who waits. */
  clear(): void {
    this.#waiting = [];
  }

  /**
   * When the one shown since `since` has to give way: at its own expiry, or earlier when others wait. They share the
   * time that is left to them evenly, but nobody is shown for less than two seconds or keeps others for more than four.
   */
  until(shown: Greeting, since: number, now: number): number {
    this.#drop(now);
    let slot = this.#waiting.length > 0 ? USUAL_MS : Number.POSITIVE_INFINITY;
    this.#waiting.forEach((waiting, i) => {
      slot = Math.min(slot, (waiting.expires - since) / (i + 2));
    });
    return Math.min(shown.expires, since + Math.max(slot, SHORTEST_MS));
  }

  #drop(now: number): void {
    this.#waiting = this.#waiting.filter((greeting) => greeting.expires > now);
  }

  #remember(id: string): void {
    this.#seen.delete(id);
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= MOST_SEEN) break;
      this.#seen.delete(oldest);
    }
  }
}
