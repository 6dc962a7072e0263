// What staff ask the box, and what it answers.
import { ask, json } from "../enrol/contract.ts";

/** Somebody in the gallery. */
export interface Person {
  id: string;
  /** None: the visitor keeps the key, so there is nothing to show. */
  name: string | null;
  /** When all of it is gone, RFC 3339; none where the visitor keeps the key. */
  expires_at: string | null;
  /** Who enrolled before with a face like theirs. */
  like: string[];
}

/** The cookie that it answers with is the browser's alone; no script sees it. */
export const signIn = (token: string) => ask<null>("/api/enrol/open", json({ token, staff: true }));
/** Ends the session at the box; whether or not it answers, the page forgets everything. */
export const signOut = () => ask<null>("/api/staff/sign-out", { method: "POST" });
export const askPeople = (ended: AbortSignal) => ask<Person[]>("/api/staff/visitors", {}, ended);
export const forgetPerson = (id: string, ended: AbortSignal) => ask<{ receipt: object }>("/api/staff/forget", json({ id }), ended);
