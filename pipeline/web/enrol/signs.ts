// Signs that only these pages need, as strokes on a 24 by 24 grid.
import { svg } from "../shared/dom.ts";

const PATHS = {
  check: ["m5 12.500 4.500 4.500L19 7.500"],
  cross: ["M6 6l12 12M18 6 6 18"],
  wave: ["M7.500 12.500V6.300a1.400 1.400 0 0 1 2.800 0V11M10.300 10.500V4.400a1.400 1.400 0 0 1 2.800 0v6.100M13.100 10.500V5.300a1.400 1.400 0 0 1 2.800 0v6.200M15.900 11.500V8.300a1.400 1.400 0 0 1 2.800 0v6.200c0 4-2.700 7-6.600 7-2.800 0-4.400-1.200-5.700-3.500l-2.700-4.700c-.900-1.600 1-2.800 2.200-1.600z"],
  calendar: ["M4 6.500h16v14H4zM4 10.800h16M8.500 3.500v4.500M15.500 3.500v4.500", "m9 15.500 2 2 4-4"],
  never: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18", "M5.800 5.800l12.400 12.400"],
  face: ["M12 21.500c4.700 0 7.500-4 7.500-9.500S16.700 2.500 12 2.500 4.500 6.500 4.500 12s2.800 9.500 7.500 9.500", "M9 10.500v.600M15 10.500v.600", "M8.800 15.200c2 1.700 4.400 1.700 6.400 0"],
  code: ["M3.500 3.500h6.500v6.500H3.500zM14 3.500h6.500v6.500H14zM3.500 14h6.500v6.500H3.500z", "M14 14h2.500v2.500H14zM18.500 18.500h2v2h-2zM18.500 14h2M14 19.500v1"],
  phone: ["M7 2.500h10v19H7zM10.500 18.500h3"],
  alert: ["M12 3.500 2.500 20.500h19zM12 10v4.500M12 17.300v.400"],
  lock: ["M5.500 10.500h13v10h-13zM8.500 10.500V7a3.500 3.500 0 0 1 7 0v3.500M12 14.500v2.500"],
} as const;

export type SignName = keyof typeof PATHS;

/** A sign in the colour of the text around it. */
export function sign(name: SignName, classes = "icon"): SVGSVGElement {
  const strokes = PATHS[name].map((d) => svg("path", { d }));
  return svg("svg", { viewBox: "0 0 24 24", class: classes, fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, ...strokes);
}
