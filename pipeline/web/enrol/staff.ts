// Opening the tablet: a member of staff shows the token once; it is kept nowhere.
import { el } from "../shared/dom.ts";
import { openStation } from "./contract.ts";
import { heading, say, sorryLine } from "./parts.ts";
import { sign } from "./signs.ts";
import type { Step } from "./visit.ts";
import type { Words } from "./words/words.ts";

export function staffStep(words: Words, opened: () => void): Step {
  const title = heading(words.staff.title);
  const token = el("input");
  token.id = "token";
  token.type = "password";
  token.autocomplete = "off";
  token.spellcheck = false;
  token.required = true;
  token.dir = "ltr";
  token.setAttribute("aria-describedby", "token-wrong");
  const label = el("label", "", words.staff.token);
  label.htmlFor = token.id;
  const wrong = sorryLine("");
  wrong.id = "token-wrong";
  const open = el("button", "go", words.staff.open);
  open.type = "submit";
  const form = el("form", "", el("div", "field", label, token), wrong, open);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const shown = token.value;
    token.value = "";
    const answer = await openStation(shown);
    if (answer.is === "ok") return opened();
    say(wrong, answer.is === "slow" ? words.staff.slow(answer.seconds) : answer.is === "away" ? words.away : words.staff.wrong);
    token.focus();
  });
  return { root: el("section", "card staff", sign("lock"), title, el("p", "lead", words.staff.text), form), heading: title };
}
