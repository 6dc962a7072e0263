// Faces that wait for their greeting, or came before it: few, and never beyond their time.
import type { Face } from "./greeting.ts";

const MOST = 24;

export class Faces {
  #faces = new Map<string, Face>();

  /** Keeps a face until it is taken or over. */
  put(face: Face, now: number): void {
    this.drop(now);
    if (this.#faces.size < MOST) this.#faces.set(face.visit, face);
  }

  /** Gives a visit's face away. */
  take(visit: string, now: number): Face | null {
    this.drop(now);
    const face = this.#faces.get(visit) ?? null;
    this.#faces.delete(visit);
    return face;
  }

  /** Forgets what is over. */
  drop(now: number): void {
    for (const [visit, face] of this.#faces) {
      if (face.expires <= now) this.#faces.delete(visit);
    }
  }
}
