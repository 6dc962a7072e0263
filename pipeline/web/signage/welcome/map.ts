// A small map of the visitor's way, drawn from the venue's own GeoJSON.
import { svg } from "../../shared/dom.ts";
import type { Area, Site } from "../box.ts";
import type { Day } from "../day.ts";
import type { LonLat } from "../read.ts";
import type { Speaker } from "../words/speak.ts";
import { type Box, type Wish, apart, placed } from "./labels.ts";
import { type Point, projection } from "./project.ts";
import { type Numbered, titleOf } from "./timeline.ts";

const MOST_LETTERS = 24;
const MOST_NAMES = 12;

interface Named extends Wish {
  readonly text: string;
  readonly classes: string;
  /** From the box's upper edge to the line that the letters stand on. */
  readonly rise: number;
}

/** Draws the map into `room`, as large as that is; nothing where no stop has a position. `unit` is a hundredth of the screen, in pixels. */
export function drawMap(room: HTMLElement, site: Site | null, day: Day, stops: readonly Numbered[], unit: number, say: Speaker): void {
  const [width, height] = [room.clientWidth, room.clientHeight];
  const here = stops.find(({ number }) => number === null)?.stop.at ?? day.route[0] ?? null;
  const way: LonLat[] = [...day.route, ...stops.flatMap(({ stop }) => (stop.at ? [stop.at] : [])), ...(here ? [here] : [])];
  const spot = projection(way, site, width, height, unit * 4);
  if (!spot || width < unit * 10 || height < unit * 10) {
    room.replaceChildren();
    return;
  }
  const bounds: Box = { x: 0, y: 0, w: width, h: height };
  const radius = unit * 1.9;
  const discs = stops.filter(({ stop, number }) => stop.at !== null && number !== null);
  // The visitor's own place is a disc among them: nothing may cover it.
  const meant = [...(here ? [spot(here)] : []), ...discs.map(({ stop }) => spot(stop.at as LonLat))];
  const spots = apart(meant, radius, bounds);
  const hereSpot = here ? spots[0] : undefined;
  const discSpots = here ? spots.slice(1) : spots;
  const route = day.route.map(spot);

  const wishes = names(site, stops, discs, discSpots, hereSpot, spot, bounds, radius, unit, say);
  const taken = spots.map(({ x, y }) => ({ x: x - radius, y: y - radius, w: 2 * radius, h: 2 * radius }));
  const boxes = placed(wishes, bounds, taken, sampled(route, unit));

  const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": say.words.map });
  drawing.append(...(site ? ground(site, spot, bounds, unit) : []));
  if (route.length > 1) drawing.append(svg("path", { class: "way under", d: pathOf(route) }), svg("path", { class: "way", d: pathOf(route) }));
  spots.forEach((at, i) => {
    const from = meant[i];
    if (from && Math.hypot(from.x - at.x, from.y - at.y) > radius) drawing.append(svg("path", { class: "leader", d: pathOf([from, at]) }));
  });
  wishes.forEach((wish, i) => {
    const box = boxes[i];
    if (box) drawing.append(write(wish.text, box.x + box.w / 2, box.y + wish.rise, { class: wish.classes }));
  });
  if (hereSpot) {
    const at = { cx: hereSpot.x.toFixed(1), cy: hereSpot.y.toFixed(1) };
    drawing.append(svg("circle", { class: "pulse", ...at, r: String(radius) }), svg("circle", { class: "here", ...at, r: (radius * 0.72).toFixed(1) }));
  }
  discs.forEach(({ stop, number }, i) => {
    const at = discSpots[i];
    if (!at) return;
    const disc = svg("g", { class: "disc", "data-kind": stop.kind, "data-status": stop.status }, svg("circle", { cx: at.x.toFixed(1), cy: at.y.toFixed(1), r: radius.toFixed(1) }));
    disc.append(write(say.number(number ?? 0), at.x, at.y, { "dominant-baseline": "central" }));
    drawing.append(disc);
  });
  room.replaceChildren(drawing);
}

