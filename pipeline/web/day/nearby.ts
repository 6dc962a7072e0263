// What is near by: where to eat or rest, open now, liked, and why; asked anew with a position when somebody wants it.
import { el } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import type { Answer, Language } from "../enrol/contract.ts";
import { button, say as complain, sorryLine } from "../enrol/parts.ts";
import { wordsOf } from "../enrol/words/speak.ts";
import type { LonLat } from "../signage/read.ts";
import { foreign } from "../signage/welcome/text.ts";
import { between, reasonsOf, walkOf } from "../signage/welcome/timeline.ts";
import { speaker } from "../signage/words/speak.ts";
import type { Found, Nearby } from "./ask.ts";

/** Long enough to find satellites, short enough to be waited for. */
const FIX_MS = 15_000;
/** A position that old is where they are. */
const FRESH_MS = 30_000;

/** The section; `find` asks the box. Nothing is shown where the site has no places. */
export function nearbySection(language: Language, find: (at: LonLat | null) => Promise<Answer<Found>>): HTMLElement {
  const words = wordsOf(language);
  const list = el("ul", "near");
  const wrong = sorryLine("");
  const here = button("alt", () => void where(), icon("person"), words.day.here);
  const note = el("small", "", words.day.hereNote);
  const root = el("section", "nearby", el("h2", "", words.day.near), list, wrong, el("div", "buttons", here), note);
  root.hidden = true;

  async function fill(at: LonLat | null): Promise<void> {
    const answer = await find(at);
    if (answer.is !== "ok") {
      if (at) complain(wrong, answer.is === "slow" ? words.busy : words.away);
      return;
    }
    const { places } = answer.body;
    if (places.length > 0) root.hidden = false;
    list.replaceChildren(...(places.length > 0 ? places.map(row) : [el("li", "", words.day.nothingNear)]));
    complain(wrong, at && !answer.body.here ? words.day.nowhere : "");
  }

  function row({ kind, name, walk, why }: Nearby): HTMLElement {
    const say = speaker(language);
    const element = el("li", "", el("p", "title", foreign("b", name)), el("p", "note", ...between([...(walk > 0 ? [walkOf(walk, say)] : []), ...reasonsOf({ why, walk }, say)])));
    element.dataset["kind"] = kind;
    return element;
  }

  async function where(): Promise<void> {
    if (here.disabled) return;
    here.disabled = true;
    complain(wrong, "");
    const at = await position();
    if (at) await fill(at);
    else complain(wrong, words.day.nowhere);
    here.disabled = false;
  }

  void fill(null);
  return root;
}

/** Where the telephone is; null where it does not say. */
function position(): Promise<LonLat | null> {
  return new Promise((done) => {
    if (!("geolocation" in navigator)) return done(null);
    const { geolocation } = navigator;
    geolocation.getCurrentPosition(({ coords }) => done([coords.longitude, coords.latitude]), () => done(null), { enableHighAccuracy: true, timeout: FIX_MS, maximumAge: FRESH_MS });
  });
}
