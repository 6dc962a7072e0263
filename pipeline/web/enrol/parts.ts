// The parts that every step is made of.
import { el } from "../shared/dom.ts";
import { sign } from "./signs.ts";

type Child = Node | string | null | false;

/** A button; never one that submits. */
export function button(classes: string, press: () => void, ...children: Child[]): HTMLButtonElement {
  const made = el("button", classes, ...children);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}

/** A heading that takes the focus when its step is shown. */
export function heading(text: string): HTMLHeadingElement {
  const made = el("h1", "", text);
  made.tabIndex = -1;
  return made;
}

/** What went wrong, said at once. */
export function sorryLine(text: string): HTMLElement {
  const made = el("p", "sorry", text && sign("alert"), text && el("span", "", text));
  made.setAttribute("role", "alert");
  return made;
}

/** Says something else in a line made by `sorryLine`. */
export function say(line: HTMLElement, text: string): void {
  line.replaceChildren(...(text ? [sign("alert"), el("span", "", text)] : []));
}

/** Most of a text that is drawn: far above any name, far below what keeps a tablet busy for a minute. */
const DRAWN = 1_000;

/** A person's own words: their direction is their own, whatever the page's. */
export function own(text: string, classes = ""): HTMLElement {
  const made = el("bdi", classes, text.slice(0, DRAWN));
  made.dir = "auto";
  return made;
}

/** A control with its label and a note; what is wrong with it is told by an element `ID-wrong`. `beside` stands in its row. */
export function field(id: string, label: string, control: HTMLElement, note: string, rest: readonly Node[] = [], beside: HTMLElement | null = null): HTMLElement {
  const name = el("label", "", label);
  name.htmlFor = control.id = id;
  const small = el("small", "", note);
  small.id = `${id}-note`;
  if (note) control.setAttribute("aria-describedby", `${id}-note ${id}-wrong`);
  return el("div", "field", name, note ? small : null, beside ? el("div", "beside-field", control, beside) : control, ...rest);
}

/** How far one has come, drawn. */
export function crumbs(step: number, of: number, label: string): HTMLElement {
  const made = el("div", "crumbs", ...Array.from({ length: of }, (_, i) => el("i", i < step ? "on" : "")));
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}

/** Something to be kept as a file of the reader's own. */
export function download(label: string, name: string, body: object, urls: string[]): HTMLAnchorElement {
  const made = el("a", "button alt", label);
  const url = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
  urls.push(url);
  made.href = url;
  made.download = name;
  return made;
}

/** A QR code from the box as a picture: whatever it holds, nothing of it runs. */
export function codePicture(markup: string, label: string, urls: string[]): HTMLImageElement {
  const made = el("img", "code");
  const url = URL.createObjectURL(new Blob([markup], { type: "image/svg+xml" }));
  urls.push(url);
  made.src = url;
  made.alt = label;
  return made;
}
