// Choosing up to three sports by typing: the combobox with a list of the ARIA Authoring Practices, and chips.
import { el } from "../shared/dom.ts";
import { icon, sportIcon } from "../shared/icons.ts";
import { button, own, say, sorryLine } from "./parts.ts";
import { sign } from "./signs.ts";
import type { Visit } from "./visit.ts";
import type { Words } from "./words/words.ts";

const MOST = 3;
/** Most characters of a sport that is typed where the programme has none. */
const LONGEST = 40;

const plainer = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

export interface SportField {
  root: HTMLElement;
  /** Takes in what was typed and not chosen; false, and says why, where none is chosen. */
  settle(): boolean;
  complain(text: string): void;
  focus(): void;
}

export function sportField(visit: Visit, sports: readonly string[], words: Words["tell"]): SportField {
  const free = sports.length === 0;
  const input = el("input");
  input.id = "sport";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.maxLength = LONGEST;
  input.value = visit.sportTyped;
  input.dir = "auto";
  const note = el("small", "", free ? words.sportFree : words.sportHint);
  note.id = "sport-note";
  const wrong = sorryLine("");
  wrong.id = "sport-wrong";
  input.setAttribute("aria-describedby", "sport-note sport-wrong");
  const list = el("ul", "options");
  list.id = "sport-options";
  list.hidden = true;
  const found = el("p", "unseen");
  found.setAttribute("role", "status");
  const chips = el("ul", "chips chosen");
  chips.setAttribute("aria-label", words.chosen);
  let options: string[] = [];
  let at = -1;

  if (!free) {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", list.id);
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", words.sport);
  }

  function shut(): void {
    list.hidden = true;
    at = -1;
    if (free) return;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function point(to: number): void {
    at = to;
    list.querySelectorAll("li").forEach((option, i) => {
      option.setAttribute("aria-selected", String(i === at));
      if (i === at) option.scrollIntoView({ block: "nearest" });
    });
    if (at >= 0) input.setAttribute("aria-activedescendant", `sport-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function open(): void {
    if (free || visit.sports.length >= MOST) return shut();
    const typed = plainer(input.value);
    const fits = sports.filter((sport) => !visit.sports.includes(sport) && plainer(sport).includes(typed));
    // What begins like it comes first.
    options = fits.sort((a, b) => Number(plainer(b).startsWith(typed)) - Number(plainer(a).startsWith(typed)));
    list.replaceChildren(
      ...options.map((sport, i) => {
        const option = el("li", "", icon(sportIcon(sport)), own(sport));
        option.id = `sport-${i}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.addEventListener("click", () => choose(sport));
        return option;
      }),
    );
    found.textContent = words.found(options.length);
    if (options.length === 0) return shut();
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    point(-1);
  }

  function choose(sport: string): void {
    if (visit.sports.length < MOST && !visit.sports.some((other) => plainer(other) === plainer(sport))) visit.sports.push(sport);
    input.value = visit.sportTyped = "";
    complain("");
    shut();
    draw();
    input.focus();
  }

  function draw(): void {
    chips.replaceChildren(
      ...visit.sports.map((sport) => {
        const remove = button("remove", () => {
          visit.sports = visit.sports.filter((other) => other !== sport);
          draw();
          input.focus();
          shut();
        }, sign("cross"));
        remove.setAttribute("aria-label", words.remove(sport));
        return el("li", "chip on", icon(sportIcon(sport)), own(sport), remove);
      }),
    );
    chips.hidden = visit.sports.length === 0;
    const full = visit.sports.length >= MOST;
    input.readOnly = full;
    note.textContent = full ? words.sportMost : free ? words.sportFree : words.sportHint;
  }

  /** What was typed as a sport: the programme's own where it has any. */
  function typedSport(): string | null {
    const typed = plainer(input.value);
    if (!typed) return null;
    if (free) return input.value.trim().replace(/\s+/g, " ");
    const exact = sports.find((sport) => plainer(sport) === typed);
    return exact ?? (options.length === 1 && !list.hidden ? (options[0] ?? null) : null);
  }

  function complain(text: string): void {
    say(wrong, text);
    input.setAttribute("aria-invalid", String(text !== ""));
  }

  input.addEventListener("input", () => {
    visit.sportTyped = input.value;
    complain("");
    open();
  });
  input.addEventListener("click", () => (list.hidden ? open() : shut()));
  input.addEventListener("blur", shut);
  // A finger on the list must not take the focus out of the field, which would close the list under it.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("mousedown", (event) => event.preventDefault());
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !free) {
      event.preventDefault();
      if (list.hidden) open();
      if (options.length > 0 && !list.hidden) point((at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === "Enter") {
      const sport = at >= 0 && !list.hidden ? options[at] : typedSport();
      if (!sport && !input.value) return;
      event.preventDefault();
      if (sport) choose(sport);
      else complain(words.sportUnknown);
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = visit.sportTyped = "";
      shut();
    }
  });

  draw();
  const label = el("label", "", words.sport);
  label.htmlFor = input.id;
  return {
    root: el("div", "field sports", label, note, el("div", "combo", input, list), chips, found, wrong),
    settle() {
      const sport = typedSport();
      if (sport) choose(sport);
      if (input.value.trim() && visit.sports.length < MOST) complain(words.sportUnknown);
      else if (visit.sports.length === 0) complain(words.sportNone);
      else return true;
      return false;
    },
    complain,
    focus: () => input.focus(),
  };
}
