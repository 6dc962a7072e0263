// The page of staff in Chromium: against the box where USHER_URL names one, else against a stub.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import test from "node:test";
import { chromium } from "playwright-core";
import { LYING, UPRIGHT, hostileNames, tablet } from "./enrol.stage.mjs";
import { until } from "./stage.mjs";

// The box's certificate is its own.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const SIZES = { upright: UPRIGHT, lying: LYING, phone: { width: 390, height: 844 } };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob: data:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

const person = (name, like = [], id = randomUUID()) => ({ id, name, expires_at: name === null ? null : "2026-02-26T23:00:00.000+09:00", like });
const unknown = { status: 404, body: { code: "unknown", message: "nobody has this id" } };

/** The box's side of staff, and of enrolment as far as this test enrols: everybody has the same face. */
async function stub() {
  const box = { token: "stub-token", people: [], asked: 0, answer: () => null, end: () => sessions.clear() };
  const sessions = new Set();
  const refused = { status: 401, body: { code: "staff", message: "this is for staff" } };
  const answers = {
    "GET /api/enrol": () => ({ status: 200, body: { sports: [], custody: ["box"], notice: { texts: { en: { sha256: "0".repeat(64) } } } } }),
    "POST /api/enrol/open": ({ body }) => {
      if (body.token !== box.token) return { status: 401, body: { code: "token", message: "not a token of this box" } };
      const session = randomBytes(8).toString("hex");
      sessions.add(session);
      return { status: 204, headers: { "set-cookie": `stub=${session}; Path=/; HttpOnly; SameSite=Strict` } };
    },
    "POST /api/enrol": ({ body }) => {
      const made = person(body.name, box.people.map(({ id }) => id));
      box.people.push(made);
      return { status: 201, body: { receipt: { receipt: { record_metadata: { pii_principal_id: made.id } } } } };
    },
    "GET /api/staff/visitors": ({ open }) => {
      if (open) box.asked += 1;
      return open ? { status: 200, body: box.people } : refused;
    },
    "POST /api/staff/forget": ({ open, body }) => {
      if (!open) return refused;
      const there = box.people.some(({ id }) => id === body.id);
      // As the box does: others go on being like whoever was forgotten.
      box.people = box.people.filter(({ id }) => id !== body.id);
      return there ? { status: 200, body: { receipt: { receipt: { record_metadata: { pii_principal_id: body.id } }, signed: { algorithm: "Ed25519" } } } } : unknown;
    },
  };
  const server = createServer(async (asked, answer) => {
    const path = asked.url.split("?")[0];
    const parts = [];
    for await (const part of asked) parts.push(part);
    const what = `${asked.method} ${path}`;
    if (answers[what]) {
      const open = sessions.has(/stub=(\w+)/.exec(asked.headers.cookie ?? "")?.[1]);
      const body = parts.length ? JSON.parse(Buffer.concat(parts)) : null;
      const { status, body: said, headers = {} } = box.answer(what, body) ?? answers[what]({ open, body });
      answer.writeHead(status, { "content-type": "application/json", ...headers });
      return answer.end(status === 204 ? undefined : JSON.stringify(said));
    }
    const page = path === "/staff" ? "staff.html" : /^\/assets\/[\w.-]+$/.test(path) ? path.slice(8) : "";
    const file = join(new URL("../dist", import.meta.url).pathname, page);
    if (!page || !existsSync(file)) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY, "referrer-policy": "no-referrer" });
    answer.end(readFileSync(file));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(box, { url: `http://localhost:${server.address().port}`, close: () => server.close() && server.closeAllConnections() });
}

const box = process.env.USHER_URL ? null : await stub();
const url = process.env.USHER_URL ?? box.url;
const token = process.env.USHER_TOKEN ?? box?.token;
const chrome = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
test.after(() => Promise.all([chrome.close(), box?.close()]));
const { fits, nothingLeft, saved, see, tabTo, visit } = tablet({ url, token, chrome });

