// Who is shown next, with whom, and for how long.
import type { Greeting } from "./greeting.ts";

/** Shortest and usual time on the screen while others wait. */
export const SHORTEST_MS = 2_000;
export const USUAL_MS = 4_000;
/** People in one welcome. */
export const MOST_TOGETHER = 6;
/** Greetings that may wait; a crowd beyond this has expired before its turn anyway. */
const MOST_WAITING = 48;
/** Ids remembered to tell duplicates: a broker that comes back sends again what was not acknowledged. */
const MOST_SEEN = 512;

/** Somebody on the screen, since when. */
export interface Member {
  readonly greeting: Greeting;
  readonly since: number;
}

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

  /**
   * Whose turn it is: the first who waits, with their party. Where more wait than can be shown one after the other before
   * their time is over, several are welcomed at once: each is greeted, none of them late.
   */
  take(now: number): Greeting[] {
    const units = this.#units(now);
    let size = 1;
    while (size < MOST_TOGETHER && !inTime(packed(units, size), now)) size += 1;
    const taken = packed(units, size)[0] ?? [];
    this.#waiting = this.#waiting.filter((greeting) => !taken.includes(greeting));
    return taken;
  }

  /** Who belongs to the party that is being shown and may still join it. */
  join(party: string | null, room: number, now: number): Greeting[] {
    if (party === null || room <= 0) return [];
    this.#drop(now);
    const joining = this.#waiting.filter((greeting) => greeting.party === party).slice(0, room);
    this.#waiting = this.#waiting.filter((greeting) => !joining.includes(greeting));
    return joining;
  }

  /** How many wait. */
  size(now: number): number {
    this.#drop(now);
    return this.#waiting.length;
  }

  /**
   * When those shown have to give way: when the last of them is over, or earlier when others wait. They share the time
   * that is left to them evenly, but nobody is shown for less than two seconds or keeps others for more than four.
   */
  until(shown: readonly Member[], now: number): number {
    if (shown.length === 0) return now;
    const units = this.#units(now);
    const since = Math.min(...shown.map((member) => member.since));
    const joined = Math.max(...shown.map((member) => member.since));
    const over = Math.max(...shown.map((member) => member.greeting.expires));
    let slot = units.length > 0 ? USUAL_MS : Number.POSITIVE_INFINITY;
    units.forEach((unit, i) => {
      slot = Math.min(slot, (soonest(unit) - since) / (i + 2));
    });
    return Math.min(over, Math.max(since + Math.max(slot, SHORTEST_MS), joined + SHORTEST_MS));
  }

  /** Who waits, as they are to be welcomed: a party together, six at most. */
  #units(now: number): Greeting[][] {
    this.#drop(now);
    const units: Greeting[][] = [];
    for (const greeting of this.#waiting) {
      const theirs = units.find((unit) => greeting.party !== null && unit[0]?.party === greeting.party && unit.length < MOST_TOGETHER);
      if (theirs) theirs.push(greeting);
      else units.push([greeting]);
    }
    return units;
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

function soonest(unit: readonly Greeting[]): number {
  return Math.min(...unit.map((greeting) => greeting.expires));
}

/** Units in their order, up to `size` people at a time; a party stays whole. */
function packed(units: readonly Greeting[][], size: number): Greeting[][] {
  const groups: Greeting[][] = [];
  for (const unit of units) {
    const last = groups.at(-1);
    if (last && last.length + unit.length <= size) last.push(...unit);
    else groups.push([...unit]);
  }
  return groups;
}

/** Whether everybody has their two seconds, one group after the other. */
function inTime(groups: readonly Greeting[][], now: number): boolean {
  return groups.every((group, i) => now + (i + 1) * SHORTEST_MS <= soonest(group));
}
