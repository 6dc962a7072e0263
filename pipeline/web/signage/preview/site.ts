// An invented site for the preview: where things are, in metres from its middle, and the ways between.
import type { Sample } from "./samples.ts";

type Metres = readonly [number, number];
const ORIGIN = { lon: 10.4, lat: 52.2 };

/** Metres east and north of the site's middle, as longitude and latitude. */
export function at([east, north]: Metres): [number, number] {
  return [ORIGIN.lon + east / (111_320 * Math.cos((ORIGIN.lat * Math.PI) / 180)), ORIGIN.lat + north / 111_320];
}

export const SPOTS = {
  gate: [-250, -210], food: [-70, -60], rest: [-30, 150], arena: [190, 120], pool: [170, -150], station: [300, 30],
} as const satisfies Record<string, Metres>;

const box = (x: number, y: number, w: number, h: number): Metres[] => [[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]];
const oval = (x: number, y: number, rx: number, ry: number): Metres[] => Array.from({ length: 33 }, (_, i) => [x + rx * Math.cos((i * Math.PI) / 16), y + ry * Math.sin((i * Math.PI) / 16)] as const);
const bar: Metres[][] = [
  [[-300, -210], [-120, -210], [-120, -60], [60, -60], [60, 120], [190, 120]],
  [[-120, -60], [-120, 150], [60, 150]],
  [[60, -60], [60, -150], [170, -150]],
  [[60, 30], [300, 30]],
  [[-120, -210], [60, -210], [60, -150]],
];

/** The way of the sample day, gate to station. */
export const ROUTE: readonly [number, number][] = ([[-250, -210], [-120, -210], [-120, -60], [-70, -60], [60, -60], [60, 120], [190, 120], [60, 120], [60, 30], [300, 30]] as Metres[]).map(at);

/** The answer of `/api/map`. */
export function sampleSite(words: Sample): unknown {
  const area = (kind: string, name: string, outline: readonly Metres[]) => ({ kind, name, outline: outline.map(at) });
  return {
    areas: [
      area("green", "", box(-1200, -1200, 2400, 2400)),
      area("water", words.lake, oval(-215, 110, 70, 100)),
      area("square", words.square, box(-100, -40, 130, 120)),
      area("building", words.arena, oval(215, 165, 85, 60)),
      area("building", words.pool, box(120, -230, 130, 62)),
      area("pitch", words.stadium, oval(-25, -150, 62, 42)),
      area("building", "", box(-290, -180, 70, 60)),
    ],
    paths: bar.map((path) => path.map(at)),
    places: [
      { kind: "toilets", name: "", at: at([-140, -100]) },
      { kind: "water", name: "", at: at([80, 0]) },
      { kind: "transit", name: words.train, at: at(SPOTS.station) },
    ],
  };
}
