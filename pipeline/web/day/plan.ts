// The plan of a day on paper's colours: a line of stops, a map of the way, a calendar file.
import { el } from "../shared/dom.ts";
import type { Language } from "../enrol/contract.ts";
import { button, say as complain, sorryLine } from "../enrol/parts.ts";
import { wordsOf } from "../enrol/words/speak.ts";
import type { Site } from "../signage/box.ts";
import { type Day, ahead } from "../signage/day.ts";
import { drawMap } from "../signage/welcome/map.ts";
import { type Numbered, numbered, stopRows } from "../signage/welcome/timeline.ts";
import { speaker } from "../signage/words/speak.ts";

/** A day as the box told it. */
export interface Planned {
  readonly site: string;
  readonly language: string;
  readonly day: Day | null;
  readonly map: Site | null;
  readonly time: string;
  readonly expires_at: string;
}

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

/** The plan, and what can be done with it. `calendar` asks for the file when it is wanted. */
export function planSection(planned: Planned, language: Language, calendar: () => Promise<Blob | null>, urls: string[]): HTMLElement {
  const words = wordsOf(language);
  const { day } = planned;
  drawn = drawn.filter(({ room }) => room.isConnected);
  if (!day) return el("section", "day", el("p", "lead", words.day.none));
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
  );
}

/** Draws the maps that are on the page, as large as they are now. */
export function drawPlans(): void {
  for (const { room, planned, day, stops, language } of drawn) {
    if (room.isConnected) drawMap(room, planned.map, day, stops, UNIT_PX, speaker(language));
  }
}

addEventListener("resize", drawPlans);
