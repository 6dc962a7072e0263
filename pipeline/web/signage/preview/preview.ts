// `/signage?preview`: invented people on an invented day, without a broker, for whoever designs a theme or sets up a player.
import type { Language } from "../../enrol/contract.ts";
import { readBox, readSite } from "../box.ts";
import type { Hears } from "../link.ts";
import { SPOKEN, spoken } from "../words/speak.ts";
import { portrait } from "./portraits.ts";
import { LONG, SAMPLES } from "./samples.ts";
import { ROUTE, SPOTS, at, sampleSite } from "./site.ts";

const SHOWS = ["idle", "visitor", "family", "moved", "long", "notice"] as const;
type Show = (typeof SHOWS)[number];

const MINUTE = 60_000;
const GREETED_S = 12;
/** A picture that stays: sent again before its time is over. */
const FIXED_S = 110;
const BETWEEN_MS = 4_000;

let made = 0;

/** Shows the samples, one after the other or the one that the address names. */
export function startPreview(asked: URLSearchParams, hears: Hears): void {
  const wanted = SHOWS.find((show) => show === asked.get("show"));
  const language = spoken(asked.get("lang") ?? "");
  hears.box(sampleBox(asked, language ?? "en"), "gate-b");
  hears.site(readSite(sampleSite(SAMPLES[language ?? "en"])));
  hears.link(true);
  void (wanted ? fixed(wanted, language ?? "en", hears) : cycle(language, hears));
}

async function fixed(show: Show, language: Language, hears: Hears): Promise<void> {
  for (;;) {
    await present(show, language, hears, FIXED_S);
    await pause((FIXED_S - 5) * 1000);
  }
}

async function cycle(language: Language | null, hears: Hears): Promise<void> {
  const languages = language ? [language] : SPOKEN;
  for (let round = 0; ; round += 1) {
    const say = languages[round % languages.length] ?? "en";
    hears.site(readSite(sampleSite(SAMPLES[say])));
    for (const show of SHOWS) {
      await present(show, say, hears, GREETED_S);
      await pause(GREETED_S * 1000 + (show === "idle" ? 0 : BETWEEN_MS));
      if (show === "moved") hears.programme(programme(say, []));
    }
  }
}

async function present(show: Show, language: Language, hears: Hears, seconds: number): Promise<void> {
  const words = SAMPLES[language];
  const greet = async (name: string, which: number, data: Record<string, unknown>) => {
    const visit = id();
    const expires_at = iso(seconds * 1000);
    hears.greeting(event("usher.greeting.v1", visit, { visit, gate: "gate-b", name, sport: words.sport, sessions: [], language, party: null, day: null, take: null, expires_at, ...data }));
    const face = { type: "usher.face.v1", id: id(), subject: visit, expiresat: expires_at, data_base64: await portrait(which) };
    hears.face(JSON.stringify(face));
  };
  const full = { sessions: sessions(language), day: day(language), take: "https://usher.example/day#c2FtcGxlLWRheS1vZi1taW5zZW8" };
  if (show === "visitor") {
    await greet(words.names[0], 0, full);
  } else if (show === "family") {
    const other = { ...session(language, 3), title: words.otherTitle, venue: words.pool };
    for (const [i, name] of words.names.entries()) await greet(name, i, i === 1 ? { party: "sample", sport: words.otherSport, sessions: [other] } : { ...full, party: "sample" });
  } else if (show === "moved") {
    await greet(words.names[0], 0, full);
    await pause(seconds === FIXED_S ? 600 : 3_000);
    hears.programme(programme(language, [{ ...changed(language, 0, 75, "moved"), venue: words.pool, gate: "gate-d" }, changed(language, 1, 40, "delayed")]));
  } else if (show === "long") {
    const stretched = sessions(language).map((one) => ({ ...one, title: LONG.title, venue: LONG.venue, place: LONG.place }));
    const { stops, route } = day(language);
    const long = stops.map((stop) => ({ ...stop, title: LONG.title, place: `${LONG.venue} · ${LONG.place}` }));
    await greet(LONG.name, 5, { ...full, sport: LONG.sport, sessions: stretched, day: { stops: [...long, ...long.slice(1)], route } });
  } else if (show === "notice") {
    hears.notice(event("usher.notice.v1", "gate-b", { gate: "gate-b", expires_at: iso(seconds * 1000) }));
  }
}

