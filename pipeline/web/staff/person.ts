// One person in a list, with the button that forgets them and the question before it.
import { el } from "../shared/dom.ts";
import { dayAndTime } from "../enrol/dates.ts";
import { button, own, say, sorryLine } from "../enrol/parts.ts";
import { type Shown, short } from "./alike.ts";

/** Forgets somebody: null where that is done with, else what went wrong. */
export type Forget = (id: string) => Promise<string | null>;

export interface Row {
  root: HTMLLIElement;
  show(person: Shown): void;
}

/** Most ids that are spelt out behind "like". */
const SPELT = 6;

/** Closes the question that is open, if one is: two at once would be one to be mistaken about. */
export interface Asked {
  close: (() => void) | null;
}

let rows = 0;

function idText(id: string): HTMLElement {
  const made = el("code", "", short(id));
  made.title = id;
  return made;
}

function likeText(like: string[]): (Node | string)[] {
  const spelt = like.slice(0, SPELT).flatMap((id, i) => (i > 0 ? [", ", idText(id)] : [idText(id)]));
  return like.length > SPELT ? [...spelt, ` and ${like.length - SPELT} more`] : spelt;
}

function facts(person: Shown, inGroup: boolean): Node[] {
  const { id, name, expires_at, like, listed } = person;
  const nameless = listed ? "The visitor keeps the key: no name" : "Keeps the key, or is gone already";
  const until = expires_at === null ? [] : [" ", el("span", "", `until ${dayAndTime(expires_at, "en")}`)];
  const likes = like.length ? [" ", el("span", "", "like ", ...likeText(like))] : [];
  const place = inGroup ? [el("p", "place", el("b", like.length ? "later" : "", like.length ? "Enrolled later" : "Enrolled earlier"), ...likes)] : [];
  return [name === null ? el("p", "name none", nameless) : own(name, "name"), el("p", "known", el("span", "", "id ", idText(id)), ...until), ...place];
}

export function personRow(inGroup: boolean, forget: Forget, open: Asked): Row {
  rows += 1;
  const told = el("div", "told");
  const asked = el("div", "sure");
  const question = el("p");
  asked.id = `sure-${rows}`;
  question.id = `question-${rows}`;
  asked.hidden = true;
  asked.setAttribute("role", "group");
  asked.setAttribute("aria-labelledby", question.id);
  const which = el("span", "unseen");
  const press = button("alt", () => (asked.hidden ? ask() : close()), "Forget", which);
  press.setAttribute("aria-expanded", "false");
  press.setAttribute("aria-controls", asked.id);
  const root = el("li", "person", told, press, asked);
  let shown: Shown | null = null;
  let was = "";

  function close(): void {
    const focused = asked.contains(document.activeElement);
    asked.hidden = true;
    asked.replaceChildren();
    press.setAttribute("aria-expanded", "false");
    if (open.close === close) open.close = null;
    if (focused) press.focus();
  }

  function ask(): void {
    if (!shown) return;
    const { id, name } = shown;
    open.close?.();
    open.close = close;
    question.replaceChildren("Forget ", ...(name === null ? [] : [own(name, "said"), " "]), `(${short(id)}) for good? Face, name and wishes are erased at once and the pass ends. Nobody can undo it.`);
    const wrong = sorryLine("");
    const keep = button("alt keep", close, "Keep");
    const yes = button("end", () => void go(), "Yes, forget");
    async function go(): Promise<void> {
      if (yes.hasAttribute("aria-disabled")) return;
      yes.setAttribute("aria-disabled", "true");
      say(wrong, "");
      const sorry = await forget(id);
      yes.removeAttribute("aria-disabled");
      if (sorry === null) return;
      say(wrong, sorry);
    }
    asked.replaceChildren(question, wrong, el("div", "choice", yes, keep));
    asked.hidden = false;
    press.setAttribute("aria-expanded", "true");
    // What changes nothing is what Enter presses.
    keep.focus();
  }

  asked.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  return {
    root,
    show(person) {
      shown = person;
      const now = JSON.stringify(person);
      if (now === was) return;
      was = now;
      which.textContent = ` ${short(person.id)}`;
      told.replaceChildren(...facts(person, inGroup));
    },
  };
}
