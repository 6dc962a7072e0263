// The big screen while nobody is welcomed, and how it suits the hour, the eye and whoever looks after it.
import assert from "node:assert/strict";
import test from "node:test";
import mqtt from "mqtt";
import { browser, greeting, shoot, until } from "./stage.mjs";
import { PROGRAMME, TOPIC, at, changes, faultsOfLayout, hall, still } from "./signage.stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

/** A film of a second and a half and a picture, made here. */
const [FILM, PICTURE] = await (async () => {
  const page = await chrome.newPage();
  const [film, picture] = await page.evaluate(async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [320, 180];
    const pen = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    const end = performance.now() + 1_500;
    for (let i = 0; performance.now() < end; i += 1) {
      pen.fillStyle = `hsl(${(i * 9) % 360} 60% 40%)`;
      pen.fillRect(0, 0, 320, 180);
      await new Promise((go) => setTimeout(go, 40));
    }
    await new Promise((done) => {
      recorder.onstop = done;
      recorder.stop();
    });
    return [[...new Uint8Array(await new Blob(parts).arrayBuffer())], canvas.toDataURL("image/png").split(",")[1]];
  });
  await page.close();
  return [Buffer.from(film), Buffer.from(picture, "base64")];
})();

const slide = (page, name) => page.waitForSelector(`body[data-state="idle"][data-slide="${name}"]`, { state: "attached" });
const shown = (page, name) => page.waitForFunction((name) => document.querySelector(".name")?.textContent === name, name);
const change = (title, minutes, status) => ({ session: title, sport: "Swimming", title, venue: "Aquatics Centre", place: "Pool 1", gate: "gate-d", starts: at(minutes), ends: at(minutes + 60), status });

test("films and pictures are shown in turn without a sound, what cannot be played is left out and told", async (t) => {
  const playlist = [
    { url: "/venue/playlist/broken.webm", kind: "film" },
    { url: "/venue/playlist/a.webm", kind: "film" },
    { url: "/venue/playlist/b.png", kind: "picture" },
    { url: "/venue/playlist/gone.png", kind: "picture" },
  ];
  const venue = { "/venue/playlist/broken.webm": Buffer.from("not a film"), "/venue/playlist/a.webm": FILM, "/venue/playlist/b.png": PICTURE };
  const { page, mosquitto, complaints } = await hall(t, chrome, { says: { playlist, picture_ms: 600, alive: "usher/v1/arena/screen/" }, venue, query: "?gate=north&screen=left" });
  await page.waitForFunction(() => document.querySelector("#films video")?.currentTime > 0);
  assert.ok(await page.$eval("#films video", (film) => film.muted && !film.controls));
  assert.ok(await page.isVisible(".invite"), "the invitation stays");
  await shoot(page, "signage-film");
  await page.waitForFunction(() => document.querySelector("#films img")?.naturalWidth > 0);
  await slide(page, "attract");
  await page.waitForFunction(() => document.querySelector("#films video")?.currentTime > 0);
  await page.evaluate(() => {
    globalThis.tried = [];
    for (const kind of [HTMLMediaElement, HTMLImageElement]) {
      const { get, set } = Object.getOwnPropertyDescriptor(kind.prototype, "src");
      Object.defineProperty(kind.prototype, "src", { get, set(url) { globalThis.tried.push(url); set.call(this, url); } });
    }
  });
  await slide(page, "attract");
  await slide(page, "films");
  await page.waitForFunction(() => document.querySelector("#films video")?.currentTime > 0);
  const tried = await page.evaluate(() => globalThis.tried.filter((url) => url.includes("/venue/")));
  assert.ok(tried.some((url) => url.endsWith("a.webm")) && !tried.some((url) => /broken|gone/.test(url)), `what is broken is remembered: ${tried}`);

  // A greeting interrupts it at once.
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 3 }));
  await shown(page, "Ana");
  assert.equal(await page.$$eval("#films > *", (all) => all.length), 0);
  assert.ok(!(await page.isVisible("#idle")));
  await slide(page, "films");

  // And whoever looks after the screen is told.
  const ear = await mqtt.connectAsync(`ws://127.0.0.1:${mosquitto.websocket}/mqtt`, { protocolVersion: 4 });
  t.after(() => ear.end(true));
  const alive = new Promise((heard) => ear.on("message", (topic, body) => heard([topic, JSON.parse(body.toString())])));
  await ear.subscribeAsync("usher/v1/arena/screen/+/alive");
  const [topic, said] = await alive;
  assert.equal(topic, "usher/v1/arena/screen/left/alive");
  assert.deepEqual([said.screen, said.gate, said.width, said.height], ["left", "north", 1920, 1080]);
  assert.match(said.version, /^[0-9a-f]{16}$/);
  assert.ok(["idle", "greeting", "notice"].includes(said.shows));
  assert.ok(said.faults.includes("playlist: broken.webm cannot be played") && said.faults.includes("playlist: gone.png cannot be played"), String(said.faults));
  assert.deepEqual(complaints, []);
});

test("what has changed today is shown to whoever passes, at once and as long as it is so", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome, { says: { picture_ms: 2_000 } });
  await slide(page, "attract");
  const all = Array.from({ length: 12 }, (_, i) => change(`Heat ${i}`, 20 + i, ["delayed", "moved", "sold_out", "cancelled"][i % 4]));
  await mosquitto.publish(PROGRAMME, changes(change("Over", -120, "delayed"), change("As ever", 30, "on_time"), ...all));
  await slide(page, "board");
  const titles = () => page.$$eval(".changes .what", (rows) => rows.map((row) => row.textContent));
  const first = await titles();
  assert.equal(first[0], "Heat 0");
  assert.deepEqual(await page.$$eval(".changes .badge", (rows) => rows.slice(0, 4).map((row) => row.textContent)), ["Delayed", "Moved", "Sold out", "Cancelled"]);
  assert.deepEqual(await faultsOfLayout(page), []);
  await shoot(page, "signage-board");
  // The others have their turn next time.
  await slide(page, "attract");
  await slide(page, "board");
  const second = await titles();
  assert.ok(second.length > 0 && second.every((title) => !first.includes(title)), String(second));
  await page.setViewportSize({ width: 1080, height: 1920 });
  await slide(page, "attract");
  await slide(page, "board");
  assert.deepEqual(await faultsOfLayout(page), []);
  await mosquitto.publish(PROGRAMME, changes());
  await slide(page, "attract");
  assert.deepEqual(complaints, []);
});

