// Enrolment and the pass in Chromium with a camera: against the box where USHER_URL names one, else against a stub.
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { GOOD, LANGUAGES, LYING, UPRIGHT, camera, hostileNames, openAll, stub, tablet, typeAll } from "./enrol.stage.mjs";
import { until } from "./stage.mjs";

const box = process.env.USHER_URL ? null : await stub();
const url = process.env.USHER_URL ?? box.url;
const token = process.env.USHER_TOKEN ?? box?.token;
const chrome = await camera();
test.after(() => Promise.all([chrome.close(), box?.close()]));
const { accessible, together, agree, at, choose, firstView, fits, live, nothingLeft, pickSport, saved, see, sportOf, station, tabTo, tell, toConsent, visit } = tablet({ url, token, chrome });

test("the whole way by touch, in every language", async (t) => {
  for (const language of LANGUAGES) {
    await t.test(language, async () => {
      const { page, offer, end } = await station();
      if (!offer.languages.includes(language)) return end();
      const looked = ["en", "ar"].includes(language);
      const shots = [...(looked ? [language] : []), "ko"].includes(language);
      const see = async (what) => {
        await fits(page, `${language}-${what}`, { shots });
        if (looked) await accessible(page, `${language} ${what}`);
      };
      await choose(page, language);
      assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [language, language === "ar" ? "rtl" : "ltr"]);
      const [go, plain] = await page.$$eval(".way", (ways) => ways.map((way) => way.getBoundingClientRect()).map(({ width, height }) => [width, height]));
      assert.deepEqual(go, plain, "both ways are equally large");
      await see("start");
      await page.tap(".way.go");
      await firstView(page);
      await see("look");
      await page.tap(".look .go");
      await at(page, "tell");
      assert.equal(await live(page), 0, "the camera is closed");
      assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
      assert.equal(await page.$eval("#greet-in", (list) => list.value), language);
      await page.tap(".next");
      assert.ok((await page.$$(".sorry:not(:empty)")).length >= 2, "name and sport are missing, and it says so");
      await page.fill("#name", "Zoë");
      await pickSport(page, offer);
      await page.tap("[aria-labelledby=food-label] .chip >> nth=0");
      const code = await together(page);
      await see("tell");
      await page.tap(".next");
      await at(page, "consent");
      const [yes, no] = await page.$$eval(".equal button", (both) => both.map((one) => one.getBoundingClientRect()).map(({ width, height }) => [width, height]));
      assert.deepEqual(yes, no, "yes and no are equally large");
      assert.match(await page.textContent(".notice h2"), new RegExp(offer.notice.version));
      assert.ok((await page.textContent(".notice .text")).length > 20);
      await see("consent");
      const answer = await agree(page);
      const sent = answer.request().postDataJSON();
      assert.equal(sent.views.length, 1);
      assert.equal(Buffer.from(sent.views[0], "base64").readUInt16BE(0), 0xffd8, "a JPEG");
      assert.deepEqual([sent.name, sent.language, sent.sports, sent.custody, sent.food.length], ["Zoë", language, [sportOf(offer)], offer.custody[0], 1]);
      assert.equal(sent.together, code);
      assert.deepEqual(sent.consent, { notice: offer.notice.texts[language]?.sha256 ?? sent.consent.notice, language: offer.notice.texts[language] ? language : "en", agreed: true, minor: false, guardian: null });
      await at(page, "pass");
      await page.waitForFunction(() => document.querySelector(".pass .code")?.naturalWidth > 0);
      assert.equal(await page.textContent(".pass .name"), "Zoë");
      assert.deepEqual(await saved(page), { name: "receipt.json", holds: (await answer.json()).receipt });
      await see("pass");
      await page.emulateMedia({ media: "print" });
      assert.ok((await page.$eval(".pass .code", (code) => code.getBoundingClientRect().width)) >= (60 / 25.4) * 96, "at least 60 mm on paper");
      assert.equal(await page.locator("header:visible, .beside:visible").count(), 0, "nothing but the pass");
      if (shots && process.env.SHOTS) await page.pdf({ path: join(process.env.SHOTS, `${language}-pass.pdf`), preferCSSPageSize: true });
      await page.emulateMedia({ media: "screen" });
      await page.tap(".last .go");
      await at(page, "start");
      await nothingLeft(page, "Zoë");
      await end();
    });
  }
});

