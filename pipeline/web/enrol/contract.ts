// What the box is asked at enrolment and at a pass, and what it answers.

export type Language = "en" | "ko" | "zh" | "fr" | "es" | "ar";
export type Food = "vegetarian" | "vegan" | "halal" | "kosher" | "gluten_free" | "dairy_free" | "nut_free" | "spicy" | "noodles" | "sweet";
/** Who holds the key to a face code: the box at the gate, or the visitor's pass alone. */
export type Custody = "box" | "visitor";
export type Hint = "none" | "several" | "closer" | "back" | "centre" | "turn" | "dark" | "bright" | "side_lit" | "eyes_covered" | "mouth_covered" | "still";

const FAULTS = [
  "name_empty", "name_long", "name_character", "sport_unknown", "no_face", "several_faces", "too_small", "blurred", "turned", "spoilt", "strangers",
  "notice_changed", "guardian_missing", "together", "picture", "past", "other",
] as const;
/** Why an enrolment was refused. */
export type Fault = (typeof FAULTS)[number];

/** The notice in one language, known by its hash. */
export interface NoticeText {
  sha256: string;
  text: string;
}

/** What this station offers; asked for again whenever somebody begins. */
export interface Offer {
  open: boolean;
  /** Whether a member of staff works here, who may choose a file instead of the camera. */
  staff: boolean;
  site: string;
  languages: string[];
  /** The programme's sports; none: free text. */
  sports: string[];
  food: string[];
  custody: Custody[];
  notice: { version: string; controller: string; contact: string; expires_at: string; texts: Record<string, NoticeText>; /** For a pass without a face. */ pass_texts: Record<string, NoticeText> };
  guardian_age: number;
  views: number;
  time: string;
}

/** What the box sees in one picture; it keeps nothing of it. */
export interface Look {
  faces: number;
  /** In shares of the picture, 0..=1. */
  face: { x: number; y: number; width: number; height: number } | null;
  hint: Hint | null;
  good: boolean;
  quality: number;
  /** -1..=1; negative is turned to the picture's left. */
  yaw: number;
}

export interface Enrolment {
  /** JPEG as base64; none: no face, a pass only. */
  views: string[];
  source: "camera" | "upload";
  name: string;
  sports: string[];
  language: Language;
  food: Food[];
  arrival: string | null;
  step_free: boolean;
  /** Five letters, A to Z, that a group agrees on. */
  together: string | null;
  custody: Custody;
  consent: { notice: string; language: string; agreed: true; minor: boolean; guardian: string | null };
}

export interface Enrolled {
  pass: { svg: string; link: string; code: string };
  receipt: object;
  expires_at: string;
  face: boolean;
}

/** What is kept under a pass. */
export interface Kept {
  name: string;
  sports: string[];
  language: string;
  together: string | null;
  expires_at: string;
  custody: Custody;
  face: boolean;
  receipt: object;
  svg: string;
  link: string;
}

/** How a question ended. `away`: nobody answered; `slow`: asked too often or too busy, wait `seconds`. */
export type Answer<T> = { is: "ok"; body: T } | { is: "closed" } | { is: "unknown" } | { is: "refused"; fault: Fault } | { is: "slow"; seconds: number } | { is: "away" };

/** Long enough for a busy box, short enough for somebody who stands there. */
const PATIENCE_MS = 25_000;

/** Asks once; whatever `signal` stops counts as unanswered. */
export async function ask<T>(path: string, asked: RequestInit, signal?: AbortSignal): Promise<Answer<T>> {
  const gone = new AbortController();
  const late = setTimeout(() => gone.abort(), PATIENCE_MS);
  const stop = () => gone.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  try {
    const answer = await fetch(path, { cache: "no-store", ...asked, signal: gone.signal });
    if (answer.ok) return { is: "ok", body: (answer.status === 204 ? null : await answer.json()) as T };
    if (answer.status === 401) return { is: "closed" };
    if (answer.status === 404) return { is: "unknown" };
    if (answer.status === 429 || answer.status === 503) return { is: "slow", seconds: Number(answer.headers.get("retry-after")) || 1 };
    const said = (await answer.json().catch(() => null)) as { code?: unknown } | null;
    return { is: "refused", fault: FAULTS.find((fault) => fault === said?.code) ?? "other" };
  } catch {
    return { is: "away" };
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", stop);
  }
}

/** A question with a body. */
export const json = (body: unknown): RequestInit => ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const askOffer = () => ask<Offer>("/api/enrol", {});
/** Opens the station, or signs a member of staff in, who may choose files; `/enrol?staff` asks for the latter. */
export const openStation = (token: string) => ask<null>("/api/enrol/open", json({ token, staff: new URLSearchParams(location.search).has("staff") }));
export const askLook = (picture: Blob, signal: AbortSignal) => ask<Look>("/api/enrol/look", { method: "POST", headers: { "content-type": "image/jpeg" }, body: picture }, signal);
export const enrol = (enrolment: Enrolment, signal: AbortSignal) => ask<Enrolled>("/api/enrol", json(enrolment), signal);
export const askPass = (secret: string) => ask<Kept>("/api/pass", json({ secret }));
export const forgetPass = (secret: string) => ask<{ receipt: object }>("/api/pass/forget", json({ secret }));
