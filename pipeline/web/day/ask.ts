// What the box is asked about a day, and what it answers.
import { type Answer, ask as once, json } from "../enrol/contract.ts";
import { type Day, readDay } from "../signage/day.ts";
import { type Site, readSite } from "../signage/box.ts";
import type { Planned } from "./plan.ts";

/** Whose day: by the key of a screen, or by the secret of a pass. */
export type By = { readonly key: string } | { readonly secret: string };

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