test("what is retained of the programme is heard by a screen that starts later", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, { says: { picture_ms: 600 } });
  const mouth = await mqtt.connectAsync(`ws://127.0.0.1:${mosquitto.websocket}/mqtt`, { protocolVersion: 4 });
  t.after(() => mouth.end(true));
  await mouth.publishAsync(PROGRAMME, JSON.stringify(changes(change("Heat", 30, "moved"))), { qos: 1, retain: true });
  // Nobody's name is ever taken from what was retained.
  await mouth.publishAsync(TOPIC, JSON.stringify(greeting({ name: "Retained", seconds: 60 })), { qos: 1, retain: true });
  await page.reload();
  await slide(page, "board");
  assert.equal(await page.textContent(".changes .what"), "Heat");
  assert.ok(!(await page.content()).includes("Retained"));
});

test("at a gate that looks for passes one is asked to hold it up", async (t) => {
  const { page } = await hall(t, chrome, { says: { pass_gates: ["north"] } });
  assert.match(await page.textContent("#attract .hint"), /Hold your pass up to the camera/);
  const other = await hall(t, chrome, { says: { pass_gates: ["south"] } });
  assert.match(await other.page.textContent("#attract .hint"), /look at the screen/);
});

test("a venue's theme comes after ours, and goes with its file", async (t) => {
  const venue = { "/venue/theme/theme.css": Buffer.from(":root { --accent: rgb(1, 2, 3); --logo: url(/venue/theme/logo.png); --logo-width: 120px; }"), "/venue/theme/logo.png": PICTURE };
  const { page, box, mosquitto, complaints } = await hall(t, chrome, { says: { theme: "/venue/theme/theme.css" }, venue });
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 30 }));
  await shown(page, "Ana");
  await page.waitForFunction(() => getComputedStyle(document.querySelector(".sport")).backgroundColor === "rgb(1, 2, 3)");
  assert.equal(await page.$eval(".logo", (one) => one.clientWidth), 120);
  box.says.theme = null;
  await page.waitForFunction(() => getComputedStyle(document.querySelector(".sport")).backgroundColor !== "rgb(1, 2, 3)");
  assert.deepEqual(complaints, []);
});

test("at night, by the box's clock, the screen is darker and as easy to read", async (t) => {
  const clock = (plus) => new Date(Date.now() + plus * 3_600_000).toISOString().slice(11, 16);
  const { page, box } = await hall(t, chrome, { says: { night: { from: clock(1), to: clock(3) } } });
  const light = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--deep2").trim());
  assert.equal(await page.getAttribute("html", "data-night"), null);
  const day = await light();
  box.says.night = { from: clock(-2), to: clock(2) };
  await page.waitForSelector("html[data-night]", { state: "attached" });
  assert.notEqual(await light(), day);
  await shoot(page, "signage-night");
});

test("who asks for more contrast gets it at night and under any theme", async (t) => {
  const { page } = await hall(t, chrome, { says: { night: { from: "00:00", to: "23:59" }, theme: "/venue/theme/theme.css" }, venue: { "/venue/theme/theme.css": Buffer.from(":root { --ink: #333; } :root[data-night] { --ink: #222; }") } });
  const ink = (wanted) => page.waitForFunction((wanted) => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim() === wanted, wanted);
  await ink("#222");
  await page.emulateMedia({ contrast: "more" });
  await ink("#fff");
});

test("where nothing is to move nothing does: no film, no fade, no turning, no bar", async (t) => {
  const playlist = [{ url: "/venue/playlist/a.webm", kind: "film" }, { url: "/venue/playlist/b.png", kind: "picture" }];
  const { page, box, mosquitto } = await hall(t, chrome, { says: { picture_ms: 700 }, venue: { "/venue/playlist/a.webm": FILM, "/venue/playlist/b.png": PICTURE } });
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(() => {
    globalThis.films = 0;
    new MutationObserver(() => (globalThis.films += document.querySelectorAll("video").length)).observe(document.body, { childList: true, subtree: true });
  });
  box.says.playlist = playlist;
  await page.waitForFunction(() => document.querySelector("#films img")?.naturalWidth > 0);
  const moving = () => page.evaluate(() => document.getAnimations().filter((one) => one.playState === "running").map((one) => one.animationName ?? one.effect.target.className));
  assert.deepEqual(await moving(), []);
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 4 }));
  await shown(page, "Ana");
  assert.deepEqual(await moving(), []);
  await mosquitto.publish(PROGRAMME, changes(change("Heat", 30, "moved")));
  await slide(page, "board");
  assert.deepEqual(await moving(), []);
  assert.equal(await page.evaluate(() => globalThis.films), 0);
});

test("a screen keeps the name that was made for it", async (t) => {
  const { page } = await hall(t, chrome, { says: {} });
  const kept = () => page.evaluate(() => localStorage.getItem("usher.screen"));
  const name = await until("a name is made", kept);
  assert.match(name, /^[a-z0-9_-]{1,32}$/);
  await page.reload();
  assert.equal(await kept(), name);
  await still(page);
});
