// What those who are shown have before them: their next sessions, and the day with its map.
import { el } from "../../shared/dom.ts";
import type { Site } from "../box.ts";
import { type Day, type Stop, ahead } from "../day.ts";
import type { Greeting } from "../greeting.ts";
import type { Speaker } from "../words/speak.ts";
import { fitProgram } from "./fit.ts";
import { drawMap } from "./map.ts";
import { type Wanted, card, merged, row } from "./sessions.ts";
import { takeCard } from "./take.ts";
import { numbered, stopRows } from "./timeline.ts";
import { located } from "./where.ts";

/** Rows below the next session, without a day and with one. */
const MOST_ROWS = 4;
const MOST_ROWS_OF_A_DAY = 2;
const EVENING = 17;

/** A programme on the screen. */
export interface Program {
  readonly element: HTMLElement;
  /** Counts on. */
  tick(now: number): void;
  /** Makes it fit into the room it has, once it is on the page and whenever that changes. */
  fit(unit: number): void;
}

/** The programme of one visitor or of a party. */
export function program(greetings: readonly Greeting[], site: Site | null, now: number, say: Speaker): Program {
  const { words } = say;
  const [next, ...later] = merged(greetings, now);
  const planned = dayOf(greetings, now);
  const day = planned && located(planned, site);
  const take = greetings.find((greeting) => greeting.take !== null)?.take ?? null;
  if (!next && !day) {
    const element = el("section", "program none", el("p", "wish", words.good), el("p", "wish small", words.enjoy), take && takeCard(take, say));
    return { element, tick: () => undefined, fit: () => undefined };
  }
  const element = el("section", "program");
  let tick: (now: number) => void = () => undefined;
  if (next) {
    const shown = card(next, greetings.length, now, say);
    tick = shown.tick;
    element.append(el("div", "top", el("h2", "", words.next), shown.element));
  }
  // The day says what its owner's sessions are; those of others, and what is not as announced, it may not.
  const inDay = new Set(day?.stops.map((stop) => stop.session).filter(Boolean));
  const told = ({ session, names }: Wanted) => session.status !== "on_time" || names.some((name) => !next?.names.includes(name));
  const rows = day ? later.filter((wanted) => !inDay.has(wanted.session.id) && told(wanted)).slice(0, MOST_ROWS_OF_A_DAY) : later.slice(0, MOST_ROWS);
  if (rows.length > 0) element.append(el("div", "later", el("h2", "", words.then), el("ol", "", ...rows.map((wanted) => row(wanted, greetings.length, say)))));
  if (!day) {
    if (take) element.append(takeCard(take, say));
    return { element, tick, fit: () => void fitProgram(element) };
  }
  return withDay(element, tick, day, take, site, now, say);
}

function withDay(element: HTMLElement, tick: (now: number) => void, day: Day, take: string | null, site: Site | null, now: number, say: Speaker): Program {
  const stops = numbered(day.stops);
  const more = el("p", "more");
  const list = el("ol", "stops", ...stopRows(stops, say));
  const line = el("div", "line", el("h2", "", headingOf(day.stops, now, say)), list, more);
  const mapped = day.route.length > 1 || stops.some(({ stop, number }) => stop.at !== null && number !== null);
  const map = mapped ? el("div", "map") : null;
  const side = map || take ? el("div", "side", map, take && takeCard(take, say)) : null;
  element.dataset["day"] = "yes";
  element.append(el("div", "plan", line, side));
  const fit = (unit: number) => {
    more.textContent = "";
    more.hidden = true;
    let left = fitProgram(element);
    if (left > 0) {
      // The words that say so take room as well.
      more.hidden = false;
      more.textContent = say.plural(left, say.words.more);
      left = fitProgram(element);
      more.textContent = say.plural(left, say.words.more);
    }
    if (map) drawMap(map, site, day, stops, unit, say);
  };
  return { element, tick, fit };
}

/** The first day there is among them: a party walks together. */
function dayOf(greetings: readonly Greeting[], now: number): Day | null {
  for (const { day } of greetings) {
    const stops: readonly Stop[] = day ? ahead(day, now) : [];
    if (day && stops.some((stop) => stop.kind !== "arrive")) return { ...day, stops };
  }
  return null;
}

function headingOf(stops: readonly Stop[], now: number, say: Speaker): string {
  const first = stops.find((stop) => stop.kind !== "arrive" && Date.parse(stop.ends) > now) ?? stops[0];
  const hour = Number(first?.starts.slice(11, 13) ?? 0);
  return hour >= EVENING ? say.words.evening : say.words.day;
}
