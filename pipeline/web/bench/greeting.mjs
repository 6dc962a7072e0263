// How long from the broker's delivery of a greeting, with its face and a whole day, to the frame that shows it? `node bench/greeting.mjs`
//
// One JSON line. Delivered: the WebSocket's message event in the page. Shown: the task after the animation frame in which
// the name stood in the document, that is, after the frame was given to the compositor.
import { broker, browser, drawnFace, face, greeting, open, session } from "../tests/stage.mjs";
import { FACE, TOPIC, stop, venueBox } from "../tests/signage.stage.mjs";

const GREETINGS = Number(process.env.GREETINGS ?? 200);
const [width, height] = [1920, 1080];
const SITE = {
  areas: Array.from({ length: 60 }, (_, i) => {
    const [x, y] = [7 + (i % 10) * 0.0008, 50 + Math.floor(i / 10) * 0.0006];
    return { kind: ["building", "green", "water", "square", "pitch"][i % 5], name: `Hall ${i}`, outline: [[x, y], [x + 0.0006, y], [x + 0.0006, y + 0.0004], [x, y + 0.0004], [x, y]] };
  }),
  paths: Array.from({ length: 80 }, (_, i) => Array.from({ length: 12 }, (_, n) => [7 + n * 0.0006, 50 + i * 0.00005])),
  places: Array.from({ length: 200 }, (_, i) => ({ kind: "restaurant", name: `Kitchen ${i}`, at: [7 + (i % 20) * 0.0004, 50 + Math.floor(i / 20) * 0.0004] })),
};
const day = () => ({
  stops: ["arrive", "meal", "session", "rest", "session", "leave"].map((kind, i) => stop(kind, `Stop ${i}`, 10 + i * 40, { place: "Ice Arena · Hall 2", walk_s: 240, gate: "gate-d", wait_s: 90, at: [7 + i * 0.001, 50 + (i % 3) * 0.001], why: [{ is: "favourite", sport: "Short track" }, { is: "popular" }] })),
  route: Array.from({ length: 300 }, (_, i) => [7 + i * 0.00002, 50 + Math.sin(i / 20) * 0.001]),
});

const [chrome, mosquitto] = [await browser(), await broker()];
const box = await venueBox({ websocket: mosquitto.websocket, map: SITE });
const context = await chrome.newContext({ viewport: { width, height } });
const page = await context.newPage();
await page.addInitScript(() => {
  globalThis.delivered = new Map();
  globalThis.painted = new Map();
  const Socket = globalThis.WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...all) {
      super(...all);
      // Before any listener of the page's own.
      this.addEventListener("message", ({ data }) => {
        const name = /"name":"(Guest \d+)"/.exec(new TextDecoder().decode(data))?.[1];
        if (name && !globalThis.delivered.has(name)) globalThis.delivered.set(name, performance.now());
      });
    }
  };
  const after = new MessageChannel();
  const waiting = [];
  after.port1.onmessage = () => {
    const now = performance.now();
    for (const name of waiting.splice(0)) globalThis.painted.set(name, now);
  };
  const watch = () => {
    const name = document.querySelector(".name")?.textContent;
    if (name && globalThis.delivered.has(name) && !globalThis.painted.has(name) && !waiting.includes(name)) {
      waiting.push(name);
      after.port2.postMessage(0);
    }
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
});
await page.goto(box.url("?gate=north"));
await page.waitForSelector('body[data-link="up"]');
const jpeg = await drawnFace(chrome);

for (let i = 0; i < GREETINGS; i += 1) {
  const one = greeting({ name: `Guest ${i}`, sport: "Short track", seconds: 1.2, sessions: [session("Semi-finals", 42), session("Final", 90)], day: day(), take: "https://box.example:8443/day#c2VjcmV0LW9mLXRoZS1wYXNz" });
  await mosquitto.publish(FACE, face(one, jpeg));
  await mosquitto.publish(TOPIC, one);
  await page.waitForFunction((name) => globalThis.painted.has(name), `Guest ${i}`);
  await page.waitForSelector('body[data-state="idle"]');
}
const times = (await page.evaluate(() => [...globalThis.painted].map(([name, at]) => at - globalThis.delivered.get(name)))).sort((a, b) => a - b);
const at = (share) => Math.round(times[Math.min(Math.floor(times.length * share), times.length - 1)] * 10) / 10;
console.log(JSON.stringify({ bench: "signage greeting on screen", greetings: times.length, screen: `${width}x${height}`, unit: "ms", p50: at(0.5), p95: at(0.95), worst: at(1), goal_p95: 250, browser: chrome.version() }));
await chrome.close();
await box.stop();
await mosquitto.end();
