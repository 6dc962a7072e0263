// Where one waits less: a word in the header, for whoever has not queued up yet.
import { byId } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { saidAt } from "./greeting.ts";
import { count, fields, isFields, list, text } from "./read.ts";
import { gateOf, minutesOf } from "./welcome/text.ts";
import type { Speaker } from "./words/speak.ts";

/** Another gate, and how many seconds one waits there. */
export interface Steer {
  readonly gate: string;
  readonly seconds: number;
  /** When it was said, milliseconds since 1970. */
  readonly said: number;
}

/** The box tells every ten seconds how its gates are; what is older than this is not how they are. */
const STALE_MS = 60_000;
/** No gate is waited at for longer, and no advice is that long. */
const LONGEST_S = 6 * 3600;
const MOST = 20;

/** What a gate's flow says of another gate: null where it says nothing of one. */
export function readSteer(payload: string): Steer | null {
  const event = fields(payload);
  const data = event?.["data"];
  if (!event || event["type"] !== "usher.flow.v1" || !isFields(data)) return null;
  for (const advice of list(data["advice"], MOST)) {
    if (!isFields(advice) || advice["kind"] !== "steer") continue;
    const gate = text(advice["gate"], 32);
    if (gate === null || gate === data["gate"] || typeof advice["wait_seconds"] !== "number") continue;
    return { gate, seconds: count(advice["wait_seconds"], LONGEST_S), said: saidAt(event) };
  }
  return null;
}

let shown = "";

/** Shows it while it holds. */
export function showSteer(steer: Steer | null, now: number, say: Speaker): void {
  const holds = steer !== null && now - steer.said < STALE_MS && steer.said - now < STALE_MS;
  const words = holds ? say.words.steer(gateOf(steer.gate, say), minutesOf(steer.seconds, say)) : "";
  if (words === shown) return;
  shown = words;
  const line = byId("steer");
  line.hidden = words === "";
  line.replaceChildren(...(words === "" ? [] : [icon("walk"), document.createTextNode(words)]));
}