function sampleBox(asked: URLSearchParams, language: Language) {
  const box = readBox({
    time: venueTime(0), version: "preview", site: "preview", gates: ["gate-b"], websocket: null, login: null, language,
    theme: asked.get("theme"),
    night: asked.has("night") ? { from: "00:00", to: "23:59" } : null,
    pass_gates: asked.has("pass") ? ["gate-b"] : [],
  });
  if (!box) throw new Error("the preview's box is not one");
  return box;
}

function sessions(language: Language) {
  return [session(language, 0), session(language, 1), session(language, 2)];
}

function session(language: Language, which: number) {
  const words = SAMPLES[language];
  const starts = [42, 127, 260, 65][which] ?? 42;
  const title = words.titles[which] ?? words.titles[0];
  return { id: `sample-${which}`, title, venue: words.arena, place: words.hall, starts: venueTime(starts), ends: venueTime(starts + 75), status: "on_time" };
}

function changed(language: Language, which: number, later: number, status: string) {
  const { id: session_, ...rest } = session(language, which);
  const shift = (time: string) => venueTime(Math.round((Date.parse(time) - Date.now()) / MINUTE) + later);
  return { ...rest, session: session_, sport: SAMPLES[language].sport, gate: null as string | null, starts: shift(rest.starts), ends: shift(rest.ends), status };
}

function programme(language: Language, changes: readonly unknown[]): string {
  return event("usher.programme.v1", language, { changes });
}

function day(language: Language) {
  const words = SAMPLES[language];
  const stop = (kind: string, title: string, place: string, starts: number, ends: number, spot: keyof typeof SPOTS, rest: Record<string, unknown> = {}) => ({
    kind, title, place, starts: venueTime(starts), ends: venueTime(ends), walk_s: 0, walk_m: 0, gate: null, wait_s: 0, session: null, status: null, at: at(SPOTS[spot]), why: [], ...rest,
  });
  const held = (which: number, walk_s: number, rest: Record<string, unknown> = {}) => {
    const one = session(language, which);
    return { ...stop("session", one.title, `${words.arena} · ${words.hall}`, 0, 0, "arena"), starts: one.starts, ends: one.ends, session: one.id, status: "on_time", walk_s, ...rest };
  };
  return {
    stops: [
      stop("arrive", "gate-b", "", 0, 0, "gate", { gate: "gate-b" }),
      stop("meal", words.food, words.square, 4, 30, "food", { walk_s: 210, why: [{ is: "wish", food: "vegetarian" }, { is: "popular" }, { is: "open_until", at: "22:00" }] }),
      held(0, 340, { gate: "gate-d", wait_s: 200, why: [{ is: "favourite", sport: words.sport }] }),
      held(1, 0, { why: [{ is: "favourite", sport: words.sport }] }),
      stop("leave", words.train, "", 215, 240, "station", { walk_s: 280, why: [{ is: "departs", line: "S3", towards: words.towards, at: venueTime(221).slice(11, 16) }, { is: "step_free" }] }),
    ],
    route: ROUTE,
  };
}

function event(type: string, subject: string, data: unknown): string {
  return JSON.stringify({ specversion: "1.0", id: id(), source: "/usher/preview/box/preview", type, time: iso(0), datacontenttype: "application/json", subject, data });
}

function id(): string {
  made += 1;
  return `preview-${made}`;
}

function iso(later: number): string {
  return new Date(Date.now() + later).toISOString();
}

/** So many minutes from now, as the clocks here show it. */
function venueTime(minutes: number): string {
  const moment = new Date(Date.now() + minutes * MINUTE);
  const offset = -moment.getTimezoneOffset();
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `${new Date(moment.getTime() + offset * MINUTE).toISOString().slice(0, 19)}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
