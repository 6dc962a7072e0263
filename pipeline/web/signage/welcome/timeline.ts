// The day as a line of stops: when, what, how to get there, and why.
import { el } from "../../shared/dom.ts";
import { icon } from "../../shared/icons.ts";
import type { Stop, Why } from "../day.ts";
import type { Speaker } from "../words/speak.ts";
import { badge } from "./sessions.ts";
import { foreign, gateOf, minutesOf } from "./text.ts";

/** A stop with the number that it bears on the map; the one where the visitor is has none. */
export interface Numbered {
  readonly stop: Stop;
  readonly number: number | null;
}

/** Gives the stops their numbers. */
export function numbered(stops: readonly Stop[]): Numbered[] {
  let number = 0;
  return stops.map((stop, i) => {
    if (i === 0 && stop.kind === "arrive") return { stop, number: null };
    number += 1;
    return { stop, number };
  });
}

/** All stops. A favourite is named once, not at each of its sessions. */
export function stopRows(stops: readonly Numbered[], say: Speaker): HTMLElement[] {
  const named = new Set<string>();
  return stops.map(({ stop, number }) => {
    const why = stop.why.filter((why) => why.is !== "favourite" || !named.has(why.sport));
    for (const one of why) if (one.is === "favourite") named.add(one.sport);
    return stopRow({ stop: { ...stop, why }, number }, say);
  });
}

function stopRow({ stop, number }: Numbered, say: Speaker): HTMLElement {
  const dot = el("i", "dotted", number === null ? null : say.number(number));
  const told = badge(stop.status, say);
  const title = el("p", "title", foreign("b", titleOf(stop, say)), told);
  const way = ways(stop, say);
  const reasons = reasonsOf(stop, say);
  const place = stop.place && stop.place !== stop.title ? [foreign("span", stop.place)] : [];
  // Where a session is held must be read; of a meal, why it is this one.
  const note = el("p", "note", ...between(stop.kind === "session" ? [...way, ...place, ...reasons] : [...way, ...reasons, ...place]));
  note.hidden = note.childNodes.length === 0;
  const element = el("li", "stop", el("time", "", say.clock(stop.starts)), dot, el("div", "about", title, note));
  element.dataset["kind"] = stop.kind;
  element.dataset["status"] = stop.status;
  if (stop.session) element.dataset["session"] = stop.session;
  return element;
}

/** What a stop is called. A gate comes by the name that it has in the configuration. */
export function titleOf(stop: Stop, say: Speaker): string {
  if (isGate(stop)) return stop.kind === "arrive" ? say.words.stops.arrive : gateOf(stop.gate, say);
  return stop.title || say.words.stops[stop.kind];
}

function isGate(stop: Stop): boolean {
  return stop.gate !== "" && stop.title === stop.gate;
}

/** So many seconds on foot. */
export function walkOf(seconds: number, say: Speaker): HTMLElement {
  return el("span", "walk", icon("walk"), say.words.walk(minutesOf(seconds, say)));
}

function ways(stop: Stop, say: Speaker): HTMLElement[] {
  const found: HTMLElement[] = [];
  if (stop.walk > 0) found.push(walkOf(stop.walk, say));
  const gate = stop.gate && gateOf(stop.gate, say);
  if (gate && (stop.kind === "arrive" || !isGate(stop))) found.push(el("span", "", gate));
  if (gate && stop.wait > 0) found.push(el("span", "wait", say.words.wait(minutesOf(stop.wait, say))));
  return found;
}

/** What speaks for a place, in words; how near it is only where no way to it is told. */
export function reasonsOf({ why, walk }: Pick<Stop, "why" | "walk">, say: Speaker): HTMLElement[] {
  return why.flatMap((why) => {
    const reason = reasonOf(why, walk, say);
    return reason ? [el("span", "why", reason)] : [];
  });
}

/** A reason in words; empty where the row says it already. */
function reasonOf(why: Why, walk: number, say: Speaker): string {
  const { why: words } = say.words;
  switch (why.is) {
    case "favourite":
      return words.favourite(say.foreign(why.sport));
    case "wish":
      return say.food(why.food);
    case "near":
      return walk > 0 ? "" : words.near(say.minutes(why.minutes));
    case "popular":
      return words.popular;
    case "quiet":
      return words.quiet;
    case "open_until":
      return words.openUntil(say.hours(why.at));
    case "step_free":
      return words.stepFree;
    case "departs": {
      const [line, at] = [say.foreign(why.line), say.hours(why.at)];
      return why.towards ? words.departs(line, say.foreign(why.towards), at) : words.departsAt(line, at);
    }
  }
}

/** Parts of a line, with dots between. */
export function between(parts: readonly HTMLElement[]): (HTMLElement | string)[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [" · ", part]));
}