test("the whole way by keyboard alone", async () => {
  const { page, offer, end } = await station({ viewport: LYING, touch: false });
  const to = (selector, key) => tabTo(page, selector, key);
  await to(".way.go");
  assert.notEqual(await page.$eval(".way.go", (way) => getComputedStyle(way).outlineStyle), "none", "focus is seen");
  await page.keyboard.press("Enter");
  await firstView(page);
  await to(".look .go", "Space");
  await at(page, "tell");
  await to("#name");
  await page.keyboard.type("Ada");
  await to("#sport");
  if (offer.sports.length > 0) {
    await page.keyboard.press("ArrowDown");
    assert.deepEqual([await page.getAttribute("#sport", "aria-expanded"), await page.getAttribute("#sport", "aria-activedescendant")], ["true", "sport-0"]);
    await page.keyboard.press("Escape");
    assert.equal(await page.getAttribute("#sport", "aria-expanded"), "false");
    await page.keyboard.press("ArrowDown");
  } else await page.keyboard.type("Curling");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".chosen li");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "sport");
  await to(".remove", "Enter");
  assert.equal(await page.$(".chosen li"), null, "a chip is removed by keyboard");
  await page.keyboard.type(sportOf(offer));
  await page.keyboard.press("Enter");
  await page.waitForSelector(".chosen li");
  await to(".next", "Enter");
  await at(page, "consent");
  if (offer.custody.length > 1) {
    await to("input[name=custody]");
    const before = await page.textContent(".facts");
    await page.keyboard.press("ArrowDown");
    assert.notEqual(await page.textContent(".facts"), before, "the facts are those of the choice");
    await page.keyboard.press("ArrowUp");
  }
  await to(".minor input", "Space");
  await to(".equal .go", "Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "guardian", "a guardian must be named");
  await page.keyboard.type("Grace");
  await to(".equal .go", "Enter");
  await at(page, "pass");
  await to(".last .go", "Enter");
  await at(page, "start");
  await nothingLeft(page, "Ada");
  await end();
});

test("no means that everything is gone, and the pass without a face remains", async () => {
  const { page, offer, end } = await station();
  let sent = 0;
  page.on("request", (asked) => (sent += asked.method() === "POST" && asked.url().endsWith("/api/enrol") ? 1 : 0));
  await toConsent(page, offer, { face: true });
  await page.tap(".equal .alt");
  await at(page, "start");
  await nothingLeft(page, "Zoë");
  assert.equal(sent, 0, "nothing was sent");
  await page.tap(".way.alt");
  await at(page, "tell");
  assert.deepEqual([await page.inputValue("#name"), await page.locator(".chosen li").count()], ["", 0]);
  await page.fill("#name", "Zoë");
  await pickSport(page, offer);
  await fits(page, "en-plain-tell");
  await page.tap(".next");
  await at(page, "consent");
  await see(page, "en-plain-consent");
  const answer = await agree(page);
  assert.deepEqual(answer.request().postDataJSON().views, []);
  assert.equal((await answer.json()).face, false);
  await end();
});

test("a tablet that somebody left asks, counts down and forgets", async () => {
  const { page, offer, end } = await station({ clock: true });
  await choose(page, offer.languages.at(-1));
  await toConsent(page, offer);
  await page.clock.fastForward(22_000);
  await page.waitForSelector("#idle[open]");
  assert.match(await page.textContent("#idle .count"), /[1-8]/);
  await see(page, "idle");
  await page.tap("#idle button");
  await page.waitForSelector("#idle:not([open])", { state: "attached" });
  await page.clock.fastForward(15_000);
  await at(page, "consent");
  await page.clock.fastForward(20_000);
  await at(page, "start");
  await nothingLeft(page, "Zoë");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en", "the next one begins in the page's own language");
  await end();
});

