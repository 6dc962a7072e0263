// How many lanes are open: said by staff, with a button for one more and one fewer.
import { el } from "../shared/dom.ts";
import type { GateFlow } from "./state.ts";
import { sentence } from "./words.ts";

/** The control, for the gate that is looked at; `signIn` is called where the box asks who says so. */
export class Lanes {
  readonly root = el("div", "lanes");
  #fewer = el("button", "", "−");
  #more = el("button", "", "+");
  #open = el("output", "");
  #said = el("p", "answer");
  #gate = "";
  #lanes = 0;
  /** What was asked for, until the box tells of it. */
  #wanted: number | null = null;
  #signIn: () => void;

  constructor(signIn: () => void) {
    this.#signIn = signIn;
    [this.#fewer.type, this.#more.type] = ["button", "button"];
    this.#fewer.setAttribute("aria-label", "One lane fewer is open");
    this.#more.setAttribute("aria-label", "One lane more is open");
    this.#fewer.addEventListener("click", () => void this.#set(this.#shown() - 1));
    this.#more.addEventListener("click", () => void this.#set(this.#shown() + 1));
    this.#said.setAttribute("role", "status");
    this.root.append(el("span", "", "Lanes open"), this.#fewer, this.#open, this.#more, this.#said);
  }

  tell({ gate, queue }: GateFlow): void {
    if (gate !== this.#gate) [this.#gate, this.#wanted, this.#said.textContent] = [gate, null, ""];
    // A gate without lanes says nothing of them.
    this.root.hidden = queue === undefined;
    if (queue === undefined) return;
    this.#lanes = queue.lanes_open;
    if (this.#wanted === this.#lanes) this.#wanted = null;
    this.#show();
  }

  #shown(): number {
    return this.#wanted ?? this.#lanes;
  }

  #show(): void {
    this.#open.textContent = String(this.#shown());
    this.#fewer.disabled = this.#shown() <= 0;
    this.root.dataset["waits"] = String(this.#wanted !== null);
  }

  async #set(lanes: number): Promise<void> {
    const gate = this.#gate;
    [this.#wanted, this.#said.textContent] = [lanes, ""];
    this.#show();
    try {
      const answer = await fetch("/api/flow/lanes", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ gate, lanes }) });
      // Another gate is looked at by now, or another number was asked for.
      if (answer.ok || gate !== this.#gate || lanes !== this.#wanted) return;
      if (answer.status === 401) this.#signIn();
      throw new Error(await answer.text());
    } catch (error) {
      if (gate !== this.#gate) return;
      this.#wanted = null;
      this.#said.textContent = error instanceof TypeError ? "The box does not answer." : sentence(String((error as Error).message));
      this.#show();
    }
  }
}
