// A tablet that somebody left: it asks, counts down, and forgets them.
import { byId, el } from "../shared/dom.ts";
import type { Words } from "./words/words.ts";

const IDLE_MS = 30_000;
const ASK_MS = 10_000;

export class Idle {
  private last = performance.now();
  private readonly dialog = byId<HTMLDialogElement>("idle");
  private count: HTMLElement | null = null;
  /** Whether something is being done that the visitor waits for. */
  busy = false;

  /** `asks`: whether there is anything to lose; `over`: nobody was there for the whole time. */
  constructor(private readonly words: () => Words, private readonly asks: () => boolean, private readonly over: () => void) {
    for (const sign of ["pointerdown", "pointermove", "keydown", "input", "wheel"] as const) {
      // While it asks, only an answer counts: a dialog that shut under a finger would let it fall on what lies below.
      addEventListener(sign, () => !this.dialog.open && this.touch(), { capture: true, passive: true });
    }
    this.dialog.addEventListener("click", () => this.touch());
    // By the Escape key; a browser says so a moment after it.
    this.dialog.addEventListener("close", () => this.touch());
    setInterval(() => this.tick(), 250);
  }

  /** Somebody is there. */
  touch(): void {
    this.last = performance.now();
    if (this.dialog.open) this.dialog.close();
  }

  private tick(): void {
    if (this.busy) this.last = performance.now();
    const left = IDLE_MS - (performance.now() - this.last);
    if (left <= 0) {
      this.last = performance.now();
      if (this.dialog.open) this.dialog.close();
      this.over();
    } else if (left <= ASK_MS && this.asks()) {
      if (!this.dialog.open) this.show();
      if (this.count) this.count.textContent = this.words().idle.seconds(Math.ceil(left / 1_000));
    }
  }

  private show(): void {
    const words = this.words().idle;
    const title = el("h2", "", words.title);
    title.id = "idle-title";
    this.count = el("p", "count");
    this.count.setAttribute("aria-hidden", "true");
    const stay = el("button", "go", words.stay);
    stay.type = "button";
    this.dialog.replaceChildren(title, el("p", "", words.text), this.count, stay);
    this.dialog.showModal();
    stay.focus();
  }
}