test("leaving the page leaves nothing", async () => {
  const { page, offer, end } = await station();
  await toConsent(page, offer, { face: true });
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
  await nothingLeft(page, "Zoë");
  await end();
});

test("without leave to use the camera it says what to do, and the pass without a face is there", async () => {
  const other = await camera({ denied: true });
  const { page, offer, end } = await station({ on: other });
  await page.tap(".way.go");
  await page.waitForSelector(".trouble");
  assert.match(await page.textContent(".trouble"), /Allow the camera/);
  assert.equal(await page.locator("#upload").count(), offer.staff ? 1 : 0, "only staff may choose a file");
  await see(page, "en-denied");
  await page.tap(".look .buttons .alt");
  await at(page, "tell");
  await end();
  await other.close();
});

test("five hundred hostile names are text, and nothing sticks out", async (t) => {
  const names = hostileNames();
  const { page, end } = await station();
  let allowed = [];
  await t.test("while they are typed", async () => {
    await page.tap(".way.alt");
    await at(page, "tell");
    for (const size of [UPRIGHT, LYING]) {
      await page.setViewportSize(size);
      const seen = await page.evaluate(typeAll, names);
      assert.deepEqual(seen.flatMap(({ out }, i) => out.map((what) => `${i}: ${what}`)), []);
      assert.ok(seen.every(({ children, tall }) => children === 0 && tall === seen[0].tall));
      // What is not shown is what the box would refuse: nothing invisible or turned gets through.
      assert.ok(seen.every(({ shown, none }) => none || !/[\p{Cc}\u200B\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u.test(shown)));
      allowed = names.filter((_, i) => !seen[i].none);
    }
    assert.ok(allowed.length > 60 && allowed.length < 440, `${allowed.length} are allowed`);
    // And as fingers do it.
    for (const name of names.filter((name) => !/[\n\0]/.test(name) && name.length < 60).slice(0, 12)) {
      await page.fill("#name", "");
      await page.locator("#name").pressSequentially(name);
      assert.deepEqual(await page.evaluate(() => window.__sticksOut()), []);
    }
  });
  await t.test("where the consent and the pass show them", async () => {
    const code = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="window.__owned=1"><script>window.__owned=1</script><path d="M0 0h1v1H0z"/></svg>';
    await page.route("**/api/enrol", (route) => (route.request().method() === "POST" ? route.fulfill({ status: 201, json: { pass: { svg: code, link: "", code: "W".repeat(40) }, receipt: {}, expires_at: "2026-02-26T23:00:00+09:00", face: false } }) : route.continue()));
    const { offer } = await page.evaluate(async () => ({ offer: await (await fetch("/api/enrol")).json() }));
    const some = [...allowed.sort((a, b) => b.length - a.length).slice(0, 10), ...allowed.filter((_, i) => i % Math.ceil(allowed.length / 14) === 0)];
    for (const [i, name] of some.entries()) {
      await page.evaluate(() => document.querySelector(".last .go, .foot .quiet, .row .alt")?.click());
      if (await page.$('body[data-step="start"]')) await page.tap(".way.alt");
      await at(page, "tell");
      await page.fill("#name", name);
      if (!(await page.$(".chosen li"))) await pickSport(page, offer);
      await page.tap(".next");
      await at(page, "consent");
      await fits(page, `hostile-consent-${i}`, { shots: i === 0 });
      await agree(page);
      await fits(page, `hostile-pass-${i}`, { shots: i === 0 });
    }
  });
  await end();
  await t.test("where the visitor's own page shows them", async () => {
    const { page, end } = await visit("/pass");
    await page.route("**/api/pass", (route) => {
      const name = names[Number(route.request().postDataJSON().secret)] ?? "";
      return route.fulfill({ json: { name, sports: [name, name], language: "en", expires_at: "2026-02-26T23:00:00+09:00", custody: "visitor", face: true, receipt: {}, svg: "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>", link: "" } });
    });
    // On a phone every fifth one: that a name may break anywhere does not hang on the width.
    for (const [size, step] of [[UPRIGHT, 1], [LYING, 1], [{ width: 360, height: 740 }, 5]]) {
      await page.setViewportSize(size);
      assert.deepEqual(await page.evaluate(openAll, { count: names.length, step }), [], `${size.width} wide`);
    }
    await end();
  });
});

test("the visitor's own page shows the pass, forgets, and then knows nobody", async () => {
  const { page, offer, end } = await station();
  await toConsent(page, offer, { face: true, name: "Zoë 漢 محمد" });
  const { pass } = await (await agree(page)).json();
  await end();
  const mine = await visit(`/pass${new URL(pass.link, url).hash}`, { viewport: { width: 390, height: 844 }, locale: "fr-FR" });
  const phone = { phone: { width: 390, height: 844 }, lying: LYING };
  await mine.page.waitForSelector(".pass .code");
  assert.equal(await mine.page.evaluate(() => document.documentElement.lang), "en", "the language of the greeting");
  assert.equal(await mine.page.textContent(".pass .name"), "Zoë 漢 محمد");
  assert.equal((await saved(mine.page)).name, "receipt.json");
  await see(mine.page, "mine", { sizes: phone });
  await mine.page.reload();
  await mine.page.waitForSelector(".pass .code");
  await mine.page.setViewportSize(phone.phone);
  await mine.page.tap(".mine > .buttons .end");
  await mine.page.waitForSelector(".sure[open]");
  await see(mine.page, "mine-sure", { sizes: phone });
  await mine.page.tap(".sure .alt");
  assert.ok(await mine.page.$(".pass"), "no keeps it");
  await mine.page.tap(".mine > .buttons .end");
  await mine.page.tap(".sure .end");
  await mine.page.waitForSelector("a[download='deletion-receipt.json']");
  assert.equal(await mine.page.$(".pass"), null);
  await see(mine.page, "mine-gone", { sizes: phone });
  assert.equal(typeof (await saved(mine.page)).holds, "object");
  await mine.page.reload();
  await until("it knows nobody", async () => /Aucun|n’existe pas|no such pass/.test(await mine.page.textContent("#main")));
  assert.equal(await mine.page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length), 0);
  await mine.end();
  const none = await visit("/pass");
  await none.page.waitForFunction(() => /needs the code/.test(document.querySelector("#main")?.textContent ?? ""));
  await none.end();
});

