// The visitor's day on a telephone, in Chromium: the plan behind a screen's code, its map, its calendar file.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import test from "node:test";
import { browser, open, shoot } from "./stage.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const chrome = await browser();
test.after(() => chrome.close());

const KEY = "ABCDEFGHIJKLMNOP";
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", woff2: "font/woff2" };
/** As `pipeline/src/web/enrol/api.rs` writes it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const NASTY = `<img src=x onerror="document.title='run'">\u202e${"ẁ".repeat(60)}`;

const stop = (kind, title, hour, more = {}) => ({
  kind, title, place: "Ice Arena · hall 2", starts: `2026-07-14T${hour}:00:00+02:00`, ends: `2026-07-14T${hour}:40:00+02:00`,
  walk_s: 360, walk_m: 420, gate: null, wait_s: 0, session: null, status: null, at: [13.4 + Number(hour) / 4000, 52.5], why: [], ...more,
});
const day = (title = "Women’s 1500 m") => ({
  stops: [
    stop("arrive", "gate-a", "10", { walk_s: 0 }),
    stop("session", title, "12", { session: "s1", status: "delayed", gate: "gate-b", wait_s: 240, why: [{ is: "favourite", sport: "Short track" }] }),
    stop("meal", "Haenyeo Noodles", "13", { why: [{ is: "wish", food: "vegan" }, { is: "popular" }, { is: "open_until", at: "22:00" }] }),
    stop("leave", "North station", "21", { why: [{ is: "departs", line: "S1", towards: "City", at: "21:40" }] }),
  ],
  route: [[13.4025, 52.5], [13.403, 52.501], [13.40525, 52.5]],
});
const MAP = {
  areas: [{ kind: "building", name: "Ice Arena", outline: [[13.403, 52.4995], [13.4034, 52.4995], [13.4034, 52.5005], [13.403, 52.4995]] }],
  paths: [[[13.4, 52.5], [13.41, 52.5]]],
  places: [{ kind: "restaurant", name: "Haenyeo Noodles", at: [13.40325, 52.5] }],
};

const near = [
  { kind: "restaurant", name: "Haenyeo Noodles", walk_s: 240, walk_m: 260, at: [13.40325, 52.5], why: [{ is: "wish", food: "vegan" }, { is: "near", minutes: 4 }, { is: "quiet" }] },
  { kind: "cafe", name: NASTY, walk_s: 0, walk_m: 0, at: [13.4, 52.5], why: [{ is: "near", minutes: 1 }, { is: "popular" }] },
];

/** A box that answers `told` to whoever has the key. */
async function box(t, told) {
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://box");
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const body = parts.length > 0 ? JSON.parse(Buffer.concat(parts).toString()) : null;
      asked.push({ pathname, body });
      const send = (status, type, what) => response.writeHead(status, { "content-type": type, "content-security-policy": POLICY, "cache-control": "no-store" }).end(what);
      const json = (value) => send(200, "application/json", JSON.stringify(value));
      if (pathname === "/D") return send(200, TYPES.html, readFileSync("dist/day.html"));
      if (pathname === "/api/map") return json(MAP);
      if (pathname === "/api/nearby") return json({ places: near, here: Boolean(body.at) && asked.filter(({ body }) => body?.at).length < 2 });
      if (pathname === "/api/day" || pathname === "/api/day/calendar") {
        if (body?.key !== KEY || told() === null) return send(404, "application/json", JSON.stringify({ code: "unknown", message: "gone" }));
        return pathname === "/api/day" ? json(told()) : send(200, "text/calendar", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
      }
      try {
        send(200, TYPES[pathname.split(".").at(-1)], readFileSync(`dist/${pathname.replace("/assets/", "")}`));
      } catch {
        send(404, "text/plain", "not here");
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/D`, asked };
}

const answer = (more = {}) => ({ site: "north-park", language: "en", day: day(), time: "2026-07-14T10:00:00.000+02:00", expires_at: "2026-07-15T04:00:00.000+02:00", ...more });
const PHONE = { width: 390, height: 844 };
const sticksOut = (page) => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

test("the plan is there, with its map, in every language, and nothing sticks out", async (t) => {
  for (const language of ["en", "ko", "zh", "fr", "es", "ar"]) {
    const { url } = await box(t, () => answer({ language }));
    const { page, complaints } = await open(chrome, `${url}#${KEY}`, PHONE);
    await page.waitForSelector(".day .map svg .disc");
    assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [language, language === "ar" ? "rtl" : "ltr"]);
    assert.equal(await page.locator(".stop").count(), 4);
    assert.equal(await page.locator(".map .disc").count(), 3);
    assert.match(await page.textContent(".stop[data-kind=session]"), /Women’s 1500 m/);
    assert.equal(await sticksOut(page), false, language);
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => (await window.axe.run(document)).violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes[0].html}`));
    assert.deepEqual(found, [], language);
    await page.waitForSelector(".near li");
    await shoot(page, `day-${language}`);
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

test("what comes from elsewhere is text, however nasty", async (t) => {
  const { url } = await box(t, () => answer({ day: day(NASTY) }));
  const { page, complaints } = await open(chrome, `${url}#${KEY}`, PHONE);
  await page.waitForSelector(".day .stop");
  assert.equal(await page.locator(".day img").count(), 0);
  assert.notEqual(await page.title(), "run");
  assert.equal(await sticksOut(page), false);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("the day goes into the calendar", async (t) => {
  const { url, asked } = await box(t, () => answer());
  const { page } = await open(chrome, `${url}#${KEY}`, PHONE);
  await page.waitForSelector(".day .stop");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(".day .buttons button")]);
  assert.equal(file.suggestedFilename(), "day.ics");
  assert.match(readFileSync(await file.path(), "utf8"), /^BEGIN:VCALENDAR/);
  assert.deepEqual(asked.filter(({ pathname }) => pathname === "/api/day/calendar").map(({ body }) => body), [{ key: KEY }]);
  await page.context().close();
});