/** What is to be named, the most needed first. */
function names(
  site: Site | null, stops: readonly Numbered[], discs: readonly Numbered[], discSpots: readonly Point[], hereSpot: Point | undefined,
  spot: (at: LonLat) => Point, bounds: Box, radius: number, unit: number, say: Speaker,
): Named[] {
  const found: Named[] = [];
  const said = new Set<string>();
  const wish = (text: string, classes: string, at: Point, r: number, size: number) => {
    const letters = Array.from(text);
    const short = letters.length > MOST_LETTERS ? `${letters.slice(0, MOST_LETTERS - 1).join("")}…` : text;
    const key = short.toLocaleLowerCase();
    if (!short || said.has(key)) return;
    said.add(key);
    const { width, ascent, descent } = sizeOf(short, size);
    found.push({ text: short, classes, x: at.x, y: at.y, r, w: width + unit, h: ascent + descent, rise: ascent });
  };
  if (hereSpot) wish(say.words.here, "label you", hereSpot, radius, unit * 2.3);
  const venues = new Set(stops.map(({ stop }) => stop.place.split(" · ")[0] ?? ""));
  discs.forEach(({ stop }, i) => {
    const at = discSpots[i];
    const venue = stop.kind === "session" ? (stop.place.split(" · ")[0] ?? "") : "";
    if (at) wish(venue || titleOf(stop, say), "label", at, radius, unit * 2.1);
  });
  const areas = (site?.areas ?? []).filter((area) => area.name && !venues.has(area.name)).map((area) => ({ area, at: centre(area, spot) }));
  for (const { area, at } of areas.filter(({ at }) => inside(at, bounds)).slice(0, MOST_NAMES)) wish(area.name, "label area", at, 0, unit * 1.9);
  return found;
}

function ground(site: Site, spot: (at: LonLat) => Point, bounds: Box, unit: number): SVGElement[] {
  const drawn: SVGElement[] = [];
  const near = (points: readonly Point[]) => {
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    return Math.max(...xs) >= 0 && Math.max(...ys) >= 0 && Math.min(...xs) <= bounds.w && Math.min(...ys) <= bounds.h;
  };
  for (const area of site.areas) {
    const points = area.outline.map(spot);
    if (near(points)) drawn.push(svg("path", { class: "ground", "data-kind": area.kind, d: `${pathOf(points)}z` }));
  }
  const paths = site.paths.map((path) => path.map(spot)).filter(near).map(pathOf).join("");
  if (paths) drawn.push(svg("path", { class: "path", d: paths }));
  for (const place of site.places) {
    const at = spot(place.at);
    if (inside(at, bounds)) drawn.push(svg("circle", { class: "spot", "data-kind": place.kind, cx: at.x.toFixed(1), cy: at.y.toFixed(1), r: (unit * 0.45).toFixed(1) }));
  }
  return drawn;
}

function write(text: string, x: number, y: number, how: Record<string, string>): SVGTextElement {
  const words = svg("text", { ...how, x: x.toFixed(1), y: y.toFixed(1), "text-anchor": "middle" });
  words.textContent = text;
  return words;
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function inside({ x, y }: Point, box: Box): boolean {
  return x >= box.x && y >= box.y && x <= box.x + box.w && y <= box.y + box.h;
}

function centre(area: Area, spot: (at: LonLat) => Point): Point {
  const points = area.outline.map(spot);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: (Math.min(...ys) + Math.max(...ys)) / 2 };
}

/** Points along a line, close enough that no word hides between two. */
function sampled(points: readonly Point[], step: number): Point[] {
  return points.flatMap((to, i) => {
    const from = points[i - 1] ?? to;
    const steps = Math.min(Math.max(Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / step), 1), 400);
    return Array.from({ length: steps }, (_, n) => ({ x: from.x + ((to.x - from.x) * (n + 1)) / steps, y: from.y + ((to.y - from.y) * (n + 1)) / steps }));
  });
}

let pen: CanvasRenderingContext2D | null = null;

/** How much room words take; some scripts' letters are far taller than their size says. */
function sizeOf(text: string, size: number): { width: number; ascent: number; descent: number } {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return { width: text.length * size, ascent: size, descent: size * 0.3 };
  pen.font = `700 ${size}px ${getComputedStyle(document.body).fontFamily}`;
  const { width, fontBoundingBoxAscent, fontBoundingBoxDescent, actualBoundingBoxAscent, actualBoundingBoxDescent } = pen.measureText(text);
  const [ascent, descent] = [Math.max(fontBoundingBoxAscent, actualBoundingBoxAscent), Math.max(fontBoundingBoxDescent, actualBoundingBoxDescent)];
  return { width, ascent, descent };
}
