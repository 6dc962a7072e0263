// What the tests of enrolment stand on: a stub of the box's side, a browser with a camera, a tablet's every move, hostile names.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";
import { DEADLINE_MS } from "./stage.mjs";

const WEB = new URL("..", import.meta.url).pathname;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; media-src blob: ; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
export const LANGUAGES = ["en", "ko", "zh", "fr", "es", "ar"];
export const UPRIGHT = { width: 800, height: 1280 };
export const LYING = { width: 1280, height: 800 };

const CODE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h29v29H0z"/><path d="${Array.from({ length: 841 }, (_, i) => i)
  .filter((i) => {
    const [x, y] = [i % 29, Math.floor(i / 29)];
    const corner = (a, b) => Math.max(Math.abs(x - a), Math.abs(y - b));
    const near = Math.min(corner(5, 5), corner(23, 5), corner(5, 23));
    if (near <= 4) return near !== 4 && near !== 2;
    return x > 1 && y > 1 && x < 27 && y < 27 && (x * 7 + y * 13 + x * y * 3) % 5 < 2;
  })
  .map((i) => `M${i % 29} ${Math.floor(i / 29)}h1v1h-1z`)
  .join("")}"/></svg>`;

const paragraph = "This is the notice in full. It says who is responsible, what is kept, why, on which basis, for how long, who else may see it (nobody), and how you take your consent back: with your pass, at any gate, at once. ";
const texts = (version) => Object.fromEntries(LANGUAGES.map((tag) => {
  const text = `[${tag}] ${paragraph.repeat(6)}\n\n${paragraph.repeat(6)}`;
  return [tag, { text, sha256: createHash("sha256").update(version + text).digest("hex") }];
}));
const notice = (version) => ({
  pass_texts: texts(`${version}, pass`), texts: texts(version), version, controller: "Stadium Operations Ltd", contact: "privacy@stadium.example", expires_at: "2026-02-26T23:00:00+09:00",
});

/** A look at somebody who stands well. */
export const GOOD = { faces: 1, face: { x: 0.35, y: 0.2, width: 0.3, height: 0.5 }, hint: null, good: true, quality: 0.8, yaw: 0.02 };

