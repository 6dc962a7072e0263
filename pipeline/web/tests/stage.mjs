// What the tests of the pages stand on: a box to command, a broker to kill, a browser to look with.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import mqtt from "mqtt";
import { chromium } from "playwright-core";

/** Generous: two busy cores run this beside everything else. */
export const DEADLINE_MS = 30_000;

/** A box of one's own; see pipeline/tests/pages.rs for what it obeys. */
export async function box() {
  const address = process.env.USHER_CONTROL;
  if (!address) throw new Error("run these by `cargo test --release -p usher --test pages`: it brings the box");
  const [host, port] = address.split(":");
  const line = connect(Number(port), host);
  await once(line, "connect");
  const answers = createInterface({ input: line })[Symbol.asyncIterator]();
  let turn = Promise.resolve();
  return {
    /** Says what to do and waits until it is done. */
    say(what) {
      turn = turn.then(async () => {
        line.write(`${JSON.stringify(what)}\n`);
        const { value, done } = await answers.next();
        if (done) throw new Error(`the box ended at ${JSON.stringify(what)}`);
        return JSON.parse(value);
      });
      return turn;
    },
    leave: () => line.destroy(),
  };
}

/** A port that nobody has, below those that connections are given: none takes it while its server is away. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const server = createServer().listen(port, "127.0.0.1");
    const free = await once(server, "listening").then(() => true, () => false);
    if (!free) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** A real mosquitto with a WebSocket listener, to be killed and started again on the same ports. */
export async function broker() {
  const folder = mkdtempSync(join(tmpdir(), "usher-pages-"));
  const [tcp, websocket] = [await freePort(), await freePort()];
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `listener ${tcp} 127.0.0.1\nlistener ${websocket} 127.0.0.1\nprotocol websockets\nallow_anonymous true\npersistence false\n`);
  let process = null;
  let publisher = null;
  const start = async () => {
    process = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
    await until("mosquitto listens", async () => {
      const socket = connect(websocket, "127.0.0.1");
      const open = await once(socket, "connect").then(() => true, () => false);
      socket.destroy();
      return open;
    });
  };
  const kill = async () => {
    publisher?.end(true);
    publisher = null;
    if (!process || process.exitCode !== null) return;
    const ended = once(process, "exit");
    process.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    websocket,
    start,
    kill,
    /** Publishes as the box does: QoS 1, not retained. */
    async publish(topic, body) {
      publisher ??= await mqtt.connectAsync(`mqtt://127.0.0.1:${tcp}`, { protocolVersion: 4, clean: true });
      await publisher.publishAsync(topic, typeof body === "string" ? body : JSON.stringify(body), { qos: 1 });
    },
    async end() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Debian's Chromium without a window, with nothing of its own on the network. */
export async function browser() {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args });
}

/** Opens a page and notes whatever it complains about. */
export async function open(browser, url, viewport = { width: 1920, height: 1080 }) {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // That a server is away is said by the browser itself; the page can only go on.
    if (message.type() === "error" && !/ERR_|WebSocket connection|Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.setDefaultTimeout(DEADLINE_MS);
  await page.goto(url);
  return { page, complaints };
}

/** Asks again and again until it is so. A page that is just leaving for another cannot say, and is asked again. */
export async function until(what, holds) {
  const end = performance.now() + DEADLINE_MS;
  const leaving = (error) => /context was destroyed/.test(error?.message);
  for (;;) {
    let found;
    try {
      found = await holds();
    } catch (error) {
      if (!leaving(error)) throw error;
    }
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** Keeps a picture of the page where `SHOTS` names a folder. */
export async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}

let made = 0;

/** A greeting as the box sends it. */
export function greeting({ name = "Minseo", sport = "Athletics", seconds = 20, sessions = [], ...rest } = {}) {
  made += 1;
  const visit = `00000000-0000-7000-8000-${String(Date.now() % 1e9).padStart(9, "0")}${String(made).padStart(3, "0")}`;
  const now = new Date();
  return {
    specversion: "1.0",
    id: `10000000${visit.slice(8)}`,
    source: "/usher/arena/box/gate-n1",
    type: "usher.greeting.v1",
    time: now.toISOString(),
    datacontenttype: "application/json",
    subject: visit,
    data: { visit, gate: "north", name, sport, sessions, expires_at: new Date(now.getTime() + seconds * 1000).toISOString(), ...rest },
  };
}

/** A greeting without a name. */
export function notice({ seconds = 20 } = {}) {
  const { data, ...envelope } = greeting({ seconds });
  return { ...envelope, type: "usher.notice.v1", subject: "north", data: { gate: "north", expires_at: data.expires_at } };
}

/** A drawn face, as the JPEG that the box would send. */
export async function drawnFace(browser) {
  const page = await browser.newPage({ viewport: { width: 320, height: 320 } });
  await page.setContent(`<style>*{margin:0}svg{display:block}</style>${readFileSync(new URL("portrait.svg", import.meta.url), "utf8")}`);
  const jpeg = await page.screenshot({ type: "jpeg", quality: 80 });
  await page.close();
  return jpeg;
}

/** The face of a greeting. */
export function face(of, jpeg) {
  const { data } = of;
  return { ...of, id: `20000000${data.visit.slice(8)}`, type: "usher.face.v1", datacontenttype: "image/jpeg", data: undefined, expiresat: data.expires_at, data_base64: jpeg.toString("base64") };
}

/** A session that starts in so many minutes. */
export function session(title, minutes, venue = "Main Stadium", place = "Block C, row 4") {
  const at = (plus) => new Date(Date.now() + (minutes + plus) * 60_000).toISOString().replace("Z", "+00:00");
  return { title, venue, place, starts: at(0), ends: at(75) };
}
