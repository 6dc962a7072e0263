// What is shown while nobody is welcomed: the invitation, what has changed today, the venue's films and pictures.
import { byId } from "../../shared/dom.ts";
import type { Venue } from "../box.ts";
import type { Change } from "../changes.ts";
import { type Speaker, speaker } from "../words/speak.ts";
import { setAttract } from "./attract.ts";
import { showBoard } from "./board.ts";
import { Playlist } from "./playlist.ts";

type Slide = "attract" | "board" | "films";

/** The loop of what passers-by see. */
export class Idle {
  readonly #playlist = new Playlist();
  #venue: Venue | null = null;
  #say: Speaker = speaker("en");
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #known = "";

  /** `changes` are those of now; `reachable` says whether the box answers. */
  constructor(
    readonly changes: () => readonly Change[],
    readonly reachable: () => boolean,
  ) {}

  /** Takes in what the venue wants to be shown at a gate that looks for passes, or for faces. */
  set(venue: Venue, say: Speaker, pass: boolean): void {
    this.#venue = venue;
    this.#say = say;
    this.#playlist.set(venue.playlist);
    setAttract(say, pass);
  }

  /** Begins with the invitation. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    byId("idle").hidden = false;
    this.#go("attract");
  }

  /** Makes room for somebody, at once. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#playlist.stop();
    byId("idle").hidden = true;
  }

  /** The programme has changed: passers-by see it now. */
  changed(): void {
    const changes = this.changes();
    const key = JSON.stringify(changes.map(({ id, starts, venue, place, status }) => [id, starts, venue, place, status]));
    const news = key !== this.#known;
    this.#known = key;
    if (!this.#running || !news) return;
    if (changes.length > 0) this.#go("board");
    else if (document.body.dataset["slide"] === "board") this.#go("attract");
  }

  #go(slide: Slide): void {
    clearTimeout(this.#timer);
    const still = this.#venue?.picture_ms ?? 10_000;
    if (slide !== "films") this.#playlist.leave();
    document.body.dataset["slide"] = slide;
    if (slide === "films") {
      void this.#playlist.play(still, this.reachable, (again) => {
        if (this.#running) this.#go(again || !this.#playlist.any ? "attract" : "films");
      });
      return;
    }
    if (slide === "board") showBoard(this.changes(), this.#say);
    this.#timer = setTimeout(() => this.#go(this.#after(slide)), still);
  }

  #after(slide: Slide): Slide {
    if (slide === "attract" && this.changes().length > 0) return "board";
    return this.#playlist.any ? "films" : "attract";
  }
}
