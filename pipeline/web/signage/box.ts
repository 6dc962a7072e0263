// What the box says about itself, and the map of its site; older boxes say less.
import { type LonLat, isFields, line, list, position, shown, text } from "./read.ts";
import { readKeys } from "./trust.ts";

/** A film or picture of the venue. */
export interface Item {
  readonly url: string;
  readonly kind: "film" | "picture";
}

/** What may be kept until the box is back: nothing in it is secret or about anybody. */
export interface Venue {
  readonly language: string;
  readonly night: { readonly from: string; readonly to: string } | null;
  readonly theme: string | null;
  readonly playlist: readonly Item[];
  readonly picture_ms: number;
  readonly pass_gates: readonly string[];
}

/** What the box says about itself. */
export interface Box extends Venue {
  readonly time: string;
  readonly version: string;
  readonly site: string;
  readonly gates: readonly string[];
  readonly websocket: string | null;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** Where screens say that they live; null: nobody listens. */
  readonly alive: string | null;
  /** Whose events are believed; null: a box that signs none. */
  readonly keys: readonly string[] | null;
}

const MOST_ITEMS = 200;
const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;

/** What holds while no box was ever heard. */
export const NO_VENUE: Venue = { language: "en", night: null, theme: null, playlist: [], picture_ms: 10_000, pass_gates: [] };

/** Reads the answer of `/api/signage`; null for whatever is not one. */
export function readBox(value: unknown): Box | null {
  if (!isFields(value)) return null;
  const [time, version, site] = [text(value["time"], 40), text(value["version"], 80), text(value["site"], 64)];
  if (!time || !version || !site) return null;
  const login = isFields(value["login"]) ? value["login"] : null;
  const [user, password] = [text(login?.["user"], 200), text(login?.["password"], 400)];
  return {
    ...readVenue(value),
    time,
    version,
    site,
    gates: names(value["gates"]),
    websocket: text(value["websocket"], 500),
    login: user && password ? { user, password } : null,
    alive: text(value["alive"], 200),
    keys: Array.isArray(value["keys"]) && value["keys"].length > 0 ? readKeys(value["keys"]) : null,
  };
}

/** Reads what holds for a venue; what is absent is as it was before there was such a thing. */
export function readVenue(value: unknown): Venue {
  if (!isFields(value)) return NO_VENUE;
  const night = isFields(value["night"]) ? value["night"] : null;
  const [from, to] = [text(night?.["from"], 5), text(night?.["to"], 5)];
  const picture = value["picture_ms"];
  return {
    language: text(value["language"], 35) ?? NO_VENUE.language,
    night: from && to && CLOCK.test(from) && CLOCK.test(to) ? { from, to } : null,
    theme: here(value["theme"]),
    playlist: list(value["playlist"], MOST_ITEMS).flatMap((item) => {
      const url = isFields(item) ? here(item["url"]) : null;
      if (!isFields(item) || !url) return [];
      return item["kind"] === "film" || item["kind"] === "picture" ? [{ url, kind: item["kind"] }] : [];
    }),
    picture_ms: typeof picture === "number" && picture >= 500 && picture <= 600_000 ? picture : NO_VENUE.picture_ms,
    pass_gates: names(value["pass_gates"]),
  };
}

/** Only what the box itself serves from the venue's folders. */
function here(value: unknown): string | null {
  const path = text(value, 500);
  return path !== null && /^\/venue\/[^\\]+$/.test(path) && !path.split("/").includes("..") ? path : null;
}

function names(value: unknown): string[] {
  return list(value, 500).flatMap((one) => text(one, 64) ?? []);
}

/** An outline that is drawn. */
export interface Area {
  readonly kind: string;
  readonly name: string;
  readonly outline: readonly LonLat[];
}

/** A place that is drawn as a point. */
export interface Place {
  readonly kind: string;
  readonly name: string;
  readonly at: LonLat;
}

/** The site, as the venue drew it. */
export interface Site {
  readonly areas: readonly Area[];
  readonly paths: readonly (readonly LonLat[])[];
  readonly places: readonly Place[];
}

/** Reads the answer of `/api/map`; null for whatever is not one or is empty. */
export function readSite(value: unknown): Site | null {
  if (!isFields(value)) return null;
  const areas = list(value["areas"], 2_000).flatMap((area) => {
    const outline = isFields(area) ? line(area["outline"], 2_000) : [];
    return isFields(area) && outline.length >= 3 ? [{ kind: text(area["kind"], 40) ?? "", name: shown(area["name"], 60) ?? "", outline }] : [];
  });
  const paths = list(value["paths"], 5_000).map((path) => line(path, 2_000)).filter((path) => path.length >= 2);
  const places = list(value["places"], 2_000).flatMap((place) => {
    const at = isFields(place) ? position(place["at"]) : null;
    return isFields(place) && at ? [{ kind: text(place["kind"], 40) ?? "", name: shown(place["name"], 60) ?? "", at }] : [];
  });
  return areas.length + paths.length + places.length > 0 ? { areas, paths, places } : null;
}
