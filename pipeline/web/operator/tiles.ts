// One tile per camera: its live picture, and how it is in words.
import { boxNow } from "../shared/clock.ts";
import { el } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { Coach } from "./coach.ts";
import type { CameraNow } from "./state.ts";
import { ago, ordinal } from "./words.ts";

/**
 * Pictures that stay open. Browsers hold six connections to one server; the feed takes one and one must stay free, so
 * further cameras are asked for picture by picture.
 */
const STREAMS = 4;
const PAUSE_MS = 250;
const RETRY_MS = 3_000;

/** How fast a camera is looked at; pictures in which nothing changed are told apart, or a quiet hall would look slow. */
function paceWords(pace: NonNullable<CameraNow["pace"]>): string {
  const unchanged = pace.unchanged_fps > 0 ? ` · ${pace.unchanged_fps.toFixed(1)} unchanged` : "";
  return `${pace.fps.toFixed(1)} fps · ${pace.latency_ms} ms${unchanged}`;
}

/** A camera's place on the page. */
export class Tile {
  readonly root: HTMLElement;
  #name: string;
  #streams: boolean;
  #picture = el("img", "live");
  #dot = el("i");
  #words = el("span");
  #over = el("div", "over");
  #camera: CameraNow | null = null;
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string, place: number) {
    this.#name = name;
    this.#streams = place < STREAMS;
    const coach = new Coach(name);
    this.#picture.alt = `live picture of ${name}`;
    this.root = el(
      "figure",
      "camera",
      el("div", "frame", icon("camera", "icon blank"), this.#picture, this.#over),
      el("figcaption", "", this.#dot, el("b", "", name), this.#words, coach.ask),
      coach.root,
    );
    this.root.dataset["camera"] = name;
    this.#picture.addEventListener("load", () => this.#loaded());
    this.#picture.addEventListener("error", () => this.#again(RETRY_MS));
  }

  /** Takes the camera's state in; without `pictures` none are asked for. */
  tell(camera: CameraNow, pictures: boolean): void {
    const lost = camera.state !== "live";
    this.#camera = camera;
    this.root.dataset["state"] = camera.state;
    this.#dot.className = camera.state === "live" ? "ok" : camera.state === "lost" ? "bad" : "warn";
    const wanted = pictures && !lost && !document.hidden;
    if (wanted && !this.#running) this.#start();
    if (!wanted && this.#running) this.stop();
    this.root.classList.toggle("locked", !pictures);
    this.tick();
  }

  /** Counts seconds on. */
  tick(): void {
    const camera = this.#camera;
    if (!camera) return;
    if (camera.state === "live") {
      this.#words.textContent = camera.pace ? paceWords(camera.pace) : "no face looked at yet";
      this.#over.textContent = this.root.classList.contains("locked") ? "sign in to see pictures" : "";
    } else if (camera.state === "lost") {
      const since = camera.since ? ago(boxNow() - Date.parse(camera.since)) : "a while";
      const tries = camera.tries ? ` (${ordinal(camera.tries)} try)` : "";
      this.#words.textContent = `lost for ${since} · reconnecting${tries}`;
      this.#over.textContent = camera.reason ?? "";
    } else {
      this.#words.textContent = "connecting";
      this.#over.textContent = "";
    }
  }

  /** Lets the connection go. */
  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#picture.removeAttribute("src");
    this.#picture.classList.remove("seen");
  }

  #start(): void {
    this.#running = true;
    this.#ask();
  }

  #ask(): void {
    // A number keeps the browser from showing what it has.
    const kind = this.#streams ? "mjpeg" : "jpg";
    this.#picture.src = `/cameras/${this.#name}.${kind}?at=${Math.round(performance.now())}`;
  }

  #loaded(): void {
    this.#picture.classList.add("seen");
    if (!this.#streams) this.#again(PAUSE_MS);
  }

  #again(after: number): void {
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => this.#running && this.#ask(), after);
  }
}
