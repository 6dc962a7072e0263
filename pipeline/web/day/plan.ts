// The plan of a day on paper's colours: a line of stops, a map of the way, a calendar file.
import { el } from "../shared/dom.ts";
import type { Answer, Language } from "../enrol/contract.ts";
import { button, say as complain, sorryLine } from "../enrol/parts.ts";
import { wordsOf } from "../enrol/words/speak.ts";
import { type Day, ahead } from "../signage/day.ts";
import type { LonLat } from "../signage/read.ts";
import { drawMap } from "../signage/welcome/map.ts";
import { type Numbered, numbered, stopRows } from "../signage/welcome/timeline.ts";
import { speaker } from "../signage/words/speak.ts";
import type { Found, Planned } from "./ask.ts";
import { nearbySection } from "./nearby.ts";

interface Drawn {
  readonly room: HTMLElement;
  readonly planned: Planned;
  readonly day: Day;
  readonly stops: readonly Numbered[];
  readonly language: Language;
}

let drawn: Drawn[] = [];
/** One unit of the map's letters and discs, in pixels; `stops.css` writes its letters in the same sizes. */
const UNIT_PX = 6;

/** What a plan asks the box for when somebody wants it. */
export interface Asks {
  readonly calendar: () => Promise<Blob | null>;
  readonly nearby: (at: LonLat | null) => Promise<Answer<Found>>;
}

/** The plan, and what can be done with it. */
export function planSection(planned: Planned, language: Language, { calendar, nearby }: Asks, urls: string[]): HTMLElement {
  const words = wordsOf(language);
  const { day } = planned;
  drawn = drawn.filter(({ room }) => room.isConnected);
  if (!day) return el("section", "day", el("p", "lead", words.day.none), nearbySection(language, nearby));
  const say = speaker(language);
  const stops = numbered(ahead(day, Date.parse(planned.time)));
  const room = el("div", "map");
  drawn.push({ room, planned, day, stops, language });
  const wrong = sorryLine("");
  const save = button("alt", () => void keep(), words.day.calendar);
  async function keep(): Promise<void> {
    complain(wrong, "");
    const file = await calendar();
    if (!file) return complain(wrong, words.away);
    const link = el("a");
    link.href = URL.createObjectURL(file);
    urls.push(link.href);
    link.download = "day.ics";
    link.click();
  }
  return el(
    "section", "day",
    el("ol", "stops", ...stopRows(stops, say)),
    planned.map ? room : null,
    wrong,
    el("div", "buttons", save, button("alt", () => window.print(), words.pass.print)),
    el("small", "", words.day.note),
    nearbySection(language, nearby),
  );
}

/** Draws the maps that are on the page, as large as they are now. */
export function drawPlans(): void {
  for (const { room, planned, day, stops, language } of drawn) {
    if (room.isConnected) drawMap(room, planned.map, day, stops, UNIT_PX, speaker(language));
  }
}

addEventListener("resize", drawPlans);
