// The big screen without its box: the page keeps itself, and a newer one waits until nobody is greeted.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, greeting, until } from "./stage.mjs";
import { TOPIC, hall } from "./signage.stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

const PICTURE = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const kept = (page) => page.evaluate(async () => {
  const found = [];
  for (const name of await caches.keys()) for (const one of await (await caches.open(name)).keys()) found.push(new URL(one.url).pathname);
  return found;
});
const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);
const shown = (page, name) => page.waitForFunction((name) => document.querySelector(".name")?.textContent === name, name);

test("with the box gone even a reload shows the invitation, in the venue's language and colours, with its pictures", async (t) => {
  const venue = { "/venue/theme/theme.css": Buffer.from(":root { --accent: rgb(1, 2, 3); }"), "/venue/playlist/b.png": PICTURE, "/venue/playlist/other.png": PICTURE };
  const says = { language: "fr", theme: "/venue/theme/theme.css", playlist: [{ url: "/venue/playlist/b.png", kind: "picture" }], picture_ms: 600, login: { user: "screen", password: "hunter2" } };
  const { page, box, mosquitto, complaints } = await hall(t, chrome, { says, venue });
  await controlled(page);
  await until("page, theme and playlist are kept", async () => {
    const all = await kept(page);
    return ["/signage", "/assets/signage.js", "/venue/theme/theme.css", "/venue/playlist/b.png"].every((path) => all.includes(path));
  });
  assert.ok((await kept(page)).every((path) => !path.startsWith("/api/") && path !== "/venue/playlist/other.png"), "nothing else is");
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 2 }));
  await shown(page, "Ana");
  const stored = await page.evaluate(async () => {
    const texts = [JSON.stringify(localStorage), JSON.stringify(sessionStorage)];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const one of await cache.keys()) texts.push(await (await cache.match(one)).text());
    }
    return texts.join("");
  });
  for (const secret of ["Ana", "hunter2"]) assert.ok(!stored.includes(secret), `${secret} is kept nowhere`);

  await box.stop();
  await mosquitto.kill();
  await page.reload();
  await page.waitForSelector('body[data-link="away"]');
  assert.ok(await page.isVisible("#idle"));
  assert.equal(await page.getAttribute("html", "lang"), "fr");
  assert.match(await page.textContent("#attract .hint"), /Approchez et regardez/);
  await page.waitForFunction(() => getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() === "rgb(1, 2, 3)");
  await page.waitForFunction(() => document.querySelector("#films img")?.naturalWidth > 0);
  assert.equal(await page.textContent("#clock"), "", "a kiosk's own clock is shown to nobody");

  // It comes back by itself.
  await box.start();
  await mosquitto.start();
  await page.waitForSelector('body[data-link="up"]');
  await mosquitto.publish(TOPIC, greeting({ name: "Back", seconds: 3 }));
  await shown(page, "Back");
  assert.deepEqual(complaints, []);
});

test("a newer page takes over only once nobody is greeted", async (t) => {
  const { page, box, mosquitto } = await hall(t, chrome, {});
  await controlled(page);
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 25 }));
  await shown(page, "Ana");
  await page.evaluate(() => (globalThis.old = true));
  // A box with other pages: another worker, another title.
  box.build = (name, body) => (name === "signage-worker.js" ? `${body}\n// newer` : name === "signage.html" ? body.toString().replace("<title>Welcome</title>", "<title>Newer</title>") : body);
  box.says.version = "2";
  await until("the newer one waits", () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration("/signage"))?.waiting !== null));
  assert.equal(await page.textContent(".name"), "Ana");
  assert.ok(await page.evaluate(() => globalThis.old === true), "who is greeted is not disturbed");
  await page.waitForFunction(() => document.title === "Newer");
  assert.equal(await page.evaluate(() => globalThis.old), undefined);
});

test("a film is given from what is kept in the parts that are asked for", async (t) => {
  const film = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251));
  const { page, box } = await hall(t, chrome, { says: { playlist: [{ url: "/venue/playlist/a.webm", kind: "film" }] }, venue: { "/venue/playlist/a.webm": film } });
  await controlled(page);
  await until("it is kept", async () => (await kept(page)).includes("/venue/playlist/a.webm"));
  await box.stop();
  const part = (range) => page.evaluate(async (range) => {
    const answer = await fetch("/venue/playlist/a.webm", { headers: { range } });
    return [answer.status, answer.headers.get("content-range"), [...new Uint8Array(await answer.arrayBuffer())]];
  }, range);
  assert.deepEqual(await part("bytes=10-19"), [206, "bytes 10-19/5000", [...film.subarray(10, 20)]]);
  assert.deepEqual((await part("bytes=4990-")).slice(0, 2), [206, "bytes 4990-4999/5000"]);
  assert.deepEqual((await part("bytes=9000-")).slice(0, 2), [416, "bytes */5000"]);
});

test("what the playlist no longer names is not kept, and what is too large never is", async (t) => {
  const venue = { "/venue/playlist/b.png": PICTURE, "/venue/playlist/c.png": PICTURE, "/venue/playlist/large.webm": Buffer.alloc(129 * 1024 * 1024) };
  const { page, box } = await hall(t, chrome, { says: { playlist: [{ url: "/venue/playlist/b.png", kind: "picture" }] }, venue });
  await controlled(page);
  await until("the first is kept", async () => (await kept(page)).includes("/venue/playlist/b.png"));
  // In this order: once the last is kept, the large one has been looked at.
  box.says.playlist = [{ url: "/venue/playlist/large.webm", kind: "film" }, { url: "/venue/playlist/c.png", kind: "picture" }];
  await until("the second is, and the first is not", async () => {
    const all = await kept(page);
    return all.includes("/venue/playlist/c.png") && !all.includes("/venue/playlist/b.png");
  });
  assert.ok(box.asked.includes("/venue/playlist/large.webm"));
  assert.ok(!(await kept(page)).includes("/venue/playlist/large.webm"));
});

test("a box that has no worker any more is not hidden by one", async (t) => {
  const { page, box } = await hall(t, chrome, {});
  await controlled(page);
  box.older = true;
  box.says.version = "0";
  await until("the worker has gone", () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration("/signage")) === undefined));
});

test("an older box, without a worker, is served as before", async (t) => {
  const { page, box, mosquitto } = await hall(t, chrome, {});
  box.older = true;
  const other = await page.context().browser().newContext();
  t.after(() => other.close());
  const fresh = await other.newPage();
  await fresh.goto(box.url("?gate=north"));
  await fresh.waitForSelector('body[data-link="up"]');
  assert.equal(await fresh.evaluate(() => navigator.serviceWorker.controller), null);
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 20 }));
  await shown(fresh, "Ana");
  // It loads itself anew when the box brings other pages, as ever: once nobody is greeted.
  await fresh.evaluate(() => (globalThis.old = true));
  box.says.version = "2";
  await fresh.waitForFunction(() => globalThis.old === undefined);
});
