// The outline a face belongs into, over the camera's picture; its colour says how near one is.
import { svg } from "../shared/dom.ts";

const OVAL = "M150 56c-54 0-88 46-88 114s38 118 88 118 88-50 88-118-34-114-88-114z";

/** Whole in any shape of picture; what is outside of it is dimmed as far as the picture goes. */
export function oval(): SVGSVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 300 344", preserveAspectRatio: "xMidYMid meet", class: "oval", "aria-hidden": "true" },
    svg("path", { class: "dimmed", "fill-rule": "evenodd", d: `M-2000-2000h5000v5000h-5000z${OVAL}` }),
    svg("path", { class: "outline", d: OVAL }),
  );
}
