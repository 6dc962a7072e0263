// From degrees to pixels: north up, as much of the site as the way needs.
import type { Site } from "../box.ts";
import type { LonLat } from "../read.ts";

/** A point of the map in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const METRES_PER_DEGREE = 111_320;
/** Never closer than this, so that one building does not fill the map. */
const LEAST_M = 160;
/** Where the whole site is not much larger than the way, it is shown whole. */
const WHOLE = 2.2;

interface Frame {
  minX: number;
  minY: number;
  maxX: number;
  maxY: number;
}

/** Which pixel a position falls on, in a map of `width` by `height` pixels with a margin. Null where there is nothing to show. */
export function projection(way: readonly LonLat[], site: Site | null, width: number, height: number, margin: number): ((at: LonLat) => Point) | null {
  const first = way[0];
  if (!first) return null;
  const shrink = Math.cos((first[1] * Math.PI) / 180);
  const flat = ([lon, lat]: LonLat) => ({ x: lon * METRES_PER_DEGREE * shrink, y: -lat * METRES_PER_DEGREE });
  const needed = frameOf(way.map(flat));
  const whole = site && frameOf([...way, ...site.areas.flatMap((area) => area.outline), ...site.paths.flat()].map(flat));
  const size = (frame: Frame) => Math.max(frame.maxX - frame.minX, frame.maxY - frame.minY, LEAST_M);
  const frame = whole && size(whole) <= WHOLE * size(needed) ? whole : needed;
  const [inX, inY] = [Math.max(width - 2 * margin, 1), Math.max(height - 2 * margin, 1)];
  const scale = Math.min(inX / Math.max(frame.maxX - frame.minX, LEAST_M / 2), inY / Math.max(frame.maxY - frame.minY, LEAST_M / 2));
  const [midX, midY] = [(frame.minX + frame.maxX) / 2, (frame.minY + frame.maxY) / 2];
  return (at) => {
    const { x, y } = flat(at);
    return { x: width / 2 + (x - midX) * scale, y: height / 2 + (y - midY) * scale };
  };
}

function frameOf(points: readonly Point[]): Frame {
  const frame = { minX: Number.POSITIVE_INFINITY, minY: Number.POSITIVE_INFINITY, maxX: Number.NEGATIVE_INFINITY, maxY: Number.NEGATIVE_INFINITY };
  for (const { x, y } of points) {
    frame.minX = Math.min(frame.minX, x);
    frame.minY = Math.min(frame.minY, y);
    frame.maxX = Math.max(frame.maxX, x);
    frame.maxY = Math.max(frame.maxY, y);
  }
  return frame;
}