/** Enrols these names with one and the same face: their ids. */
async function enrolled(...names) {
  const opened = await fetch(`${url}/api/enrol/open`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ token }) });
  assert.equal(opened.status, 204);
  const cookie = opened.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const form = await (await fetch(`${url}/api/enrol`, { headers: { cookie } })).json();
  const picture = process.env.USHER_PICTURE ? readFileSync(process.env.USHER_PICTURE).toString("base64") : "";
  const ids = [];
  for (const name of names) {
    const wish = {
      views: [picture], source: "camera", name, sports: [form.sports[0] ?? "Judo"], language: "en", food: [], arrival: null, step_free: false, custody: "box",
      consent: { notice: form.notice.texts.en.sha256, language: "en", agreed: true, minor: false, guardian: null },
    };
    const answer = await fetch(`${url}/api/enrol`, { method: "POST", headers: { cookie, "content-type": "application/json" }, body: JSON.stringify(wish) });
    const text = await answer.text();
    assert.equal(answer.status, 201, text);
    ids.push(JSON.parse(text).receipt.receipt.record_metadata.pii_principal_id);
  }
  return ids;
}

const short = (id) => id.slice(0, 8);
const row = (id, where) => `${where} .person:has(> .told > .known code[title="${id}"])`;
const alike = (id) => row(id, ".alike");
const listed = (id) => row(id, ".everybody");

/** Signs in, and waits for the list. */
async function desk(options) {
  const seen = await visit("/staff", options);
  await seen.page.fill("#token", token);
  await seen.page.press("#token", "Enter");
  await seen.page.waitForFunction(() => /enrolled/.test(document.querySelector(".top .lead")?.textContent ?? ""));
  return seen;
}

async function forget(page, where) {
  await page.tap(`${where} > button`);
  await page.tap(`${where} .end`);
  await page.waitForSelector(where, { state: "detached" });
}

test("one who enrolled twice is seen, and forgotten with a receipt", async () => {
  const [first, second] = await enrolled("Ada", "Mallory");
  const { page, end } = await visit("/staff");
  await see(page, "staff-sign-in", { sizes: SIZES });
  assert.equal(await page.getAttribute("#token", "type"), "password");
  await page.fill("#token", "guess");
  await page.press("#token", "Enter");
  await page.waitForSelector(".sorry:not(:empty)");
  assert.match(await page.textContent(".sorry"), /not a token/);
  assert.equal(await page.inputValue("#token"), "", "a token is not kept");
  assert.equal(await page.$(".person"), null);
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForSelector(alike(second));
  const card = `.group:has(${alike(second).replace(".alike ", "")})`;
  const order = await page.$$eval(`${card} .known code`, (codes) => codes.map(({ title }) => title));
  assert.ok(order.includes(first) && order.indexOf(second) < order.indexOf(first), "the newer enrolment comes first");
  assert.match(await page.textContent(`${alike(second)} .place`), /later like /);
  // A box that somebody used before may know the face from then.
  const alone = order.length === 2;
  if (alone) {
    assert.match(await page.textContent(`${alike(second)} .place`), new RegExp(`later like ${short(first)}$`));
    assert.match(await page.textContent(`${alike(first)} .place`), /earlier/);
  }
  assert.match(await page.textContent(`${alike(first)} .known`), new RegExp(`${short(first)} until \\w+,? \\d+ \\w+ \\d{4}`));
  assert.match(await page.textContent(".alike"), /The gate names neither until one is forgotten/);
  await page.waitForSelector(listed(first));
  const before = Number.parseInt((await page.textContent(".top .lead")).replace(/,/g, ""), 10);
  await see(page, "staff-alike", { sizes: SIZES });

  await page.fill("#filter", short(second));
  await page.waitForSelector(listed(first), { state: "detached" });
  await page.fill("#filter", "ADA");
  await page.waitForSelector(listed(first));
  assert.match(await page.textContent(".everybody .more"), /found among/);
  await page.fill("#filter", "");

  await page.tap(`${alike(second)} > button`);
  assert.equal(await page.getAttribute(`${alike(second)} > button`, "aria-expanded"), "true");
  assert.match(await page.textContent(`${alike(second)} .sure`), /Forget Mallory \([0-9a-f]{8}\) for good\?/);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep");
  await see(page, "staff-sure", { sizes: SIZES });
  await page.tap(`${alike(second)} .keep`);
  assert.equal(await page.$(`${alike(second)} .end`), null, "kept");
  await forget(page, alike(second));
  if (alone) await page.waitForSelector(alike(first), { state: "detached" });
  assert.equal(await page.$(`.person code[title="${second}"]`), null, "nobody is like whoever was forgotten");
  assert.equal(await page.$(listed(second)), null);
  assert.match(await page.textContent("[aria-live=polite]"), new RegExp(`forgotten: ${short(second)}`, "i"));
  const receipt = await saved(page);
  assert.equal(receipt.name, "receipt.json");
  assert.equal(receipt.holds.receipt.record_metadata.pii_principal_id, second);
  await see(page, "staff-forgotten", { sizes: SIZES });

  await forget(page, listed(first));
  assert.equal((await saved(page)).holds.receipt.record_metadata.pii_principal_id, first, "the latest receipt is the first offered");
  await until("the count goes down", async () => Number.parseInt((await page.textContent(".top .lead")).replace(/,/g, ""), 10) === before - 2);
  await see(page, "staff-both-forgotten", { sizes: SIZES });
  await page.tap(".top button");
  await page.waitForSelector("#token");
  await nothingLeft(page, "Mallory");
  await end();
});

