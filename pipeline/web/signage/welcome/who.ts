// Who is welcomed: face, name and sport of one, or of up to six together.
import { el, svg } from "../../shared/dom.ts";
import { icon, sportIcon } from "../../shared/icons.ts";
import type { Face, Greeting } from "../greeting.ts";
import type { Speaker } from "../words/speak.ts";
import { foreign } from "./text.ts";

interface Portrait {
  readonly element: HTMLElement;
  url: string | null;
}

/** Portraits of those shown, by visit; whoever leaves takes theirs along. */
const portraits = new Map<string, Portrait>();

/** The part of a welcome that says who is meant. */
export function who(greetings: readonly Greeting[], say: Speaker): HTMLElement {
  const [first] = greetings;
  const several = greetings.length > 1;
  const hello = el("p", "hello", several ? say.words.helloAll : say.words.hello);
  const section = el("section", "who");
  section.dataset["count"] = String(greetings.length);
  if (!several && first) {
    section.append(portrait(first.visit), hello, name("h1", first.name), sport(first.sport));
    return section;
  }
  const people = greetings.map((greeting) => el("div", "person", portrait(greeting.visit), name("p", greeting.name), sport(greeting.sport)));
  section.append(hello, el("div", "people", ...people));
  return section;
}

/** A frame without a face, for whom no name is risked. */
export function nobody(): HTMLElement {
  return el("section", "who", frame());
}

/** Puts a face into its frame; true where there is one without. */
export function putFace(face: Face): boolean {
  const portrait = portraits.get(face.visit);
  const place = portrait?.element.querySelector(".face");
  if (!portrait || !place || portrait.url) return false;
  const url = URL.createObjectURL(new Blob([face.jpeg], { type: "image/jpeg" }));
  portrait.url = url;
  const image = el("img");
  image.alt = "";
  image.addEventListener("load", () => {
    if (portrait.url !== url) return;
    place.replaceChildren(image);
    place.classList.add("seen");
  });
  image.addEventListener("error", () => URL.revokeObjectURL(url));
  image.src = url;
  return true;
}

/** Lets go of every face but those of these visits. */
export function keepFaces(visits: readonly string[]): void {
  for (const [visit, { element, url }] of portraits) {
    if (visits.includes(visit)) continue;
    element.remove();
    element.replaceChildren();
    if (url) URL.revokeObjectURL(url);
    portraits.delete(visit);
  }
}

function portrait(visit: string): HTMLElement {
  const known = portraits.get(visit);
  if (known) return known.element;
  const element = frame();
  portraits.set(visit, { element, url: null });
  return element;
}

function frame(): HTMLElement {
  const ring = svg("svg", { viewBox: "0 0 100 100", class: "ring", "aria-hidden": "true" }, svg("circle", { cx: "50", cy: "50", r: "48.6" }));
  return el("div", "portrait", el("div", "face", icon("person")), ring);
}

function name(tag: "h1" | "p", text: string): HTMLElement {
  return foreign(tag, text, "name");
}

function sport(text: string): HTMLElement {
  const element = el("p", "sport", icon(sportIcon(text)), foreign("span", text));
  element.hidden = !text;
  return element;
}
