// The venue's films and pictures, one after the other; what cannot be played is left out and told.
import { byId, el } from "../../shared/dom.ts";
import type { Item } from "../box.ts";
import { clearFault, setFault } from "../faults.ts";

const FADE_MS = 900;
/** How long something may take to begin, or a film to go on. */
const PATIENCE_MS = 12_000;
/** How long what cannot be played is left out, so that a file that was mended under its name comes back. */
const AGAIN_MS = 3_600_000;

type Medium = HTMLImageElement | HTMLVideoElement;

/** A playlist being played. */
export class Playlist {
  #items: readonly Item[] = [];
  #key = "";
  #next = 0;
  /** What could not be played, and until when it is not tried again. */
  #broken = new Map<string, number>();
  #shown: Medium | null = null;
  /** Counts what was asked for: whatever comes late is for nobody. */
  #turn = 0;
  readonly #quiet = matchMedia("(prefers-reduced-motion: reduce)");

  /** Takes in what there is; another list gives everything another chance. */
  set(items: readonly Item[]): void {
    const key = JSON.stringify(items);
    if (key === this.#key) return;
    for (const url of this.#broken.keys()) clearFault(url);
    this.#key = key;
    this.#items = items;
    this.#broken.clear();
    this.#next = 0;
  }

  /** Whether there is anything that may be shown: no film, where nothing is to move. */
  get any(): boolean {
    return this.#items.some((item) => this.#may(item));
  }

  /**
   * Shows the next one for `picture` milliseconds, a film to its end; then, or where it cannot be played, calls `done`
   * with whether the list begins anew.
   */
  async play(picture: number, reachable: () => boolean, done: (again: boolean) => void): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const item = this.#take();
    // Nothing that can be shown is left of this round.
    const again = !this.#items.slice(this.#next === 0 ? this.#items.length : this.#next).some((one) => this.#may(one));
    if (!item) return done(true);
    const medium = this.#make(item);
    try {
      await begun(medium);
      if (turn !== this.#turn) return discard(medium);
      if (this.#broken.delete(item.url)) clearFault(item.url);
      this.#show(medium);
      await over(medium, picture);
    } catch {
      if (turn !== this.#turn) return discard(medium);
      this.#fail(item, medium, reachable());
    }
    if (turn === this.#turn) done(again);
  }

  /** Takes everything off the screen at once. */
  stop(): void {
    this.#turn += 1;
    this.#shown = null;
    for (const medium of byId("films").querySelectorAll<Medium>("img, video")) discard(medium);
  }

  /** Fades what is shown away, for something that is not of the list. */
  leave(): void {
    this.#turn += 1;
    const old = this.#shown;
    this.#shown = null;
    if (old) this.#fade(old);
  }

  #take(): Item | null {
    for (let tried = 0; tried < this.#items.length; tried += 1) {
      const item = this.#items[this.#next];
      this.#next = (this.#next + 1) % this.#items.length;
      if (item && this.#may(item)) return item;
    }
    return null;
  }

  #may(item: Item): boolean {
    return performance.now() >= (this.#broken.get(item.url) ?? 0) && !(item.kind === "film" && this.#quiet.matches);
  }

  #make(item: Item): Medium {
    if (item.kind === "picture") {
      const image = el("img");
      image.alt = "";
      image.decoding = "async";
      image.src = item.url;
      return image;
    }
    const video = el("video");
    video.muted = true;
    video.defaultMuted = true;
    video.playsInline = true;
    video.preload = "auto";
    video.disableRemotePlayback = true;
    video.src = item.url;
    return video;
  }

  #show(medium: Medium): void {
    const old = this.#shown;
    this.#shown = medium;
    byId("films").append(medium);
    if (!this.#quiet.matches) medium.animate([{ opacity: 0 }, { opacity: 1 }], { duration: FADE_MS, easing: "ease" });
    if (medium instanceof HTMLVideoElement) void medium.play().catch(() => undefined);
    // The new one comes over the old one, which then goes.
    if (old) setTimeout(() => discard(old), this.#quiet.matches ? 0 : FADE_MS);
  }

  #fade(medium: Medium): void {
    if (this.#quiet.matches) return discard(medium);
    medium.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE_MS, easing: "ease", fill: "forwards" }).finished.then(
      () => discard(medium),
      () => discard(medium),
    );
  }

  #fail(item: Item, medium: Medium, reachable: boolean): void {
    if (this.#shown === medium) this.#shown = null;
    discard(medium);
    // While the box is away, what is not kept here cannot be had; that says nothing about the file.
    if (!reachable) return;
    this.#broken.set(item.url, performance.now() + AGAIN_MS);
    setFault(item.url, `playlist: ${nameOf(item.url)} cannot be played`);
  }
}

/** Takes a film or picture off the page, with what it holds in memory. */
function discard(medium: Medium): void {
  medium.remove();
  if (medium instanceof HTMLVideoElement) {
    medium.pause();
    medium.removeAttribute("src");
    medium.load();
  }
}

function begun(medium: Medium): Promise<void> {
  const ready = medium instanceof HTMLVideoElement ? heard(medium, "canplay") : medium.decode();
  return Promise.race([ready, late(PATIENCE_MS)]);
}

/** When it has been shown: a picture after its time, a film at its end or once it no longer moves. */
function over(medium: Medium, picture: number): Promise<void> {
  if (!(medium instanceof HTMLVideoElement)) return new Promise((done) => setTimeout(done, picture));
  return new Promise((done, fail) => {
    let [at, since] = [-1, performance.now()];
    const watch = setInterval(() => {
      if (medium.currentTime !== at) [at, since] = [medium.currentTime, performance.now()];
      else if (performance.now() - since > PATIENCE_MS || !medium.isConnected) end(fail, new Error("stands still"));
    }, 1_000);
    const end = (how: (why?: Error) => void, why?: Error) => {
      clearInterval(watch);
      how(why);
    };
    medium.addEventListener("ended", () => end(() => done()), { once: true });
    medium.addEventListener("error", () => end(fail, new Error("breaks off")), { once: true });
  });
}

function heard(medium: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((done, fail) => {
    medium.addEventListener(event, () => done(), { once: true });
    medium.addEventListener("error", () => fail(new Error("cannot be read")), { once: true });
  });
}

function late(ms: number): Promise<never> {
  return new Promise((_, fail) => setTimeout(() => fail(new Error("takes too long")), ms));
}

/** A file's name without its folder and its dots of traversal. */
function nameOf(url: string): string {
  const last = url.split("/").at(-1) ?? url;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