test("hints, sides and a box that is slow or away", { skip: !box && "only against the stub" }, async () => {
  const { page, end } = await station();
  const hint = (text) => page.waitForFunction((text) => document.querySelector(".hint")?.textContent === text, text);
  const bad = (hint, yaw = 0) => ({ status: 200, body: { ...GOOD, hint, good: false, yaw } });
  box.look = () => bad("dark");
  await page.tap(".way.go");
  await hint("Too dark: find a little more light");
  assert.equal(box.lastLook.readUInt16BE(0), 0xffd8);
  assert.ok(box.lastLook.length < 300 * 1024);
  assert.equal(await page.locator(".marks .ok").count(), 3, "light is missing");
  box.look = () => ({ status: 503, body: "busy" });
  await page.waitForTimeout(400);
  const before = box.looks;
  await page.waitForTimeout(1_100);
  assert.ok(box.looks - before <= 3, "a busy box is asked less often");
  await page.route("**/api/enrol/look", (route) => route.abort());
  await hint("No connection at the moment. Please stay, we go on trying.");
  await page.unroute("**/api/enrol/look");
  box.look = () => bad("closer");
  await hint("Come a little closer");
  // Looks are six a second at most.
  const [first, since] = [box.looks, performance.now()];
  await page.waitForTimeout(2_000);
  assert.ok(box.looks - first <= (6 * (performance.now() - since)) / 1_000 + 1);
  box.look = () => ({ status: 200, body: GOOD });
  await hint("Now turn your head slightly to the left");
  box.look = () => bad("turn", 0.7);
  await hint("A little less: turn back towards the camera");
  box.look = () => bad("turn", 0.3);
  await hint("Now turn your head slightly to the right");
  await page.waitForTimeout(600);
  assert.match(await page.textContent(".look .count"), /2 of 3/, "one side counts once");
  box.look = () => bad("turn", -0.3);
  await at(page, "tell");
  await tell(page, box.offer);
  await agree(page);
  assert.equal(box.enrolled.at(-1).views.length, 3);
  box.look = () => ({ status: 200, body: GOOD });
  await end();
});