test("a code that opens nothing says so, and where to look instead", async (t) => {
  let told = null;
  const { url, asked } = await box(t, () => told);
  const { page } = await open(chrome, `${url}#${KEY}`, PHONE);
  await page.waitForFunction(() => document.body.textContent?.includes("pass"));
  await page.goto(url);
  await page.reload();
  await page.waitForFunction(() => document.body.textContent?.includes("Scan"));
  assert.equal(await page.locator(".nearby").count(), 0, "nobody is there to suggest anything to");
  told = answer({ day: null });
  await page.goto(`${url}#${KEY}`);
  await page.waitForFunction(() => document.body.textContent?.includes("Nothing more is planned"));
  assert.ok(asked.every(({ body }) => body === null || Object.keys(body).join() === "key"), "the key is sent, and nothing else");
  await page.context().close();
});

test("what is near is told with its reasons, and a position only when its owner says so", async (t) => {
  const { url, asked } = await box(t, () => answer());
  const { page, complaints } = await open(chrome, `${url}#${KEY}`, PHONE);
  await page.waitForSelector(".near li");
  assert.deepEqual(await page.$$eval(".near .note", (notes) => notes.map((note) => note.textContent)), ["4 min on foot · vegan · no queue", "1 min away · popular now"]);
  assert.equal(await page.locator(".near img").count(), 0);
  assert.equal(await sticksOut(page), false);
  const positions = () => asked.filter(({ pathname }) => pathname === "/api/nearby").map(({ body }) => body.at);
  assert.deepEqual(positions(), [undefined]);
  // All that is not granted is refused.
  await page.context().grantPermissions([]);
  await page.click(".nearby button");
  await page.waitForFunction(() => /does not say where/.test(document.querySelector(".nearby .sorry")?.textContent ?? ""));
  assert.deepEqual(positions(), [undefined], "a refusal is no position");
  await page.context().grantPermissions(["geolocation"]);
  await page.context().setGeolocation({ longitude: 13.401, latitude: 52.5 });
  await page.click(".nearby button");
  await page.waitForFunction(() => document.querySelector(".nearby .sorry")?.textContent === "");
  assert.deepEqual(positions(), [undefined, [13.401, 52.5]]);
  // The box finds them nowhere near.
  await page.click(".nearby button");
  await page.waitForFunction(() => /does not say where/.test(document.querySelector(".nearby .sorry")?.textContent ?? ""));
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test("on paper there is the plan, without its buttons", async (t) => {
  const { url } = await box(t, () => answer());
  const { page } = await open(chrome, `${url}#${KEY}`, PHONE);
  await page.waitForSelector(".day .map svg");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".day .buttons:visible").count(), 0);
  assert.ok(await page.locator(".day .stop").first().isVisible());
  await page.context().close();
});