/** The contract of enrolment without a box: opened per browser, as the box does it. What it answers can be changed. */
export async function stub() {
  const box = {
    token: "stub-token",
    offer: {
      staff: false, site: "Olympic Oval, North", languages: LANGUAGES, custody: ["visitor", "box"], notice: notice("3"), guardian_age: 16, views: 3,
      sports: ["Athletics", "Basketball", "Curling", "Cycling", "Figure skating", "Football", "Judo", "Short track", "Speed skating", "Swimming", "Table tennis", "Wheelchair basketball"],
      food: ["vegetarian", "vegan", "halal", "kosher", "gluten_free", "dairy_free", "nut_free", "spicy", "noodles", "sweet"],
    },
    look: () => ({ status: 200, body: GOOD }),
    /** Null: enrol. */
    enrol: () => null,
    enrolled: [],
    looks: 0,
    renew: (version) => (box.offer.notice = notice(version)),
  };
  const sessions = new Set();
  const passes = new Map();
  const read = async (asked) => {
    const parts = [];
    for await (const part of asked) parts.push(part);
    return Buffer.concat(parts);
  };
  const answers = {
    "GET /api/enrol": ({ open }) => ({ status: 200, body: { open, ...box.offer, time: new Date().toISOString() } }),
    "POST /api/enrol/open": ({ body }) => {
      if (body.token !== box.token) return { status: 401, body: "not the token" };
      const session = randomBytes(8).toString("hex");
      sessions.add(session);
      return { status: 204, headers: { "set-cookie": `stub=${session}; HttpOnly; SameSite=Strict` } };
    },
    "POST /api/enrol/look": ({ open, raw }) => {
      box.looks += 1;
      box.lastLook = raw;
      return open ? box.look(box.looks) : { status: 401, body: "closed" };
    },
    "POST /api/enrol": ({ open, body }) => {
      if (!open) return { status: 401, body: "closed" };
      const other = box.enrol(body);
      if (other) return other;
      box.enrolled.push(body);
      const secret = randomBytes(16).toString("base64url");
      const { expires_at } = box.offer.notice;
      const receipt = { type: "consent", notice: body.consent.notice, signature: "stub" };
      const pass = { svg: CODE, link: `https://stadium.example/pass#${secret}`, code: "K7QX-2M4D-9PTA" };
      const { name, sports, language, custody } = body;
      passes.set(secret, { name, sports, language, custody, expires_at, face: body.views.length > 0, receipt, svg: CODE, link: pass.link });
      return { status: 201, body: { pass, receipt, expires_at, face: body.views.length > 0 } };
    },
    "POST /api/pass": ({ body }) => (passes.has(body.secret) ? { status: 200, body: passes.get(body.secret) } : { status: 404, body: { code: "unknown" } }),
    "POST /api/pass/forget": ({ body }) => (passes.delete(body.secret) ? { status: 200, body: { receipt: { type: "deletion", signature: "stub" } } } : { status: 404, body: { code: "unknown" } }),
  };
  const server = createServer(async (asked, answer) => {
    const path = asked.url.split("?")[0];
    const raw = await read(asked).catch(() => Buffer.alloc(0));
    const made = answers[`${asked.method} ${path}`];
    if (made) {
      const open = sessions.has(/stub=(\w+)/.exec(asked.headers.cookie ?? "")?.[1]);
      const body = asked.headers["content-type"] === "application/json" ? JSON.parse(raw) : null;
      const { status, body: said, headers = {} } = await made({ open, body, raw });
      answer.writeHead(status, { "content-type": "application/json", ...headers });
      return answer.end(status === 204 ? undefined : JSON.stringify(said));
    }
    const page = { "/enrol": "enrol.html", "/pass": "pass.html" }[path] ?? (/^\/assets\/[\w.-]+$/.test(path) ? path.slice(8) : "");
    const file = join(WEB, "dist", page);
    if (!page || !existsSync(file)) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY, "permissions-policy": "camera=(self)", "referrer-policy": "no-referrer" });
    answer.end(readFileSync(file));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://localhost:${server.address().port}`;
  return Object.assign(box, { url, close: () => server.close() && server.closeAllConnections() });
}

/** A face as a camera's stream, or null where a demo picture or GStreamer is missing: then Chromium's own pattern must do. */
export function clip() {
  if (process.env.USHER_CLIP) return process.env.USHER_CLIP;
  const picture = join(WEB, "../../data/pictures/face-recognition/obama.jpg");
  if (!existsSync(picture)) return null;
  const folder = mkdtempSync(join(tmpdir(), "usher-clip-"));
  try {
    const jpeg = join(folder, "frame.jpg");
    execFileSync("gst-launch-1.0", ["-q", "filesrc", `location=${picture}`, "!", "jpegdec", "!", "videocrop", "bottom=455", "!", "videoscale", "!", "videoconvert", "!", "video/x-raw,format=I420,width=1280,height=960,pixel-aspect-ratio=1/1", "!", "jpegenc", "!", "filesink", `location=${jpeg}`], { stdio: "ignore" });
    const file = join(folder, "face.mjpeg");
    writeFileSync(file, Buffer.concat(Array.from({ length: 10 }, () => readFileSync(jpeg))));
    return file;
  } catch {
    return null;
  }
}

/** Debian's Chromium with a camera that shows the clip; `denied`: it has one and may not use it. */
export async function camera({ denied = false } = {}) {
  const file = clip();
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--use-fake-device-for-media-stream",
      ...(file ? [`--use-file-for-fake-video-capture=${file}`] : []),
      denied ? "--deny-permission-prompts" : "--use-fake-ui-for-media-stream",
    ],
  });
}

