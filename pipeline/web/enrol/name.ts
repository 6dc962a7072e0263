// What may be shown on a screen as a name: the same law as the box's, told while one types.

/** Most letters, as a reader counts them, of a name. */
const LONGEST = 40;
/** Most characters that a field for a name takes: one that is too long is still told so, and costs nothing to draw. */
export const FIELD = 1_000;
/** Most code points of one letter: enough for a family emoji, too few for piled-up accents. */
const TALLEST = 12;
/** Control, bidi, invisible, private and unassigned-plane characters; `gallery/name.rs` has the same list. */
const UNSHOWABLE =
  /[\p{Cc}\p{Cs}\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uE000-\uF8FF\uFEFF\uFFA0\uFFF0-\uFFFF\u{E0000}-\u{10FFFF}]/u;

export type NameFault = "empty" | "long" | "character";

const letters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** As the box trims: `String.trim` takes U+FEFF for white space, Unicode does not. */
const trimmed = (text: string) => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");

/** The name as it is shown: trimmed, runs of white space made one space. */
export function shownName(text: string): string {
  return trimmed(text).replace(/\p{White_Space}+/gu, " ");
}

/** Why a name cannot be shown, if so. */
export function nameFault(text: string): NameFault | null {
  if (UNSHOWABLE.test(trimmed(text))) return "character";
  let count = 0;
  for (const { segment } of letters.segment(shownName(text))) {
    count += 1;
    if ([...segment].length > TALLEST) return "character";
    if (count > LONGEST) return "long";
  }
  return /[\p{Alphabetic}\p{N}]/u.test(text) ? null : "empty";
}
