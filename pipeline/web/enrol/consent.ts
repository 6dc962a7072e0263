// Step three: what is kept and for how long, in four facts and in full; yes and no are equally large.
import { el } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { type Custody, type Fault, type NoticeText, enrol } from "./contract.ts";
import { dayAndTime } from "./dates.ts";
import { FIELD, nameFault, shownName } from "./name.ts";
import { button, crumbs, heading, own, say, sorryLine } from "./parts.ts";
import { sign } from "./signs.ts";
import { groupCode } from "./together.ts";
import type { Station, Step, StepName } from "./visit.ts";
import { directionOf } from "./words/speak.ts";

/** Where a fault is mended; the others are said here. */
const MENDED: Partial<Record<Fault, StepName>> = {
  name_empty: "tell", name_long: "tell", name_character: "tell", sport_unknown: "tell",
  no_face: "look", several_faces: "look", too_small: "look", blurred: "look", turned: "look", spoilt: "look", strangers: "look", picture: "look",
};

function fact(mark: SVGSVGElement, ...inside: (Node | string)[]): HTMLElement {
  return el("li", "", mark, el("span", "", ...inside));
}

/** The notice in the reader's language or the nearest there is, and which one that was. */
function noticeFor({ visit, offer, language }: Station): { language: string } & NoticeText {
  const texts = visit.way === "face" ? offer.notice.texts : offer.notice.pass_texts;
  const found = [language, "en", ...Object.keys(texts)].find((tag) => texts[tag]) ?? language;
  return { language: found, ...(texts[found] ?? { sha256: "", text: "" }) };
}

export function consentStep(station: Station): Step {
  const { visit, offer, language } = station;
  const words = station.words.consent;
  const faced = visit.way === "face";
  const steps = faced ? 3 : 2;
  const notice = noticeFor(station);

  const facts = el("ul", "facts");
  function drawFacts(): void {
    const when = el("b", "", own(dayAndTime(offer.notice.expires_at, language)));
    const [before, after] = words.deleted;
    facts.replaceChildren(
      faced ? fact(icon("key"), visit.custody === "visitor" ? words.keyVisitor : words.keyBox) : fact(sign("code"), words.keyPlain),
      fact(sign("wave"), faced ? words.purpose : words.purposePlain),
      fact(sign("calendar"), `${before} `, when, language === "zh" ? "，" : language === "ar" ? "، " : ", ", after),
      fact(sign("never"), faced ? words.never : words.neverPlain),
    );
  }
  drawFacts();

  const holders: Record<Custody, [string, string]> = { visitor: [words.visitor, words.visitorNote], box: [words.box, words.boxNote] };
  function holder(custody: Custody): HTMLElement {
    const radio = el("input");
    radio.type = "radio";
    radio.name = "custody";
    radio.value = custody;
    radio.checked = visit.custody === custody;
    radio.addEventListener("change", () => {
      visit.custody = custody;
      drawFacts();
    });
    const [title, note] = holders[custody];
    return el("label", "holder", radio, el("span", "", el("b", "", title), el("small", "", note)));
  }
  const choice = faced && offer.custody.length > 1 ? el("fieldset", "holders", el("legend", "", words.custody), ...offer.custody.map(holder)) : null;

  const full = el("div", "text", notice.text);
  full.lang = notice.language;
  full.dir = directionOf(notice.language);
  const noticeTitle = el("h2", "", words.notice(offer.notice.version));
  noticeTitle.id = "notice-title";
  full.tabIndex = 0;
  full.setAttribute("role", "region");
  full.setAttribute("aria-labelledby", noticeTitle.id);
  const whose = el("p", "whose", `${words.controller}: `, own(offer.notice.controller), " · ", `${words.contact}: `, own(offer.notice.contact));

  const guardian = el("input");
  guardian.id = "guardian";
  guardian.autocomplete = "off";
  guardian.spellcheck = false;
  guardian.maxLength = FIELD;
  guardian.dir = "auto";
  guardian.value = visit.guardian;
  guardian.setAttribute("aria-describedby", "consent-wrong");
  guardian.addEventListener("input", () => (visit.guardian = guardian.value));
  const guardianLabel = el("label", "", words.guardian);
  guardianLabel.htmlFor = guardian.id;
  const guardianField = el("div", "field", guardianLabel, guardian);
  guardianField.hidden = !visit.minor;
  const minor = el("input");
  minor.type = "checkbox";
  minor.checked = visit.minor;
  minor.addEventListener("change", () => {
    visit.minor = minor.checked;
    guardianField.hidden = !minor.checked;
    if (minor.checked) guardian.focus();
  });

  const wrong = sorryLine(station.sorry);
  wrong.id = "consent-wrong";
  const agree = button("go", () => void send(), words.agree);
  let sending = false;

  function state(now: boolean): void {
    sending = station.busy = now;
    agree.textContent = now ? words.sending : words.agree;
    agree.setAttribute("aria-disabled", String(now));
  }

  async function send(): Promise<void> {
    if (sending) return;
    if (visit.minor && nameFault(visit.guardian)) {
      say(wrong, words.guardianMissing);
      guardian.setAttribute("aria-invalid", "true");
      return guardian.focus();
    }
    say(wrong, "");
    state(true);
    const answer = await enrol(
      {
        views: faced ? visit.views : [],
        source: visit.source,
        name: visit.name,
        sports: visit.sports,
        language: visit.greetIn,
        food: visit.food,
        arrival: visit.arrival || null,
        step_free: visit.stepFree,
        together: groupCode(visit.together),
        custody: visit.custody,
        consent: { notice: notice.sha256, language: notice.language, agreed: true, minor: visit.minor, guardian: visit.minor ? shownName(visit.guardian) : null },
      },
      visit.end.signal,
    );
    if (visit.end.signal.aborted) return;
    state(false);
    if (answer.is === "ok") {
      // The box has what it needs of them.
      visit.views = [];
      visit.enrolled = answer.body;
      station.go("pass");
    } else if (answer.is === "closed") {
      station.go("closed");
    } else if (answer.is === "refused") {
      await refused(answer.fault);
    } else {
      say(wrong, answer.is === "slow" ? station.words.busy : station.words.faults.other);
    }
  }

  async function refused(fault: Fault): Promise<void> {
    const told = station.words.faults[fault];
    const step = MENDED[fault];
    if (step === "look" && faced) {
      visit.views = [];
      station.go("look", told);
    } else if (step === "tell") {
      station.go("tell", told);
    } else if (fault === "notice_changed") {
      await station.refresh();
      if (!visit.end.signal.aborted) station.go("consent", told);
    } else {
      say(wrong, told);
    }
  }

  const title = heading(faced ? words.title : words.plainTitle);
  return {
    root: el(
      "section", "card consent",
      el("div", "words", crumbs(steps, steps, station.words.step(steps, steps)), title, el("p", "for", sign("code"), own(visit.name, "name"))),
      el("div", "columns",
        el("div", "column", choice, facts, el("label", "minor", minor, el("span", "", words.minor(offer.guardian_age))), guardianField),
        el("div", "column notice", noticeTitle, full, whose)),
      wrong,
      el("div", "buttons equal", agree, button("alt", () => station.wipe(), words.decline)),
      el("div", "foot", button("quiet", () => station.go("tell"), station.words.back), el("small", "", words.declineNote)),
    ),
    heading: title,
  };
}
