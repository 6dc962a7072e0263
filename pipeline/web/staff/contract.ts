// What staff ask the box, and what it answers.
import type { Answer } from "../enrol/contract.ts";

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

/** Long enough for a busy box, short enough for somebody who stands there. */
const PATIENCE_MS = 15_000;

/** Asks once; whatever `ended` stops counts as unanswered. */
async function ask<T>(path: string, asked: RequestInit, ended?: AbortSignal): Promise<Answer<T>> {
  const gone = new AbortController();
  const stop = () => gone.abort();
  const late = setTimeout(stop, PATIENCE_MS);
  if (ended?.aborted) stop();
  ended?.addEventListener("abort", stop);
  try {
    const answer = await fetch(path, { cache: "no-store", ...asked, signal: gone.signal });
    if (answer.ok) return { is: "ok", body: (answer.status === 204 ? null : await answer.json()) as T };
    if (answer.status === 401) return { is: "closed" };
    if (answer.status === 404) return { is: "unknown" };
    if (answer.status === 429 || answer.status === 503) return { is: "slow", seconds: Number(answer.headers.get("retry-after")) || 1 };
    return { is: "refused", fault: "other" };
  } catch {
    return { is: "away" };
  } finally {
    clearTimeout(late);
    ended?.removeEventListener("abort", stop);
  }
}

const json = (body: unknown): RequestInit => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** The cookie that it answers with is the browser's alone; no script sees it. */
export const signIn = (token: string) => ask<null>("/api/enrol/open", json({ token, staff: true }));
/** Ends the session at the box; whether or not it answers, the page forgets everything. */
export const signOut = () => ask<null>("/api/staff/sign-out", { method: "POST" });
export const askPeople = (ended: AbortSignal) => ask<Person[]>("/api/staff/visitors", {}, ended);
export const forgetPerson = (id: string, ended: AbortSignal) => ask<{ receipt: object }>("/api/staff/forget", json({ id }), ended);
