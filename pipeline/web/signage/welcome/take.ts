// The symbol by which a visitor takes the day along.
import { encode } from "uqr";
import { el, svg } from "../../shared/dom.ts";
import type { Speaker } from "../words/speak.ts";

/** Light modules around the symbol, as ISO/IEC 18004 asks for. */
const QUIET = 4;

/** A card with the symbol and what to do with it. */
export function takeCard(url: string, say: Speaker): HTMLElement {
  return el("div", "take", symbol(url), el("p", "", el("b", "", say.words.take), el("span", "", say.words.takeHow)));
}

function symbol(url: string): SVGSVGElement {
  const { data, size } = encode(url, { ecc: "M", border: 0 });
  const rows = data.map((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")).join(""));
  const whole = String(size + 2 * QUIET);
  return svg(
    "svg",
    { viewBox: `0 0 ${whole} ${whole}`, class: "qr", "shape-rendering": "crispEdges", "aria-hidden": "true" },
    svg("rect", { width: whole, height: whole, fill: "#fff" }),
    svg("path", { d: rows.join(""), fill: "#000" }),
  );
}
