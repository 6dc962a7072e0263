// What one visitor has entered so far; replaced whole when they leave, so that nothing of it stays.
import type { Custody, Enrolled, Food, Language, Offer } from "./contract.ts";
import type { Words } from "./words/words.ts";

export interface Visit {
  /** With a face, or a pass only. */
  way: "face" | "plain";
  /** JPEG as base64, frontal first. */
  views: string[];
  source: "camera" | "upload";
  name: string;
  sports: string[];
  /** What stands in the field for sports and is none yet. */
  sportTyped: string;
  greetIn: Language;
  food: Food[];
  stepFree: boolean;
  arrival: string;
  /** The code of the group to be greeted with, as typed. */
  together: string;
  custody: Custody;
  minor: boolean;
  guardian: string;
  enrolled: Enrolled | null;
  /** Ended when the visitor leaves: what was asked for them is dropped. */
  readonly end: AbortController;
  /** Pictures handed out as addresses, to be taken back. */
  readonly urls: string[];
}

export type StepName = "away" | "closed" | "start" | "look" | "tell" | "consent" | "pass";

/** One step as it is shown. */
export interface Step {
  root: HTMLElement;
  heading: HTMLElement;
  /** Called once when it is left. */
  leave?: () => void;
}

/** What a step may do with the page around it. */
export interface Station {
  readonly words: Words;
  readonly language: Language;
  /** The languages that both the box and the pages speak. */
  readonly languages: readonly Language[];
  readonly offer: Offer;
  readonly visit: Visit;
  go(step: StepName, sorry?: string): void;
  /** What went wrong on the way here, in the visitor's language. */
  readonly sorry: string;
  /** Forgets the visitor and begins anew. */
  wipe(): void;
  /** Somebody is there. */
  touch(): void;
  /** Whether the visitor waits for the box: nobody is taken to have left meanwhile. */
  busy: boolean;
  /** Asks the box anew what it offers. */
  refresh(): Promise<void>;
}

/** Nothing entered yet. */
export function nobody(way: Visit["way"], greetIn: Language, custody: Custody): Visit {
  return {
    way, greetIn, custody,
    views: [], source: "camera", name: "", sports: [], sportTyped: "", food: [], stepFree: false, arrival: "", together: "", minor: false, guardian: "",
    enrolled: null, end: new AbortController(), urls: [],
  };
}

/** Ends a visit and empties it, should anything still hold it. */
export function wipeVisit(visit: Visit): void {
  visit.end.abort();
  for (const url of visit.urls) URL.revokeObjectURL(url);
  Object.assign(visit, { views: [], name: "", sports: [], sportTyped: "", food: [], stepFree: false, arrival: "", together: "", minor: false, guardian: "", enrolled: null });
  visit.urls.length = 0;
}