/** Five hundred names that somebody might try, the same ones every time. */
export function hostileNames() {
  const markup = ["<script>window.__owned=1</script>", "<img src=x onerror=window.__owned=1>", "<svg onload=window.__owned=1>", '"><iframe src=javascript:parent.__owned=1>', "javascript:window.__owned=1", "{{constructor.constructor('window.__owned=1')()}}", "${window.__owned=1}", "';window.__owned=1;//", "<b>bold</b>", "&lt;script&gt;", "<style>*{display:none}</style>", "<base href=//evil.example>", "<link rel=stylesheet href=//evil.example>", "<!--", "]]>", "<a href=//evil.example>x"];
  const bidi = ["\u202E", "\u202D", "\u2066", "\u2067", "\u2068", "\u200F", "\u200E", "\u061C"].map((mark) => `Ada${mark}ecalevoL`);
  const invisible = ["\u200B", "\u2060", "\uFEFF", "\u00AD", "\u034F", "\u3164", "\u115F", "\u0000", "\u0007", "\u001B[31m", "\n", "\t", "\uE000", "\u{E0041}", "\uFFFD", "\uD800"].map((mark) => `A${mark}da`);
  const zalgo = Array.from({ length: 40 }, (_, i) => [..."Zalgo"].map((letter) => letter + "\u0301\u0316\u0489\u033F\u0347".repeat(1 + (i % 12))).join(""));
  const long = [40, 41, 100, 1_000, 10_000].flatMap((count) => ["W", "ᄒ", "ﷺ", "漢", "م", "𝕎", "i", "꧅", "Ƽ "].map((letter) => letter.repeat(count)));
  const right = ["محمد صلاح", "שלום עולם", "עברית abc 123", "abc محمد 123 def", "ـ".repeat(38) + "م", "۱۲۳۴۵۶", "ﷺ".repeat(39)];
  const emoji = ["👩‍👩‍👧‍👦", "🏳️‍🌈 Ana", "👨🏿‍🦽‍➡️x", "Ana 👩‍👩‍👧‍👦", "🧑🏽‍🤝‍🧑🏻".repeat(20), "a🇰🇷🇫🇷", "👁️‍🗨️".repeat(39) + "a", "1️⃣2️⃣"];
  const fixed = [...markup, ...bidi, ...invisible, ...zalgo, ...long, ...right, ...emoji, "", " ", "…", "'", "NULL", "__proto__", "constructor", "undefined", "%s%n", "../../etc/passwd", "ſtraße", "ﬃ", "Ǆ", "İ", "x\u0338", "a b".repeat(13)];
  // A fixed seed: the same names in every run.
  let state = 20_260_226;
  const draw = (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % most;
  };
  const pieces = [...markup, ...bidi, ...invisible, ...right, ...emoji, "Zoë", "Minseo", "W".repeat(30), "\u0301".repeat(20), "漢字", " "];
  const all = new Set(fixed);
  while (all.size < 500) all.add(Array.from({ length: 1 + draw(4) }, () => pieces[draw(pieces.length)]).join(""));
  return [...all].slice(0, 500);
}

/** In the page: what sticks out of the window or out of the page, as words; nothing where all is well. */
export function sticksOut() {
  const wide = document.documentElement.clientWidth;
  const clipped = (element) => {
    for (let up = element.parentElement; up; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible" && up !== document.body && up !== document.documentElement) return true;
    }
    return false;
  };
  const out = [];
  if (document.documentElement.scrollWidth > wide || document.body.scrollWidth > wide) out.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const element of document.body.querySelectorAll("*")) {
    if (element instanceof SVGElement && !(element instanceof SVGSVGElement)) continue;
    const { left, right, width, height } = element.getBoundingClientRect();
    if (width > 1 && height > 1 && (left < -0.5 || right > wide + 0.5) && !clipped(element)) out.push(`${element.tagName}.${element.className} ${Math.round(left)}..${Math.round(right)}`);
  }
  return out;
}

/** In the page: types every name, and how each was shown. */
export function typeAll(names) {
  const field = document.querySelector("#name");
  return names.map((name) => {
    field.value = name;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const shown = document.querySelector(".screen .name");
    return { out: window.__sticksOut(), children: shown.children.length, shown: shown.textContent, none: shown.classList.contains("none"), tall: document.querySelector(".screen").offsetHeight };
  });
}

