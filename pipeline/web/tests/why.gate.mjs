// Why, on a real gate in Chromium; run by pipeline/tests/why.rs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { browser, open, shoot, until } from "./stage.mjs";

const { USHER_GATE: gate, USHER_TOKEN: token, USHER_NAMED: named, USHER_VISITOR: visitor } = process.env;
const at = `http://${gate}`;
const chrome = await browser();
test.after(() => chrome.close());

const decisions = async () => (await (await fetch(`${at}/api/state`)).json()).decisions;
const some = (deed) => until(`somebody was ${deed}`, async () => (await decisions()).find((decision) => decision.deed === deed));
const ids = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

test("reasons are for who has signed in, say all of a name and nobody of anybody else", async (t) => {
  const [welcomed, counted] = [await some("welcomed"), await some("counted")];

  await t.test("not signed in, nothing is said but how to sign in", async () => {
    for (const number of [welcomed.number, counted.number, 7]) {
      for (const path of [`/api/why/${number}`, `/api/why/${number}/portrait.jpg`]) {
        const answer = await fetch(at + path);
        assert.equal(answer.status, 401, path);
        assert.match(await answer.text(), /after signing in.*the token that was printed/);
      }
    }
    const { page, complaints } = await open(chrome, `${at}/operator#why-${welcomed.number}`);
    await page.waitForSelector("#why[open]");
    assert.match(await page.textContent("#why"), /is for whoever has signed in/);
    assert.ok(!(await page.content()).includes("Zoë"));
    await page.click("#why button:not(.shut)");
    assert.equal(await page.evaluate(() => document.activeElement.id), "token");
    // Signing in leads back to what was asked for.
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#why[open] table");
    assert.match(await page.textContent("#why-title"), /welcomed/);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  const { page, complaints } = await open(chrome, `${at}/operator`, { width: 1600, height: 1000 });
  await page.fill("#token", token);
  await page.click("#sign-in button");
  await page.waitForSelector("#in:not([hidden])");
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const ask = (path) => fetch(at + path, { headers: { cookie } });
  const record = async (number) => (await ask(`/api/why/${number}`)).json();

  await t.test("a name is opened by keyboard, with every figure and the whole way", async () => {
    const why = await until("the broker has acknowledged it", async () => {
      const why = await record(welcomed.number);
      return why.steps.every((step) => step.at_ms !== null) && why;
    });
    assert.deepEqual([why.found, why.name, why.visitor], ["named", named, visitor]);
    assert.match(why.sentence, /^Named: \w+ looks over \d+ ms agree; 0\.\d+ where 0\.\d+ was needed, and nobody else is enrolled\.$/);
    assert.deepEqual(why.kept_from, []);
    assert.ok(why.looks.length >= 3 && why.looks.every((look) => look.pooled && look.score > 0.2 && look.quality.inter_eye_px > 15));
    assert.ok(Math.abs(why.looks.reduce((sum, look) => sum + look.share, 0) - 1) < 1e-3);
    const times = why.steps.map((step) => step.at_ms);
    assert.deepEqual(times, [...times].sort((a, b) => a - b), "one after the other");
    assert.ok(times[0] <= -250 && times[1] === 0 && times[6] < 5_000, String(times));

    const row = page.locator(`#decisions li:has(a[href="#why-${welcomed.number}"])`);
    await row.locator("summary").focus();
    await page.keyboard.press("Enter");
    await row.locator("a").focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("#why[open] table");
    assert.equal(await page.evaluate(() => location.hash), `#why-${welcomed.number}`);
    assert.ok((await page.textContent("#why")).includes(why.sentence));
    assert.equal(await page.textContent("#why-title .name"), named);
    assert.equal(await page.$$eval("#why-title .name *", (all) => all.length), 0, "names are text");
    const rules = await page.$$eval("#why tr[data-rule]", (rows) => rows.map((row) => [row.dataset.rule, row.className]));
    assert.deepEqual(rules.map(([rule]) => rule), ["looks", "over", "threshold", "median", "single", "margin", "household", "twice", "claim", "live"]);
    const idle = ["live", "household"];
    assert.ok(rules.every(([rule, state]) => state === (idle.includes(rule) ? "idle" : "met")), String(rules));
    await page.waitForFunction(() => (document.querySelector("#why .portrait")?.naturalWidth ?? 0) === 320);
    await shoot(page, "why-named");
    await page.keyboard.press("Escape");
    await page.waitForSelector("#why:not([open])", { state: "attached" });
    assert.equal(await page.evaluate(() => location.hash), "");
    assert.ok(!(await page.$eval("#why", (view) => view.textContent)), "nothing is left behind");
  });

  await t.test("whoever was not named is figures, and nobody", async () => {
    const answer = await (await ask(`/api/why/${counted.number}`)).text();
    assert.doesNotMatch(answer, ids);
    assert.ok(!answer.includes(visitor) && !answer.includes("Zoë"));
    const why = JSON.parse(answer);
    assert.deepEqual(["visitor", "name", "portrait"].filter((key) => key in why), []);
    assert.equal(why.found, "unknown");
    assert.match(why.sentence, /^Not named: /);
    assert.ok(why.kept_from.length > 0);
    assert.equal(why.steps.at(-1).missing, "nothing was published");
    assert.equal((await ask(`/api/why/${counted.number}/portrait.jpg`)).status, 404);

    await page.goto(`${at}/operator#why-${counted.number}`);
    await page.waitForSelector("#why[open] table");
    assert.match(await page.textContent("#why"), /Not named: /);
    assert.equal(await page.$("#why .portrait, #why-title .name"), null);
    assert.ok(await page.$("#why tr.unmet"));
    await shoot(page, "why-unnamed");
    await page.setViewportSize({ width: 420, height: 900 });
    await shoot(page, "why-narrow");
    await page.setViewportSize({ width: 1600, height: 1000 });
  });

  await t.test("what was never decided, or is gone, is said to be gone", async () => {
    for (const number of ["7", "999999999999999999999999", "x"]) {
      const answer = await ask(`/api/why/${number}`);
      assert.equal(answer.status, 404);
      assert.match(await answer.text(), /kept, in memory only, until newer ones/);
    }
    await page.goto(`${at}/operator#why-7`);
    await page.waitForFunction(() => /This one is gone/.test(document.querySelector("#why")?.textContent ?? ""));
  });

  await t.test("whoever is forgotten has no name, no id and no picture any more", async () => {
    assert.equal((await ask(`/api/why/${welcomed.number}/portrait.jpg`)).status, 200);
    const [usher, ...rest] = JSON.parse(process.env.USHER_FORGET);
    execFileSync(usher, [...rest, "forget", "--everyone"]);
    await until("the gate has heard of it", async () => !("name" in (await record(welcomed.number))));
    const answer = await (await ask(`/api/why/${welcomed.number}`)).text();
    assert.doesNotMatch(answer, ids);
    assert.ok(!answer.includes("portrait"));
    assert.equal((await ask(`/api/why/${welcomed.number}/portrait.jpg`)).status, 404);
    await page.goto(`${at}/operator#why-${welcomed.number}`);
    await page.waitForSelector("#why[open] table");
    await page.waitForFunction(() => !document.body.textContent.includes("Zoë"));
  });

  await t.test("signed out, nothing is left of it", async () => {
    await page.click("#why-shut");
    await page.click("#sign-out");
    await page.waitForSelector("#sign-in:not([hidden])");
    assert.equal((await ask(`/api/why/${counted.number}`)).status, 401);
    assert.deepEqual(complaints, []);
  });
});
