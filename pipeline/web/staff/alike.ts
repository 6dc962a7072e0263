// Who is like whom, and who is looked for.
import type { Person } from "./contract.ts";

/** Somebody as shown. */
export interface Shown extends Person {
  /** False: the box only says that somebody else is like them; they keep their key, or are gone. */
  listed: boolean;
}

/** An id as people say it. */
export const short = (id: string): string => id.slice(0, 8);

/** Whoever is still there, without those who were forgotten since the box answered; the box may name them in `like` for longer. */
export function present(people: Person[], gone: ReadonlySet<string>): Shown[] {
  const left = people.filter(({ id }) => !gone.has(id));
  return left.map((person) => ({ ...person, listed: true, like: person.like.filter((id) => id !== person.id && !gone.has(id)) }));
}

/** Groups of people whose faces are alike, in each the latest enrolment first. */
export function groupsOf(people: Shown[]): Shown[][] {
  const all = new Map(people.map((person) => [person.id, person]));
  const near = new Map<string, Set<string>>();
  const join = (one: string, other: string) => near.set(one, (near.get(one) ?? new Set()).add(other));
  for (const { id, like } of people) {
    for (const other of like) {
      if (!all.has(other)) all.set(other, { id: other, name: null, expires_at: null, like: [], listed: false });
      join(id, other);
      join(other, id);
    }
  }
  const seen = new Set<string>();
  const found: Shown[][] = [];
  for (const first of [...near.keys()].sort()) {
    if (seen.has(first)) continue;
    const group = [first];
    seen.add(first);
    // The list grows while it is walked.
    for (const one of group) {
      for (const other of near.get(one) ?? []) {
        if (!seen.has(other)) group.push(other);
        seen.add(other);
      }
    }
    found.push(latestFirst(group.flatMap((id) => all.get(id) ?? [])));
  }
  return found;
}

/** Each before all whom they are like: there is no other sign of when somebody enrolled. */
function latestFirst(group: Shown[]): Shown[] {
  const later = new Map(group.map(({ id }) => [id, 0]));
  const count = (id: string, by: number) => later.set(id, (later.get(id) ?? 0) + by);
  for (const { like } of group) for (const id of like) count(id, 1);
  const order = group.filter(({ id }) => later.get(id) === 0);
  const left = new Map(group.map((person) => [person.id, person]));
  for (const person of order) {
    left.delete(person.id);
    for (const id of person.like) {
      count(id, -1);
      const next = left.get(id);
      if (next && later.get(id) === 0) order.push(next);
    }
  }
  return [...order, ...left.values()];
}

/** A text as it is compared: without case, accents or width. */
const plain = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

/** Whoever has what was typed in their name or id; everybody where nothing was. */
export function matching(people: Shown[], typed: string): Shown[] {
  const wanted = plain(typed);
  if (!wanted) return people;
  return people.filter(({ id, name }) => id.includes(wanted) || plain(name ?? "").includes(wanted));
}

const COLLATOR = new Intl.Collator("en", { sensitivity: "base", numeric: true });

/** By name; whoever has none comes last. */
export function byName(people: Shown[]): Shown[] {
  return [...people].sort((one, other) => Number(one.name === null) - Number(other.name === null) || COLLATOR.compare(one.name ?? "", other.name ?? "") || (one.id < other.id ? -1 : 1));
}
