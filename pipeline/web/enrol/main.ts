// The enrolment station: one visitor after the other, and nothing of any of them afterwards.
import "./enrol.css";
import { byId, el } from "../shared/dom.ts";
import { consentStep } from "./consent.ts";
import { type Language, type Offer, askOffer } from "./contract.ts";
import { Idle } from "./idle.ts";
import { lookStep } from "./look.ts";
import { button, heading } from "./parts.ts";
import { passStep } from "./pass.ts";
import { staffStep } from "./staff.ts";
import { startStep } from "./start.ts";
import { tellStep } from "./tell.ts";
import { type Station, type Step, type StepName, type Visit, nobody, wipeVisit } from "./visit.ts";
import { NATIVE, directionOf, isLanguage, preferred, speak, wordsOf } from "./words/speak.ts";

/** How often the box is asked anew while nobody is here, and while it does not answer. */
const CALM_MS = 60_000;
const AWAY_MS = 3_000;

const ALL = Object.keys(NATIVE).filter(isLanguage);
let offer: Offer | null = null;
let languages: readonly Language[] = ALL;
let language = preferred(ALL);
let visit: Visit = nobody("plain", language, "box");
let step: StepName = "away";
let shown: Step | null = null;
let sorry = "";
const idle = new Idle(() => wordsOf(language), () => !["away", "closed", "start"].includes(step), left);

/** What a step sees of this page. Only made while there is an offer. */
function station(offered: Offer): Station {
  return {
    words: wordsOf(language), language, languages, offer: offered, visit, sorry,
    go, wipe, refresh,
    touch: () => idle.touch(),
    set busy(now: boolean) { idle.busy = now; },
    get busy() { return idle.busy; },
  };
}

function build(): Step {
  if (step === "closed") return staffStep(wordsOf(language), () => void refresh());
  if (!offer || step === "away") {
    const title = heading("usher");
    return { root: el("section", "card staff", title, el("p", "lead", wordsOf(language).away)), heading: title };
  }
  const now = station(offer);
  switch (step) {
    case "start": return startStep(now, begin);
    case "look": return lookStep(now);
    case "tell": return tellStep(now);
    case "consent": return consentStep(now);
    case "pass": return passStep(now);
  }
}

/** Draws the step; the focus goes to its heading unless it is only said in another language. */
function draw(moved: boolean): void {
  shown?.leave?.();
  shown = build();
  document.body.dataset["step"] = step;
  byId("main").replaceChildren(shown.root);
  document.title = `${shown.heading.textContent ?? ""} · usher`;
  if (!moved) return;
  scrollTo(0, 0);
  shown.heading.focus({ preventScroll: true });
}

function go(to: StepName, why = ""): void {
  if (to === "closed") forget();
  step = to;
  sorry = why;
  draw(true);
}

function begin(way: Visit["way"]): void {
  visit = nobody(way, language, offer?.custody[0] ?? "box");
  go(way === "face" ? "look" : "tell");
}

/** Nothing of the visitor is left: what they entered, their pictures, what was asked for them, their language. */
function forget(): void {
  shown?.leave?.();
  shown = null;
  wipeVisit(visit);
  language = preferred(languages);
  visit = nobody("plain", language, "box");
  idle.busy = false;
  sorry = "";
  drawLanguages();
}

function wipe(): void {
  forget();
  go(offer ? "start" : "away");
  void refresh();
}

/** Nobody has touched anything for a while. */
function left(): void {
  if (["away", "closed"].includes(step)) return;
  if (step !== "start" || language !== preferred(languages)) wipe();
}

async function refresh(): Promise<void> {
  const answer = await askOffer();
  const waiting = step === "away" || step === "closed" || step === "start";
  if (answer.is !== "ok") {
    // Whoever is in the middle goes on; what they do next says for itself that the box is away.
    if (step === "start" || step === "away") {
      if (answer.is === "closed") go("closed");
      else if (step !== "away") go("away");
    }
    return;
  }
  const before = JSON.stringify(offer?.languages);
  offer = answer.body;
  languages = ALL.filter((tag) => answer.body.languages.includes(tag));
  if (languages.length === 0) languages = ALL;
  if (!languages.includes(language)) language = preferred(languages);
  byId("site").textContent = offer.site;
  if (before !== JSON.stringify(offer.languages)) drawLanguages();
  const to = offer.open ? "start" : "closed";
  if (waiting && step !== to) go(to);
}

function drawLanguages(): void {
  speak(language);
  byId("languages").setAttribute("aria-label", wordsOf(language).languages);
  byId("languages").replaceChildren(
    ...languages.map((tag) => {
      const choice = button("", () => choose(tag), NATIVE[tag]);
      choice.lang = tag;
      choice.dir = directionOf(tag);
      choice.dataset["language"] = tag;
      choice.setAttribute("aria-pressed", String(tag === language));
      return choice;
    }),
  );
}

function choose(tag: Language): void {
  // The greeting follows the page until the visitor says otherwise.
  if (visit.greetIn === language) visit.greetIn = tag;
  language = tag;
  sorry = "";
  speak(tag);
  byId("languages").setAttribute("aria-label", wordsOf(tag).languages);
  for (const choice of byId("languages").querySelectorAll("button")) choice.setAttribute("aria-pressed", String(choice.dataset["language"] === tag));
  draw(false);
}

addEventListener("pagehide", () => {
  forget();
  byId("main").replaceChildren();
});
// Kept by the browser for its back button: begin anew.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
setInterval(() => {
  if (step === "away") void refresh();
}, AWAY_MS);
setInterval(() => {
  if (step === "start") void refresh();
}, CALM_MS);

drawLanguages();
draw(false);
void refresh();