const stubbed = { skip: !box && "only against the stub" };

test("the whole way by keyboard alone", stubbed, async () => {
  box.people = [person("Ada"), person("Grace")];
  box.people.push(person("Ada B.", [box.people[0].id]));
  const [ada, grace, again] = box.people.map(({ id }) => id);
  const { page, end } = await desk({ viewport: LYING, touch: false });
  await page.waitForSelector(alike(again));
  await tabTo(page, `${alike(again)} > button`, "Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep");
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", "focus is seen");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), `Forget ${short(again)}`, "back where it began");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assert.equal(box.people.length, 3, "Enter twice forgets nobody");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector(alike(again), { state: "detached" });
  await until("the receipt has the focus", () => page.evaluate(() => document.activeElement?.hasAttribute("download")));
  await tabTo(page, ".bar .quiet", "Space");
  assert.equal(await page.evaluate(() => window.__live.urls.size), 0);
  await tabTo(page, `${listed(grace)} > button`, "Space");
  await tabTo(page, `${listed(grace)} .end`);
  await page.click(`${listed(ada)} > button`);
  assert.equal(await page.$(`${listed(grace)} .end`), null, "one question at a time");
  const small = await page.$$eval("button, a, input", (all) => all.map((one) => [one.textContent, one.getBoundingClientRect()]).filter(([, { width, height }]) => width > 1 && (width < 44 || height < 44)).map(([text]) => text));
  assert.deepEqual(small, [], "targets of 44 px");
  await end();
});

test("the list follows the box and leaves the reader in peace", stubbed, async () => {
  box.people = [person("Ada"), person("Bob")];
  const [ada, bob] = box.people.map(({ id }) => id);
  const { page, end } = await desk({ clock: true });
  await page.tap(`${listed(ada)} > button`);
  const mallory = person("Mallory", [ada]);
  box.people.unshift(mallory, person("Aaron"));
  box.people = box.people.filter(({ id }) => id !== bob);
  await page.clock.runFor(10_000);
  await page.waitForSelector(alike(mallory.id));
  assert.equal(await page.$(listed(bob)), null);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep", "the question stays, and the focus in it");
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  const { asked } = box;
  await page.clock.runFor(60_000);
  assert.equal(box.asked, asked, "nobody asks behind a page that nobody sees");
  await hide(false);
  await until("asked again", async () => box.asked === asked + 1);
  for (const [status, words] of [[503, /is busy/], [429, /is busy/], [500, /refuses to say/]]) {
    box.answer = (what) => (what.includes("visitors") ? { status, body: {}, headers: { "retry-after": "1" } } : null);
    await page.clock.runFor(10_000);
    await until(`${status} is said`, async () => words.test(await page.textContent(".desk > .sorry")));
    assert.ok(await page.$(alike(mallory.id)), "what was known stays");
  }
  box.answer = () => null;
  await page.clock.runFor(10_000);
  await page.waitForSelector(".desk > .sorry:empty", { state: "attached" });

  box.answer = (what) => (what.includes("forget") ? { status: 503, body: {}, headers: { "retry-after": "1" } } : null);
  await page.tap(`${alike(mallory.id)} > button`);
  await page.tap(`${alike(mallory.id)} .end`);
  await page.waitForSelector(`${alike(mallory.id)} .sorry:not(:empty)`);
  assert.match(await page.textContent(`${alike(mallory.id)} .sorry`), /nobody was forgotten\. Wait a second/);
  await see(page, "staff-busy", { sizes: SIZES });
  box.answer = (what) => (what.includes("forget") ? unknown : null);
  await page.tap(`${alike(mallory.id)} .end`);
  await page.waitForSelector(alike(mallory.id), { state: "detached" });
  assert.match(await page.textContent("[aria-live=polite]"), /Gone already/);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  box.answer = () => null;
  box.end();
  await page.clock.runFor(10_000);
  await page.waitForSelector("#token");
  assert.match(await page.textContent(".sorry"), /ended this session/);
  await nothingLeft(page, "Aaron");
  box.answer = () => ({ status: 429, body: {}, headers: { "retry-after": "10" } });
  await page.fill("#token", token);
  await page.press("#token", "Enter");
  await page.waitForFunction(() => /Wait 10 seconds/.test(document.querySelector(".sorry")?.textContent ?? ""));
  box.answer = () => null;
  await end();
});

