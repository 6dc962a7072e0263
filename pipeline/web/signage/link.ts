// The way to the box and its broker: looked for again whenever it is lost, without a word to passers-by.
import mqtt, { type MqttClient } from "mqtt";
import { boxNow, syncClock } from "../shared/clock.ts";
import { type Box, type Site, readBox, readSite } from "./box.ts";
import { setFault } from "./faults.ts";
import { Trust, isSigned } from "./trust.ts";

/** What the page wants to hear. */
export interface Hears {
  greeting(payload: string): void;
  face(payload: string): void;
  notice(payload: string): void;
  /** What has changed in today's programme. */
  programme(payload: string): void;
  /** How the gate is. */
  flow(payload: string): void;
  /** Whether both the box and its broker answer. */
  link(up: boolean): void;
  /** The box answered. */
  box(box: Box, gate: string): void;
  /** The site's map, or that there is none. */
  site(site: Site | null): void;
}

/** What can be said to the broker. */
export interface Link {
  /** Says that a screen lives; unheard where nobody listens for it. */
  alive(screen: string, words: string): void;
}

const ASK_MS = 15_000;
const ASK_AGAIN_MS = 2_000;
const ANSWER_MS = 4_000;
const BROKER_AGAIN_MS = 1_000;
/** Maps change with the venue's file; nobody waits for that. */
const MAP_MS = 300_000;
/** Larger than any greeting or face. */
const MOST_BYTES = 256 * 1024;

/** Looks for the box, then listens at its broker, for ever. Keys that are `pinned` count instead of those that the box names. */
export function startLink(wanted: string | null, pinned: readonly string[] | null, hears: Hears): Link {
  const trust = new Trust();
  let client: MqttClient | null = null;
  let joined = "";
  let boxUp = false;
  let box: Box | null = null;
  let mapAt = Number.NEGATIVE_INFINITY;
  const tell = () => hears.link(boxUp && (client?.connected ?? false));

  const believes = (topic: string, payload: Uint8Array) => {
    const keys = pinned ?? box?.keys ?? null;
    if (keys === null) return true;
    const isTheirs = isSigned(keys, topic, payload);
    if (!isTheirs) setFault("events", "events: what nobody known here signed was ignored");
    return isTheirs && trust.believes(payload, topic, boxNow());
  };

  const join = (box: Box, gate: string) => {
    const topic = `usher/v1/${box.site}/gate/${gate}/greeting`;
    const faceTopic = `usher/v1/${box.site}/gate/${gate}/face`;
    const noticeTopic = `usher/v1/${box.site}/gate/${gate}/notice`;
    const flowTopic = `usher/v1/${box.site}/gate/${gate}/flow`;
    const programmeTopic = `usher/v1/${box.site}/programme`;
    const key = JSON.stringify([box.websocket, topic, box.login]);
    if (key === joined) return;
    joined = key;
    client?.end(true);
    client = null;
    if (!box.websocket) return;
    const broker = mqtt.connect(box.websocket, {
      protocolVersion: 4,
      clean: true,
      clientId: `screen-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`,
      keepalive: 10,
      reconnectPeriod: BROKER_AGAIN_MS,
      connectTimeout: 5_000,
      // Signs of life are for the moment: none waits for a broker that is away.
      queueQoSZero: false,
      // Workers are made of scripts that the page's policy forbids; the page is always in front, so its timers run.
      timerVariant: "native",
      ...(box.login ? { username: box.login.user, password: box.login.password } : {}),
    });
    client = broker;
    broker.on("connect", () => {
      broker.subscribe([topic, faceTopic, noticeTopic], { qos: 1 });
      // On their own: a broker that knows no such topic refuses this one only.
      broker.subscribe(programmeTopic, { qos: 1 }, () => undefined);
      broker.subscribe(flowTopic, { qos: 1 }, () => undefined);
      tell();
    });
    broker.on("close", tell);
    broker.on("error", tell);
    broker.on("message", (from, payload, packet) => {
      // An empty one takes back what was retained: of a gate that is no more.
      if (payload.length > MOST_BYTES || payload.length === 0) return;
      // Nothing about a person is ever retained; what is, is not from usher.
      if (packet.retain && from !== programmeTopic && from !== flowTopic) return;
      if (!believes(from, payload)) return;
      if (from === programmeTopic) return hears.programme(payload.toString());
      if (from === flowTopic) return hears.flow(payload.toString());
      if (from === topic) hears.greeting(payload.toString());
      else if (from === faceTopic) hears.face(payload.toString());
      else if (from === noticeTopic) hears.notice(payload.toString());
    });
  };

  const ask = async () => {
    const askedAt = performance.now();
    try {
      const answer = await fetch("/api/signage", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = readBox(await answer.json());
      if (!found) throw new Error("not a box");
      box = found;
      syncClock(box.time, askedAt);
      boxUp = true;
      const gate = wanted ?? box.gates[0];
      if (gate !== undefined) {
        hears.box(box, gate);
        join(box, gate);
      }
      if (askedAt - mapAt > MAP_MS) {
        mapAt = askedAt;
        void askMap();
      }
    } catch {
      boxUp = false;
    }
    tell();
    setTimeout(ask, boxUp ? ASK_MS : ASK_AGAIN_MS);
  };

  const askMap = async () => {
    try {
      const answer = await fetch("/api/map", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
      if (answer.ok) hears.site(readSite(await answer.json()));
      else if (answer.status === 404) hears.site(null);
    } catch {
      // Asked again with the box's next answer.
      mapAt = Number.NEGATIVE_INFINITY;
    }
  };
  void ask();
  return {
    alive(screen, words) {
      if (box?.alive && client?.connected) client.publish(`${box.alive}${screen}/alive`, words, { qos: 0 });
    },
  };
}
