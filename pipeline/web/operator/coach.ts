// The coach of one camera: what limits recognition there, what to change, and its figures before and after.
import { el } from "../shared/dom.ts";

/** What /api/coach says of a camera; written by pipeline/src/web/coach.rs. */
export interface CoachNow {
  readonly walks: number;
  readonly limits: readonly { readonly limit: string; readonly found_words: string; readonly mend: string }[];
  readonly rows: readonly { readonly name: string; readonly now: string; readonly before?: string }[];
}

const EVERY_MS = 1_500;
const open = new Map<string, Coach>();

/** A camera's panel, shut until somebody asks. */
export class Coach {
  readonly root = el("section", "coach");
  readonly ask = el("button", "ask", "coach");
  #name: string;
  #last = "";

  constructor(name: string) {
    this.#name = name;
    this.root.hidden = true;
    this.root.setAttribute("aria-label", `coach of ${name}`);
    this.ask.type = "button";
    this.ask.setAttribute("aria-expanded", "false");
    this.ask.addEventListener("click", () => this.#toggle());
  }

  #toggle(): void {
    const opens = this.root.hidden;
    this.root.hidden = !opens;
    this.ask.setAttribute("aria-expanded", String(opens));
    if (opens) open.set(this.#name, this);
    else open.delete(this.#name);
    if (opens) void look();
  }

  /** Shows what is said now; without it that nothing is. */
  tell(now: CoachNow | null): void {
    const told = JSON.stringify(now);
    if (told === this.#last) return;
    this.#last = told;
    if (!now) {
      this.root.replaceChildren(el("p", "note", "The box does not answer."));
      return;
    }
    const anew = el("button", "anew", "Begin anew");
    anew.type = "button";
    anew.addEventListener("click", () => {
      void fetch(`/api/coach/${this.#name}`, { method: "POST" }).then(look, look);
    });
    const walks = `${now.walks} ${now.walks === 1 ? "walk" : "walks"}`;
    const rows = now.rows.filter((row) => row.now !== "–" || row.before !== undefined);
    const compared = rows.some((row) => row.before !== undefined);
    this.root.replaceChildren(
      advice(now),
      ...(now.walks > 0
        ? [el("table", "", el("tbody", "", ...rows.map((row) => el("tr", "", el("td", "", row.name), compared && el("td", "before", row.before ?? "–"), el("td", "now", row.now)))))]
        : []),
      el("div", "row", el("span", "note", `${walks}. Change something, begin anew and walk again: the figures stand side by side.`), anew),
    );
  }
}

function advice({ walks, limits }: CoachNow): HTMLElement {
  if (walks === 0) return el("p", "note", "Walk up as visitors do, stop at the line for a second or two, and go on. Figures appear when a walk is over; of a person nothing is kept.");
  const [worst, ...rest] = limits;
  if (!worst) return el("div", "advice good", el("b", "", "Good: nothing here limits recognition."));
  return el(
    "div",
    "advice",
    el("b", "", sentence(worst.found_words)),
    el("p", "", sentence(worst.mend)),
    rest.length > 0 && el("ul", "", ...rest.map((limit) => el("li", "", `${sentence(limit.found_words)} ${sentence(limit.mend)}`))),
  );
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Asks for what is said of the open panels' cameras. */
async function look(): Promise<void> {
  if (open.size === 0 || document.hidden) return;
  const answer = await fetch("/api/coach").catch(() => null);
  const all = answer?.ok ? ((await answer.json()) as Record<string, CoachNow>) : null;
  for (const [name, coach] of open) coach.tell(all?.[name] ?? null);
}

setInterval(() => void look(), EVERY_MS);