test("groups of three, visitors with their own key, and whoever the box only hints at", stubbed, async () => {
  const [one, two, secret] = [person("Ana"), person("Zoë"), randomUUID()];
  const [three, four] = [person("Ana María", [one.id]), person(null, [two.id])];
  const [five, six] = [person("Ana M.", [three.id, one.id]), person("Eve", [secret])];
  box.people = [one, two, three, four, five, six];
  const { page, end } = await desk();
  await page.waitForSelector(alike(five.id));
  const groups = await page.$$eval(".group", (all) => all.map((group) => [...group.querySelectorAll(".name")].map((name) => name.textContent)));
  assert.deepEqual(groups.sort((a, b) => b.length - a.length || a[0].localeCompare(b[0]))[0], ["Ana M.", "Ana María", "Ana"]);
  assert.ok(groups.some((group) => group.join() === "The visitor keeps the key: no name,Zoë"));
  assert.ok(groups.some((group) => group.join() === "Eve,Keeps the key, or is gone already"));
  assert.match(await page.textContent(".top .lead"), /^6 people enrolled, 3 groups/);
  await see(page, "staff-groups", { sizes: SIZES });
  await forget(page, alike(secret));
  assert.equal(await page.$(alike(six.id)), null, "who is gone is like nobody");
  await forget(page, alike(three.id));
  assert.match(await page.textContent(`${alike(five.id)} .place`), new RegExp(`like ${short(one.id)}$`));
  await end();
});

test("no name is markup, none sticks out, and a full house stays quick", stubbed, async () => {
  const names = hostileNames();
  box.people = [];
  for (const name of names) box.people.push(person(name, box.people.slice(-1).map(({ id }) => id)));
  const { page, end } = await desk();
  assert.equal(await page.locator("bdi *").count(), 0, "no markup");
  assert.equal(await page.locator(".group .name").count(), 500, "one group of all");
  assert.equal(await page.locator(".everybody .person").count(), 200);
  assert.match(await page.textContent(".everybody .more"), /first 200 are shown/);
  assert.ok((await page.$$eval(".told", (all) => Math.max(...all.map((one) => one.offsetHeight)))) < 220, "no name piles up");
  const worst = box.people.find(({ name }) => name.length >= 10_000);
  await page.tap(`${alike(worst.id)} > button`);
  await fits(page, "staff-hostile", { sizes: SIZES });
  await page.fill("#filter", "\u0000<script>");
  await page.waitForFunction(() => /Nobody found/.test(document.querySelector(".everybody .more").textContent));
  box.people = Array.from({ length: 5_000 }, (_, i) => person(`Visitor ${i}`));
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.waitForFunction(() => /^5,000 people/.test(document.querySelector(".top .lead").textContent));
  const took = await page.evaluate(() => {
    const from = performance.now();
    const field = document.querySelector("#filter");
    for (const typed of ["v", "vi", "visitor 4", "visitor 4999"]) {
      field.value = typed;
      field.dispatchEvent(new Event("input"));
    }
    return (performance.now() - from) / 4;
  });
  assert.ok(took < 500, `a letter takes ${took} ms`);
  assert.deepEqual(await page.$$eval(".everybody .name", (all) => all.map((one) => one.textContent)), ["Visitor 4999"]);
  await end();
});