test("nobody is filmed behind a page that nobody sees", async () => {
  const { page, end } = await station();
  await page.tap(".way.go");
  await page.waitForSelector(".hint");
  await until("the camera is open", async () => (await live(page)) === 1);
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await hide(true);
  assert.equal(await live(page), 0);
  await hide(false);
  await until("the camera is open again", async () => (await live(page)) === 1);
  await end();
});

test("every refusal is said in words and leads to where it is mended", { skip: !box && "only against the stub" }, async () => {
  const { page, end } = await station();
  const refuse = (code) => (box.enrol = () => ({ status: 422, body: { code, view: 0, message: "no" } }));
  await toConsent(page, box.offer, { face: true });
  for (const [code, step, words] of [["name_long", "tell", /too long/], ["sport_unknown", "tell", /not in the programme/], ["guardian_missing", "consent", /guardian who is with you/], ["past", "consent", /has ended/], ["something_new", "consent", /did not work/], ["strangers", "look", /one and the same person/]]) {
    refuse(code);
    await page.tap(".equal .go");
    await at(page, step);
    await page.waitForSelector(".sorry:not(:empty)");
    assert.match(await page.textContent(".sorry:not(:empty)"), words, code);
    if (step === "tell") await page.tap(".next");
    if (step !== "look") await at(page, "consent");
  }
  await firstView(page);
  await page.tap(".look .go");
  await page.tap(".next");
  await at(page, "consent");
  for (const status of [429, 503]) {
    box.enrol = () => ({ status, body: "later", headers: { "retry-after": "2" } });
    await page.tap(".equal .go");
    await page.waitForFunction(() => /try again in a moment/.test(document.querySelector(".consent > .sorry")?.textContent ?? ""));
  }
  box.renew("4");
  refuse("notice_changed");
  await page.tap(".equal .go");
  await page.waitForFunction(() => /version 4/.test(document.querySelector(".notice h2")?.textContent ?? ""));
  assert.match(await page.textContent(".consent > .sorry"), /notice has just changed/);
  box.enrol = () => null;
  await agree(page);
  assert.equal(box.enrolled.at(-1).consent.notice, box.offer.notice.texts.en.sha256);
  await end();
});

test("only staff open a tablet or choose a file, and a closed one forgets who was there", { skip: !box && "only against the stub" }, async () => {
  const seen = await visit("/enrol");
  await at(seen.page, "closed");
  await seen.page.fill("#token", "guess");
  await seen.page.press("#token", "Enter");
  await seen.page.waitForSelector(".sorry:not(:empty)");
  assert.equal(await seen.page.inputValue("#token"), "", "a token is not kept");
  await see(seen.page, "en-staff");
  await seen.end();
  box.offer.staff = true;
  const other = await camera({ denied: true });
  const { page, offer, end } = await station({ on: other });
  await page.tap(".way.go");
  await page.setInputFiles("#upload", { name: "x.gif", mimeType: "image/gif", buffer: Buffer.from("GIF89a") });
  await page.waitForSelector(".trouble .sorry:not(:empty)");
  await page.setInputFiles("#upload", { name: "x.png", mimeType: "image/png", buffer: Buffer.from("a picture") });
  await at(page, "tell");
  await tell(page, offer);
  box.enrol = () => ({ status: 401, body: "closed" });
  await page.tap(".equal .go");
  await at(page, "closed");
  await nothingLeft(page, "Zoë");
  box.enrol = () => null;
  box.offer.staff = false;
  await end();
  await other.close();
});
