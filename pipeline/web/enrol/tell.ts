// Step two: what the screen shall say.
import { el } from "../shared/dom.ts";
import { sportField } from "./combobox.ts";
import type { Food } from "./contract.ts";
import { FIELD, nameFault, shownName } from "./name.ts";
import { button, crumbs, field, heading, own, say, sorryLine } from "./parts.ts";
import { sign } from "./signs.ts";
import { togetherField } from "./together.ts";
import type { Station, Step } from "./visit.ts";
import { NATIVE, directionOf, isLanguage, wordsOf } from "./words/speak.ts";

/** A chip that is on or off. */
function toggle(text: string, on: boolean, turn: (on: boolean) => void): HTMLButtonElement {
  const made = button("chip", () => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(now));
    turn(now);
  }, sign("check"), text);
  made.setAttribute("aria-pressed", String(on));
  return made;
}

function group(label: string, id: string, ...inside: Node[]): HTMLElement {
  const name = el("p", "label", label);
  name.id = id;
  const made = el("div", "chips", ...inside);
  made.setAttribute("role", "group");
  made.setAttribute("aria-labelledby", id);
  return el("div", "field", name, made);
}

export function tellStep(station: Station): Step {
  const { visit, offer } = station;
  const words = station.words.tell;
  const steps = visit.way === "face" ? 3 : 2;

  const hello = el("span", "hello");
  const shown = own("", "name");
  const preview = el("div", "screen", hello, shown);
  const name = el("input");
  name.autocomplete = "off";
  name.spellcheck = false;
  name.maxLength = FIELD;
  name.autocapitalize = "words";
  name.dir = "auto";
  name.value = visit.name;
  const wrong = sorryLine("");
  wrong.id = "name-wrong";

  function draw(): void {
    const greeting = wordsOf(visit.greetIn).tell;
    preview.lang = hello.lang = visit.greetIn;
    preview.dir = directionOf(visit.greetIn);
    hello.textContent = greeting.hello;
    // What a screen cannot show is not shown here either.
    const fault = nameFault(visit.name);
    shown.textContent = fault ? greeting.you : shownName(visit.name);
    shown.classList.toggle("none", fault !== null);
  }
  function judge(whole: boolean): boolean {
    const fault = nameFault(visit.name);
    const told = fault && (whole || fault !== "empty") ? words[fault] : "";
    say(wrong, told);
    name.setAttribute("aria-invalid", String(told !== ""));
    return !fault;
  }
  name.addEventListener("input", () => {
    visit.name = name.value;
    judge(false);
    draw();
  });

  const greetIn = el("select", "", ...station.languages.map((language) => {
    const option = new Option(NATIVE[language], language, false, language === visit.greetIn);
    option.lang = language;
    return option;
  }));
  greetIn.addEventListener("change", () => {
    if (isLanguage(greetIn.value)) visit.greetIn = greetIn.value;
    draw();
  });

  const sports = sportField(visit, offer.sports, words);
  const food = offer.food.filter((key): key is Food => Object.hasOwn(words.foods, key)).map((key) =>
    toggle(words.foods[key], visit.food.includes(key), (on) => (visit.food = on ? [...visit.food, key] : visit.food.filter((other) => other !== key))),
  );
  const arrival = el("input");
  arrival.type = "time";
  arrival.value = visit.arrival;
  arrival.addEventListener("input", () => (visit.arrival = arrival.value));

  const party = togetherField(visit, words, station.words.optional);
  const title = heading(words.title);
  const form = el(
    "form", "",
    el("div", "columns",
      el("div", "column",
        field("name", words.name, name, words.nameHint, [wrong]),
        el("div", "field", el("p", "label", words.says), preview),
        field("greet-in", words.language, greetIn, "")),
      el("div", "column",
        sports.root,
        food.length > 0 ? group(`${words.food} · ${station.words.optional}`, "food-label", ...food) : null,
        el("div", "pair",
          group(`${words.around} · ${station.words.optional}`, "around-label", toggle(words.stepFree, visit.stepFree, (on) => (visit.stepFree = on))),
          field("arrival", `${words.arrival} · ${station.words.optional}`, arrival, "")),
        party.root)),
    el("div", "buttons row", button("alt", back, station.words.back), submit(words.next)),
  );
  form.noValidate = true;
  form.autocomplete = "off";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const named = judge(true);
    const chosen = sports.settle();
    if (!named) name.focus();
    else if (!chosen) sports.focus();
    else if (!party.settle()) party.focus();
    else {
      visit.name = shownName(visit.name);
      station.go("consent");
    }
  });

  function back(): void {
    if (visit.way === "plain") return station.wipe();
    visit.views = [];
    station.go("look");
  }

  draw();
  return {
    root: el("section", "card tell", crumbs(steps - 1, steps, station.words.step(steps - 1, steps)), title, sorryLine(station.sorry), form),
    heading: title,
  };
}

function submit(text: string): HTMLButtonElement {
  const made = el("button", "go next", text);
  made.type = "submit";
  return made;
}
