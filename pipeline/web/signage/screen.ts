// What is seen: one welcome at a time, and nothing of it afterwards.
import { boxNow } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import type { Site } from "./box.ts";
import type { Face, Greeting } from "./greeting.ts";
import { fitName } from "./welcome/fit.ts";
import { type Program, program } from "./welcome/program.ts";
import { keepFaces, nobody, putFace, who } from "./welcome/who.ts";
import { type Speaker, speaker } from "./words/speak.ts";

const main = byId("greeting");
const life = byId("life");
const quiet = matchMedia("(prefers-reduced-motion: reduce)");

let shown: { greetings: readonly Greeting[]; program: Program | null } | null = null;
let venue: Speaker = speaker("en");
let site: Site | null = null;

/** Takes in what the venue speaks and how its site is drawn. */
export function setVenue(say: Speaker): void {
  venue = say;
  if (!shown) speak(venue);
}

export function setSite(map: Site | null): void {
  site = map;
}

/** Shows a welcome of one or several; whoever is shown already stays where they are. */
export function showWelcome(greetings: readonly Greeting[]): void {
  const fresh = shown === null;
  const [first] = greetings;
  if (!first) return;
  const say = speaker(first.language, venue.language);
  speak(say);
  keepFaces(greetings.map((greeting) => greeting.visit));
  // Strangers who are welcomed at once because so many came have no programme in common, and it would be nobody's to read.
  const together = greetings.length === 1 || greetings.every((greeting) => greeting.party !== null && greeting.party === first.party);
  const told = together ? program(greetings, site, boxNow(), say) : null;
  main.replaceChildren(who(greetings, say), ...(told ? [told.element] : []));
  shown = { greetings, program: told };
  main.dataset["count"] = String(greetings.length);
  main.dataset["with"] = !told ? "nothing" : told.element.dataset["day"] === "yes" ? "day" : told.element.classList.contains("none") ? "wish" : "sessions";
  main.dataset["fresh"] = String(fresh);
  main.hidden = false;
  state("greeting");
  fit();
}

/** Puts the face into the welcome that is being shown. */
export function showFace(face: Face): void {
  putFace(face);
}

/** Greets somebody whom a name might wrong, and asks for the pass. */
export function showNotice(): void {
  clearGreeting();
  const { welcome, pass } = venue.words.notice;
  main.append(nobody(), el("section", "program none", el("p", "wish", welcome), el("p", "wish small", pass)));
  main.dataset["count"] = "1";
  main.dataset["with"] = "wish";
  main.dataset["fresh"] = "true";
  main.hidden = false;
  state("notice");
}

/** Says how long the welcome stays, as a bar that runs out. */
export function showLife(from: number, until: number): void {
  const now = boxNow();
  const whole = Math.max(until - from, 1);
  const left = Math.max(until - now, 0);
  for (const running of life.getAnimations()) running.cancel();
  if (quiet.matches) return;
  life.animate([{ transform: `scaleX(${left / whole})` }, { transform: "scaleX(0)" }], { duration: left, easing: "linear", fill: "forwards" });
}

/** Takes everything personal off the page. */
export function clearGreeting(): void {
  main.replaceChildren();
  keepFaces([]);
  shown = null;
  for (const running of life.getAnimations()) running.cancel();
  speak(venue);
}

/** Leaves the page to whoever passes. */
export function showNobody(): void {
  clearGreeting();
  main.hidden = true;
  state("idle");
}

/** Counts minutes on. */
export function tickScreen(): void {
  shown?.program?.tick(boxNow());
}

function state(name: "idle" | "greeting" | "notice"): void {
  document.body.dataset["state"] = name;
}

function speak(say: Speaker): void {
  const { lang, dir } = document.documentElement;
  if (lang !== say.language) document.documentElement.lang = say.language;
  if (dir !== say.direction) document.documentElement.dir = say.direction;
}

/** A hundredth of the screen's shorter side, in pixels. */
function unit(): number {
  return Number.parseFloat(getComputedStyle(main).fontSize) / 2.8;
}

function fit(): void {
  if (!shown) return;
  const count = shown.greetings.length;
  const [largest, smallest] = count === 1 ? [10, 4] : count <= 4 ? [5, 2.5] : [3.6, 2];
  for (const name of main.querySelectorAll<HTMLElement>(".name")) fitName(name, largest, smallest, 2);
  shown.program?.fit(unit());
}

// A screen that is turned is a screen all the same; words may have another width once their typeface is there.
addEventListener("resize", fit);
document.fonts.addEventListener("loadingdone", fit);
