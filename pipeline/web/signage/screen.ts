// What is seen: one welcome at a time, and nothing of it afterwards.
import { boxNow, wallTime } from "../shared/clock.ts";
import { byId, el, svg } from "../shared/dom.ts";
import { icon, sportIcon } from "../shared/icons.ts";
import { countdown } from "./countdown.ts";
import type { Face, Greeting, Session } from "./greeting.ts";

const main = byId("greeting");
const attract = byId("attract");
const life = byId("life");
let picture: string | null = null;
let refresh: (() => void) | null = null;

/** Shows a welcome, with its face if that is there already. */
export function showGreeting(greeting: Greeting, face: Face | null): void {
  clearGreeting();
  const name = el("h1", "name", greeting.name);
  name.dir = "auto";
  const sport = el("p", "sport", icon(sportIcon(greeting.sport)), text("span", greeting.sport));
  sport.hidden = !greeting.sport;
  const who = el("section", "who", portrait(), el("p", "hello", "Welcome,"), name, sport);
  main.append(who, program(greeting));
  main.hidden = false;
  attract.hidden = true;
  document.body.dataset["state"] = "greeting";
  fit(name);
  if (face) showFace(face);
}

/** Greets somebody whom a name might wrong, and asks for the pass. */
export function showNotice(): void {
  clearGreeting();
  document.body.dataset["program"] = "none";
  const words = el("section", "program none", el("p", "wish", "Welcome!"), el("p", "wish small", "Please show your pass: we would rather not guess your name."));
  main.append(el("section", "who", portrait()), words);
  main.hidden = false;
  attract.hidden = true;
  document.body.dataset["state"] = "notice";
}

/** Puts the face into the welcome that is being shown. */
export function showFace(face: Face): void {
  const frame = main.querySelector(".face");
  if (!frame) return;
  const url = URL.createObjectURL(new Blob([face.jpeg.slice().buffer], { type: "image/jpeg" }));
  const image = el("img");
  image.alt = "";
  image.addEventListener("load", () => {
    if (picture !== url) return;
    frame.replaceChildren(image);
    frame.classList.add("seen");
  });
  image.addEventListener("error", () => URL.revokeObjectURL(url));
  if (picture) URL.revokeObjectURL(picture);
  picture = url;
  image.src = url;
}

/** Says how long the welcome stays, as a bar that runs out. */
export function showLife(from: number, until: number): void {
  const now = boxNow();
  const whole = Math.max(until - from, 1);
  const left = Math.max(until - now, 0);
  for (const running of life.getAnimations()) running.cancel();
  life.animate([{ transform: `scaleX(${left / whole})` }, { transform: "scaleX(0)" }], { duration: left, easing: "linear", fill: "forwards" });
}

/** Takes everything personal off the page. */
export function clearGreeting(): void {
  main.replaceChildren();
  if (picture) URL.revokeObjectURL(picture);
  picture = null;
  refresh = null;
}

/** Goes back to inviting. */
export function showAttract(): void {
  clearGreeting();
  for (const running of life.getAnimations()) running.cancel();
  main.hidden = true;
  attract.hidden = false;
  document.body.dataset["state"] = "idle";
}

/** Counts minutes on. */
export function tickScreen(): void {
  refresh?.();
}

function portrait(): HTMLElement {
  const ring = svg("svg", { viewBox: "0 0 100 100", class: "ring", "aria-hidden": "true" }, svg("circle", { cx: "50", cy: "50", r: "48.6" }));
  return el("div", "portrait", el("div", "face", icon("person")), ring);
}

function program(greeting: Greeting): HTMLElement {
  const now = boxNow();
  const [next, ...later] = greeting.sessions.filter((session) => Date.parse(session.ends) > now);
  if (!next) {
    document.body.dataset["program"] = "none";
    return el("section", "program none", el("p", "wish", "Good to see you."), el("p", "wish small", "Enjoy the day!"));
  }
  document.body.dataset["program"] = "some";
  const card = el("div", "next", about(next), counting(next));
  const rows = later.map((session) => {
    const time = el("time", "", wallTime(session.starts));
    return el("li", "", time, el("i"), about(session));
  });
  return el(
    "section",
    "program",
    el("h2", "", "Your next session"),
    card,
    rows.length > 0 && el("div", "later", el("h2", "", "Then"), el("ol", "", ...rows)),
  );
}

function about(session: Session): HTMLElement {
  const where = [session.venue, session.place].filter(Boolean).join(" · ");
  const place = el("p", "where", where && icon("pin"), where && el("span", "", where));
  place.dir = "auto";
  return el("div", "about", text("p", session.title, "what"), place);
}

function counting(session: Session): HTMLElement {
  const big = el("b");
  const small = el("span");
  const [starts, ends] = [Date.parse(session.starts), Date.parse(session.ends)];
  refresh = () => {
    const told = countdown(starts, ends, boxNow(), wallTime(session.starts));
    big.textContent = told.big;
    small.textContent = told.small;
  };
  refresh();
  return el("div", "count", big, small);
}

function text<K extends "p" | "span">(tag: K, words: string, classes = ""): HTMLElementTagNameMap[K] {
  const element = el(tag, classes, words);
  element.dir = "auto";
  return element;
}

// A screen that is turned is a screen all the same.
addEventListener("resize", () => {
  const name = main.querySelector<HTMLElement>(".name");
  if (name) fit(name);
});

/** Makes a long name smaller until it fits into two lines, then lets it be cut. */
function fit(name: HTMLElement): void {
  for (let size = 10; size >= 4; size -= 0.5) {
    name.style.setProperty("--size", String(size));
    const line = Number.parseFloat(getComputedStyle(name).lineHeight);
    if (name.scrollHeight <= line * 2.2 && name.scrollWidth <= name.clientWidth + 1) return;
  }
}
