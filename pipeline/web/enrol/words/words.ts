// Everything the pages of a visitor say; a language that lacks a word does not compile.
import type { Fault, Food, Hint } from "../contract.ts";

/** A camera that cannot be used: what is so, and what to do. */
export interface Trouble {
  title: string;
  mend: string;
}

export interface Words {
  /** Name of the group of language buttons. */
  languages: string;
  step: (step: number, of: number) => string;
  back: string;
  again: string;
  away: string;
  busy: string;
  optional: string;
  start: { title: string; lead: string; face: string; faceNote: string; plain: string; plainNote: string; same: string };
  look: {
    title: string;
    lead: string;
    preview: string;
    starting: string;
    hold: string;
    taken: string;
    left: string;
    right: string;
    tooFar: string;
    enough: string;
    over: string;
    count: (taken: number, of: number) => string;
    offline: string;
    one: string;
    light: string;
    sharp: string;
    distance: string;
    hints: Record<Hint, string>;
    denied: Trouble;
    missing: Trouble;
    upload: string;
    uploadNote: string;
    tooLarge: string;
  };
  tell: {
    title: string;
    name: string;
    nameHint: string;
    says: string;
    hello: string;
    you: string;
    empty: string;
    long: string;
    character: string;
    sport: string;
    sportHint: string;
    sportFree: string;
    sportMost: string;
    sportNone: string;
    sportUnknown: string;
    found: (options: number) => string;
    chosen: string;
    remove: (what: string) => string;
    language: string;
    food: string;
    foods: Record<Food, string>;
    around: string;
    stepFree: string;
    arrival: string;
    together: string;
    togetherHint: string;
    togetherNew: string;
    togetherWrong: string;
    next: string;
  };
  consent: {
    title: string;
    plainTitle: string;
    custody: string;
    visitor: string;
    visitorNote: string;
    box: string;
    boxNote: string;
    keyVisitor: string;
    keyBox: string;
    keyPlain: string;
    purpose: string;
    purposePlain: string;
    /** What stands before and after the date. */
    deleted: [string, string];
    never: string;
    neverPlain: string;
    notice: (version: string) => string;
    controller: string;
    contact: string;
    minor: (age: number) => string;
    guardian: string;
    guardianMissing: string;
    agree: string;
    decline: string;
    declineNote: string;
    sending: string;
  };
  faults: Record<Fault, string>;
  pass: {
    title: string;
    code: string;
    photograph: string;
    validUntil: string;
    print: string;
    receipt: string;
    receiptNote: string;
    done: string;
    page: string;
  };
  mine: {
    title: string;
    loading: string;
    noSecret: string;
    unknown: string;
    slow: string;
    kept: string;
    keptName: string;
    keptSports: string;
    keptFace: string;
    keptNoFace: string;
    keptUntil: string;
    keptTogether: string;
    keyVisitor: string;
    keyBox: string;
    forget: string;
    forgetSure: string;
    forgetYes: string;
    forgetNo: string;
    gone: string;
    goneNote: string;
    goneReceipt: string;
  };
  day: { title: string; loading: string; noKey: string; gone: string; none: string; calendar: string; note: string; near: string; here: string; hereNote: string; nowhere: string; nothingNear: string };
  idle: { title: string; text: string; seconds: (left: number) => string; stay: string };
  staff: { title: string; text: string; token: string; open: string; wrong: string; slow: (seconds: number) => string };
}
