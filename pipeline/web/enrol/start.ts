// Where everybody begins: two ways, equally large.
import { el, svg } from "../shared/dom.ts";
import { button, heading, sorryLine } from "./parts.ts";
import { type SignName, sign } from "./signs.ts";
import type { Station, Step } from "./visit.ts";

function way(name: SignName, title: string, note: string, classes: string, go: () => void): HTMLButtonElement {
  return button(`way ${classes}`, go, sign(name), el("b", "", title), el("span", "", note));
}

/** The screen at the gate as it will be: lanes of a track, a face, a welcome and a place for a name. */
function scene(hello: string): HTMLElement {
  const lanes = [118, 148, 178, 208, 238].map((r, i) => svg("circle", { cx: "60", cy: "372", r: String(r), class: `lane lane${i}` }));
  const track = svg("svg", { viewBox: "0 0 320 320", preserveAspectRatio: "xMidYMid slice", class: "track" }, ...lanes);
  const face = svg(
    "svg", { viewBox: "0 0 100 100", class: "portrait" },
    svg("circle", { cx: "50", cy: "50", r: "47", class: "ring" }),
    svg("circle", { cx: "50", cy: "50", r: "42", class: "plate" }),
    svg("path", { class: "person", d: "M50 47a13 13 0 1 0 0-26 13 13 0 0 0 0 26M22 81c2-16 13-26 28-26s26 10 28 26a42 42 0 0 1-56 0" }),
  );
  const made = el("div", "scene", track, el("div", "sample", face, el("span", "hello", hello), el("i", "blank")));
  made.setAttribute("aria-hidden", "true");
  return made;
}

export function startStep(station: Station, begin: (way: "face" | "plain") => void): Step {
  const words = station.words.start;
  const title = heading(words.title);
  return {
    root: el(
      "section", "card start",
      scene(station.words.tell.hello),
      el("div", "ask",
        title, el("p", "lead", words.lead), sorryLine(station.sorry),
        el("div", "ways", way("face", words.face, words.faceNote, "go", () => begin("face")), way("code", words.plain, words.plainNote, "alt", () => begin("plain"))),
        el("p", "same", words.same)),
    ),
    heading: title,
  };
}
