// What the box is asked about a day, and what it answers.
import { type Answer, ask as once, json } from "../enrol/contract.ts";
import { type Day, type Why, readDay, readWhys } from "../signage/day.ts";
import { type Site, readSite } from "../signage/box.ts";
import { type LonLat, count, isFields, list, position, shown } from "../signage/read.ts";

/** Whose day: by the key of a screen, or by the secret of a pass. */
export type By = { readonly key: string } | { readonly secret: string };

/** A day as the box told it. */
export interface Planned {
  readonly site: string;
  readonly language: string;
  readonly day: Day | null;
  readonly map: Site | null;
  readonly time: string;
  readonly expires_at: string;
}

/** A place near by, and what speaks for it. */
export interface Nearby {
  readonly kind: string;
  readonly name: string;
  /** Seconds on foot. */
  readonly walk: number;
  readonly at: LonLat | null;
  readonly why: readonly Why[];
}

/** What is near; `here`: near where they said they are. */
export interface Found {
  readonly places: readonly Nearby[];
  readonly here: boolean;
}

const MOST = 8;
const DAY_S = 86_400;

function readNearby(value: unknown): Nearby[] {
  const name = isFields(value) ? shown(value["name"], 120) : null;
  if (!isFields(value) || !name) return [];
  return [{ kind: shown(value["kind"], 40) ?? "", name, walk: count(value["walk_s"], DAY_S), at: position(value["at"]), why: readWhys(value["why"]) }];
}

const path = (by: By, what: "" | "/calendar") => ("key" in by ? `/api/day${what}` : what ? `/api/pass${what}` : "/api/pass/day");

let site: Promise<Site | null> | null = null;

async function map(): Promise<Site | null> {
  const answer = await once<unknown>("/api/map", {});
  return answer.is === "ok" ? readSite(answer.body) : null;
}

export const ask = {
  /** The day, with the map of the site. */
  async day(by: By): Promise<Answer<Planned>> {
    const answer = await once<{ site: string; language: string; day: unknown; time: string; expires_at: string }>(path(by, ""), json(by));
    if (answer.is !== "ok") return answer;
    const day: Day | null = readDay(answer.body.day);
    if (day) site ??= map();
    return { is: "ok", body: { ...answer.body, day, map: day ? await (site ?? null) : null } };
  },
  /** What is near, open and liked: near `at` where somebody says where they are. */
  async nearby(by: By, at: LonLat | null): Promise<Answer<Found>> {
    const answer = await once<{ places: unknown; here: unknown }>("/api/nearby", json(at ? { ...by, at } : by));
    if (answer.is !== "ok") return answer;
    return { is: "ok", body: { places: list(answer.body.places, MOST).flatMap(readNearby), here: answer.body.here === true } };
  },
  /** The day as a calendar file; null where the box does not answer. */
  async calendar(by: By): Promise<Blob | null> {
    try {
      const answer = await fetch(path(by, "/calendar"), { cache: "no-store", ...json(by) });
      return answer.ok ? await answer.blob() : null;
    } catch {
      return null;
    }
  },
};
