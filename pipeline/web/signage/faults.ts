// What is wrong with this screen, in a few words for whoever looks after it.

const MOST = 8;
const MOST_LETTERS = 120;
const found = new Map<string, string>();

/** Says what is wrong with a part of the screen; the newest word about it counts. */
export function setFault(part: string, words: string): void {
  found.delete(part);
  found.set(part, `${words}`.slice(0, MOST_LETTERS));
}

/** It works again. */
export function clearFault(part: string): void {
  found.delete(part);
}

/** All that is wrong, the newest last. */
export function faults(): string[] {
  return [...found.values()].slice(-MOST);
}
