// A pass: the code, whose it is, until when. One for the tablet, the paper and the visitor's phone.
import { el } from "../shared/dom.ts";
import { dayAndTime } from "./dates.ts";
import { button, codePicture, download, heading, own } from "./parts.ts";
import { sign } from "./signs.ts";
import type { Station, Step } from "./visit.ts";
import type { Words } from "./words/words.ts";

/** Most characters of a code that somebody would type in; a longer one is in the picture only. */
const TYPED = 40;

/** The pass itself, which is also what is printed. */
export function passCard(words: Words, language: string, of: { svg: string; name: string; expires_at: string; place?: string; code?: string }, urls: string[]): HTMLElement {
  return el(
    "article", "pass",
    of.place ? el("p", "place", own(of.place)) : null,
    el("p", "name", own(of.name)),
    codePicture(of.svg, words.pass.code, urls),
    of.code && of.code.length <= TYPED ? el("p", "typed", own(of.code)) : null,
    el("p", "until", `${words.pass.validUntil} `, el("b", "", own(dayAndTime(of.expires_at, language)))),
  );
}

/** The end of an enrolment. */
export function passStep(station: Station): Step {
  const { visit, offer, words, language } = station;
  const title = heading(words.pass.title);
  const { enrolled } = visit;
  if (!enrolled) return { root: el("section", "card", title), heading: title };
  const { pass, receipt, expires_at } = enrolled;
  return {
    root: el(
      "section", "card done",
      passCard(words, language, { svg: pass.svg, code: pass.code, name: visit.name, expires_at, place: offer.site }, visit.urls),
      el("div", "beside",
        title,
        el("p", "photograph", sign("phone"), el("span", "", words.pass.photograph)),
        el("div", "buttons", button("alt", () => window.print(), words.pass.print), download(words.pass.receipt, "receipt.json", receipt, visit.urls)),
        el("small", "", words.pass.receiptNote),
        el("div", "buttons last", button("go", () => station.wipe(), words.pass.done))),
    ),
    heading: title,
  };
}