/** In the page of a pass: opens one after the other by its number, and what is wrong with any. */
export async function openAll({ count, step }) {
  const found = [];
  for (let i = 0; i < count; i += step) {
    document.querySelector(".pass")?.remove();
    location.hash = `${i}`;
    while (!document.querySelector(".pass")) await new Promise((go) => setTimeout(go, 2));
    if (document.querySelector("bdi *")) found.push(`${i}: markup`);
    found.push(...window.__sticksOut().map((what) => `${i}: ${what}`));
  }
  location.hash = "x";
  return found;
}

/** Notes what the page holds and does, so that a test can see that nothing is left. */
function watch() {
  window.__live = { tracks: [], urls: new Set(), broken: [] };
  const { mediaDevices } = navigator;
  if (mediaDevices) {
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      window.__live.tracks.push(...stream.getTracks());
      return stream;
    };
  }
  const [make, drop] = [URL.createObjectURL, URL.revokeObjectURL];
  URL.createObjectURL = (what) => {
    const url = make.call(URL, what);
    window.__live.urls.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    window.__live.urls.delete(url);
    drop.call(URL, url);
  };
  addEventListener("securitypolicyviolation", (event) => window.__live.broken.push(`${event.violatedDirective} ${event.blockedURI}`));
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What somebody does at a tablet of the box at `url`, and what is asked of the page meanwhile. */
export function tablet({ url, token, chrome }) {
  if (process.env.SHOTS) mkdirSync(process.env.SHOTS, { recursive: true });

  async function visit(path, { on = chrome, viewport = UPRIGHT, touch = true, clock = false, locale = "en-GB" } = {}) {
    const context = await on.newContext({ viewport, hasTouch: touch, locale, ignoreHTTPSErrors: true, reducedMotion: "reduce" });
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => complaints.push(`a dialog: ${dialog.message()}`) && dialog.dismiss());
    page.on("console", (said) => said.type() === "error" && !/ERR_|Failed to load resource/.test(said.text()) && complaints.push(said.text()));
    page.on("request", (asked) => !/^(blob|data):/.test(asked.url()) && new URL(asked.url()).origin !== new URL(url).origin && complaints.push(`asked ${asked.url()}`));
    page.setDefaultTimeout(DEADLINE_MS);
    await page.addInitScript(watch);
    await page.addInitScript(`window.__sticksOut = ${sticksOut}`);
    if (clock) await page.clock.install();
    await page.goto(url + path);
    return { page, complaints, async end() {
      assert.deepEqual(await page.evaluate(() => window.__live.broken), []);
      assert.equal(await page.evaluate(() => window.__owned), undefined);
      assert.deepEqual(complaints, []);
      await context.close();
    } };
  }

  const at = (page, step) => page.waitForSelector(`body[data-step="${step}"]`);

  /** Where the tablet is not open to this browser yet, opens it as staff do. */
  async function station(options) {
    const seen = await visit("/enrol", options);
    const { page } = seen;
    await page.waitForSelector('body[data-step="closed"], body[data-step="start"]');
    if (await page.$('body[data-step="closed"]')) {
      await page.fill("#token", token);
      await page.press("#token", "Enter");
    }
    await at(page, "start");
    seen.offer = await page.evaluate(async () => (await fetch("/api/enrol")).json());
    return seen;
  }

  const choose = (page, language) => page.tap(`#languages [data-language="${language}"]`);
  const sportOf = (offer) => offer.sports[0] ?? "Curling";

  async function pickSport(page, offer) {
    await page.tap("#sport");
    if (offer.sports.length > 0) {
      // A capital, to be found in any case.
      await page.keyboard.type(sportOf(offer).slice(0, 4).toUpperCase());
      await page.tap("#sport-options li");
    } else {
      await page.keyboard.type(sportOf(offer));
      await page.keyboard.press("Enter");
    }
    await page.waitForSelector(".chosen li");
  }

  async function firstView(page) {
    await at(page, "look");
    await page.waitForSelector(".look .go:not([hidden])");
  }

  /** From the start to the consent, by touch. */
  async function toConsent(page, offer, { face = false, name = "Zoë" } = {}) {
    await page.tap(face ? ".way.go" : ".way.alt");
    if (face) {
      await firstView(page);
      await page.tap(".look .go");
    }
    await tell(page, offer, name);
  }

  /** Says what must be said, and goes on to the consent. */
  async function tell(page, offer, name = "Zoë") {
    await at(page, "tell");
    await page.fill("#name", name);
    await pickSport(page, offer);
    await page.tap(".next");
    await at(page, "consent");
  }

  async function accessible(page, what) {
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => (await window.axe.run(document)).violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`));
    assert.deepEqual(found, [], what);
  }

  /** A group's code: what is none is said to be none, then one is made. */
  async function together(page) {
    await page.fill("#together", "ab 1").then(() => page.tap(".next"));
    assert.notEqual(await page.textContent("#together-wrong"), "", "no code, and it says so");
    await page.tap(".together button");
    const code = await page.inputValue("#together");
    assert.match(code, /^[A-Z]{5}$/);
    return code;
  }

  /** Fits both ways of holding the tablet; keeps pictures of both where SHOTS names a folder. */
  async function fits(page, name, { shots = true, sizes = { upright: UPRIGHT, lying: LYING } } = {}) {
    for (const [way, size] of Object.entries(sizes)) {
      await page.setViewportSize(size);
      assert.deepEqual(await page.evaluate(() => window.__sticksOut()), [], `${name} ${way}`);
      if (shots && process.env.SHOTS) {
        await page.waitForTimeout(150);
        await page.screenshot({ path: join(process.env.SHOTS, `${name}-${way}.png`) });
      }
    }
    await page.setViewportSize(UPRIGHT);
  }

  /** Nothing of a visitor is left in the page, in its stores or in the camera. */
  async function nothingLeft(page, name) {
    const left = await page.evaluate(() => ({
      live: window.__live.tracks.filter((track) => track.readyState === "live").length,
      urls: window.__live.urls.size,
      stored: localStorage.length + sessionStorage.length,
      cookies: document.cookie,
      fields: [...document.querySelectorAll("input")].map((field) => field.value).join(""),
    }));
    assert.deepEqual(left, { live: 0, urls: 0, stored: 0, cookies: "", fields: "" });
    assert.ok(!(await page.content()).includes(name), "the name is gone");
  }

  /** Agrees and waits for the box: its answer. */
  async function agree(page) {
    const [answer] = await Promise.all([page.waitForResponse((answer) => answer.url().endsWith("/api/enrol") && answer.request().method() === "POST"), page.tap(".equal .go")]);
    assert.equal(answer.status(), 201, await answer.text());
    await at(page, "pass");
    return answer;
  }

  /** How many cameras are open. */
  const live = (page) => page.evaluate(() => window.__live.tracks.filter((track) => track.readyState === "live").length);

  /** What is offered to be kept. */
  async function saved(page) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.tap("a[download]")]);
    return { name: file.suggestedFilename(), holds: JSON.parse(readFileSync(await file.path(), "utf8")) };
  }

  /** It fits, and is for everybody. */
  async function see(page, name, options) {
    await fits(page, name, options);
    await accessible(page, name);
  }

  /** By keyboard alone: there, and pressed where a key is given. */
  async function tabTo(page, selector, key) {
    for (let i = 0; i < 60; i += 1) {
      if (await page.evaluate((selector) => document.activeElement?.matches(selector), selector)) return key ? page.keyboard.press(key) : null;
      await page.keyboard.press("Tab");
    }
    assert.fail(`the keyboard does not come to ${selector}`);
  }

  return { accessible, together, agree, at, choose, firstView, fits, live, nothingLeft, pickSport, saved, see, sportOf, station, tabTo, tell, toConsent, visit };
}
