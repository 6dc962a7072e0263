// When a picture is taken: after enough good looks running, frontal first, then from either side.
import type { Hint, Look } from "./contract.ts";

/** Good looks running before a picture is taken: about half a second of holding still. */
const RUNNING = 3;
/** How far a head is turned for a side view, as `yaw`. */
const LEAST_TURN = 0.12;
const MOST_TURN = 0.45;

/** What is asked of the visitor now. Left and right are the visitor's own. */
export type Ask = "front" | "left" | "right";
/** What to tell the visitor. */
export type Tell = { is: "hint"; hint: Hint } | { is: "ask"; ask: "left" | "right" } | { is: "far" } | { is: "hold" };

export class Shutter {
  ask: Ask = "front";
  /** Either side will do for the first view from a side; the next must be the other one, which is then asked for. */
  private strict = false;
  private running = 0;
  private side: Ask = "front";

  /** `taken`: how many views there are already. */
  constructor(taken: number) {
    if (taken > 0) this.ask = "left";
  }

  /** Takes a look in; whether a picture is due, and what to tell meanwhile. */
  see(look: Look): { take: boolean; tell: Tell } {
    // A head turned to its own left looks to the right of an unmirrored picture.
    const side = this.ask === "front" ? "front" : look.yaw > 0 ? "left" : "right";
    const fits = side === "front" ? look.good : this.isSideView(look) && !(this.strict && side !== this.ask);
    if (side !== this.side) this.running = 0;
    this.side = side;
    this.running = fits ? this.running + 1 : 0;
    return { take: this.running >= RUNNING, tell: this.running > 0 ? { is: "hold" } : this.advice(look) };
  }

  /** A picture was taken: what comes next. */
  taken(): void {
    this.strict = this.ask !== "front";
    this.ask = this.side === "left" ? "right" : "left";
    this.running = 0;
  }

  private isSideView({ faces, face, hint, yaw }: Look): boolean {
    const turn = Math.abs(yaw);
    return faces === 1 && face !== null && (hint === null || hint === "turn") && turn >= LEAST_TURN && turn <= MOST_TURN;
  }

  private advice(look: Look): Tell {
    if (this.ask === "front") return { is: "hint", hint: look.hint ?? (look.face ? "still" : "none") };
    if (look.hint && look.hint !== "turn") return { is: "hint", hint: look.hint };
    return Math.abs(look.yaw) > MOST_TURN ? { is: "far" } : { is: "ask", ask: this.ask };
  }
}
