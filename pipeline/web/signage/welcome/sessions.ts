// What comes next: one session large, the others as rows.
import { el } from "../../shared/dom.ts";
import { icon, sportIcon } from "../../shared/icons.ts";
import { countdown } from "../countdown.ts";
import type { Greeting, Session } from "../greeting.ts";
import type { Status } from "../read.ts";
import type { Speaker } from "../words/speak.ts";
import { foreign } from "./text.ts";

/** A session and who of those shown it is for. */
export interface Wanted {
  readonly session: Session;
  readonly sport: string;
  readonly names: readonly string[];
}

/** The sessions of all who are shown, soonest first, each once; what is over at `now` is left out. */
export function merged(greetings: readonly Greeting[], now: number): Wanted[] {
  const byKey = new Map<string, { session: Session; sport: string; names: string[] }>();
  for (const greeting of greetings) {
    for (const session of greeting.sessions) {
      if (Date.parse(session.ends) <= now) continue;
      const key = session.id || JSON.stringify([session.title, session.venue, session.starts]);
      const known = byKey.get(key);
      if (known) known.names.push(greeting.name);
      else byKey.set(key, { session, sport: greeting.sport, names: [greeting.name] });
    }
  }
  return [...byKey.values()].sort((a, b) => Date.parse(a.session.starts) - Date.parse(b.session.starts));
}

/** How a session is held, where that is not as announced. */
export function badge(status: Status, say: Speaker): HTMLElement | null {
  if (status === "on_time") return null;
  const element = el("span", "badge", say.words.status[status]);
  element.dataset["status"] = status;
  return element;
}

/** The next session, with what counts down to it; `tick` moves it on. */
export function card(wanted: Wanted, of: number, now: number, say: Speaker): { element: HTMLElement; tick: (now: number) => void } {
  const { session } = wanted;
  const big = el("b");
  const small = el("span");
  const count = el("div", "count", big, small);
  const tick = (at: number) => {
    const told = countdown(session.starts, session.ends, at, say);
    const off = session.status === "cancelled";
    big.textContent = off ? say.clock(session.starts) : told.big;
    small.textContent = off ? say.words.status.cancelled : told.small;
  };
  tick(now);
  const element = el("div", "next", about(wanted, of, say, true), count);
  element.dataset["status"] = session.status;
  if (session.id) element.dataset["session"] = session.id;
  return { element, tick };
}

/** Another session, as one row. */
export function row(wanted: Wanted, of: number, say: Speaker): HTMLElement {
  const { session } = wanted;
  const element = el("li", "", el("time", "", say.clock(session.starts)), el("i"), about(wanted, of, say, false));
  element.dataset["status"] = session.status;
  if (session.id) element.dataset["session"] = session.id;
  return element;
}

function about({ session, sport, names }: Wanted, of: number, say: Speaker, large: boolean): HTMLElement {
  const where = [session.venue, session.place].filter(Boolean).join(" · ");
  const place = el("p", "where", where && icon("pin"), where && foreign("span", where));
  place.hidden = !where;
  // With several on the screen it is said whose session this is, unless it is everybody's.
  const whose = names.length < of && el("p", "whose", sport && icon(sportIcon(sport)), el("span", "", say.words.forWhom(say.names(names))));
  const told = badge(session.status, say);
  const title = foreign("p", session.title, "what");
  return el("div", "about", told && large && el("p", "told", told), title, !large && told, place, whose);
}
