// Step one: looking into the camera, with hints in words and a shutter that waits for a good picture.
import { el } from "../shared/dom.ts";
import { Camera, base64Of } from "./camera.ts";
import { type Look, askLook } from "./contract.ts";
import { oval } from "./oval.ts";
import { button, crumbs, heading, say, sorryLine } from "./parts.ts";
import { Shutter, type Tell } from "./shutter.ts";
import { sign } from "./signs.ts";
import { trouble } from "./trouble.ts";
import type { Station, Step } from "./visit.ts";

/** Between two looks: the box takes six a second of one tablet. */
const PERIOD_MS = 180;
/** How long a hint stays at least: one that flickers cannot be read, less so be read aloud. */
const HINT_MS = 700;
/** How long it says that a picture was taken before it asks for another. */
const TAKEN_MS = 900;

const pause = (ms: number) => new Promise<void>((go) => setTimeout(go, ms));

export function lookStep(station: Station): Step {
  const { visit, words, offer } = station;
  const say_ = words.look;
  const camera = new Camera();
  const shutter = new Shutter(visit.views.length);
  const end = new AbortController();
  let hintSince = 0;

  camera.video.setAttribute("aria-label", say_.preview);
  const hint = el("p", "hint", say_.starting);
  hint.setAttribute("role", "status");
  hint.setAttribute("aria-live", "polite");
  const flash = el("i", "flash");
  const frame = el("div", "cam", camera.video, oval(), flash, hint);
  frame.dataset["tone"] = "wait";

  const marks = { one: el("li", "", sign("check"), say_.one), light: el("li", "", sign("check"), say_.light), sharp: el("li", "", sign("check"), say_.sharp), distance: el("li", "", sign("check"), say_.distance) };
  const count = el("p", "count");
  const enough = button("go", () => station.go("tell"), say_.enough);
  const sorry = sorryLine(station.sorry);
  const counted = () => {
    count.textContent = visit.views.length > 0 ? say_.count(visit.views.length, offer.views) : "";
    enough.hidden = visit.views.length === 0;
  };

  function tell(text: string, tone: "wait" | "near" | "good", now = false): void {
    frame.dataset["tone"] = tone;
    if (text === hint.textContent || (!now && performance.now() - hintSince < HINT_MS)) return;
    hintSince = performance.now();
    hint.textContent = text;
  }

  function wordsFor(told: Tell): string {
    if (told.is === "hint") return say_.hints[told.hint];
    if (told.is === "ask") return told.ask === "left" ? say_.left : say_.right;
    return told.is === "far" ? say_.tooFar : say_.hold;
  }

  function mark(look: Look): void {
    const seen = look.face !== null;
    const is = (name: keyof typeof marks, ok: boolean) => (marks[name].className = seen && ok ? "ok" : "");
    is("one", look.faces === 1);
    is("light", !["dark", "bright", "side_lit"].includes(look.hint ?? ""));
    is("sharp", look.hint !== "still");
    is("distance", !["closer", "back", "centre"].includes(look.hint ?? ""));
  }

  async function take(): Promise<void> {
    const picture = await camera.view();
    if (!picture || end.signal.aborted) return;
    const view = await base64Of(picture);
    if (end.signal.aborted) return;
    visit.views.push(view);
    visit.source = "camera";
    shutter.taken();
    say(sorry, "");
    flash.classList.remove("on");
    void flash.offsetWidth;
    flash.classList.add("on");
    tell(say_.taken, "good", true);
    counted();
    await pause(TAKEN_MS);
    if (!end.signal.aborted && visit.views.length >= offer.views) station.go("tell");
  }

  async function look(): Promise<number> {
    const picture = camera.live ? await camera.look() : null;
    if (!picture) return 100;
    const answer = await askLook(picture, end.signal);
    if (end.signal.aborted) return 0;
    if (answer.is === "ok") {
      if (answer.body.face) station.touch();
      mark(answer.body);
      const { take: due, tell: told } = shutter.see(answer.body);
      tell(wordsFor(told), told.is === "hold" ? "good" : answer.body.face ? "near" : "wait", told.is === "hold");
      if (due) await take();
      return PERIOD_MS;
    }
    if (answer.is === "closed") {
      station.go("closed");
      return 0;
    }
    if (answer.is === "away") tell(say_.offline, "wait");
    return answer.is === "slow" ? Math.min(answer.seconds, 5) * 1_000 : 1_000;
  }

  async function run(): Promise<void> {
    while (!end.signal.aborted) {
      const began = performance.now();
      const rest = await look();
      await pause(Math.max(rest - (performance.now() - began), 20));
    }
  }

  function open(): void {
    camera.open().then(undefined, (error: unknown) => {
      if (end.signal.aborted || document.hidden) return;
      const denied = error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "SecurityError");
      frame.replaceWith(trouble(station, denied ? say_.denied : say_.missing));
      for (const part of [lead, list]) part.hidden = true;
    });
  }
  // Nobody is filmed behind a page that nobody sees.
  const hidden = () => (document.hidden ? camera.close() : open());
  document.addEventListener("visibilitychange", hidden);

  const title = heading(say_.title);
  const lead = el("p", "lead", say_.lead);
  const list = el("ul", "marks", ...Object.values(marks));
  const plain = button("alt", () => {
    visit.way = "plain";
    visit.views = [];
    station.go("tell");
  }, words.start.plain);
  const root = el(
    "section", "card look",
    el("div", "words", crumbs(1, 3, words.step(1, 3)), title, lead, sorry),
    frame,
    el("div", "below", list, count, el("div", "buttons", enough, plain, button("quiet", () => station.wipe(), say_.over))),
  );
  counted();
  open();
  void run();
  return {
    root,
    heading: title,
    leave() {
      end.abort();
      document.removeEventListener("visibilitychange", hidden);
      camera.close();
    },
  };
}
