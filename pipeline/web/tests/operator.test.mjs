// The operator's page, in Chromium.
import assert from "node:assert/strict";
import test from "node:test";
import { box, browser, open, shoot, until } from "./stage.mjs";

const NAMED = process.env.USHER_NAMED;
const chrome = await browser();
test.after(() => chrome.close());

async function scene(t, options = {}) {
  const usher = await box();
  const { port } = await usher.say({ do: "start", ...options });
  await usher.say({ do: "ready" });
  await usher.say({ do: "broker", up: true });
  for (const name of ["north-1", "north-2", "south-1"]) await usher.say({ do: "camera", name, state: "live" });
  const { page, complaints } = await open(chrome, `http://127.0.0.1:${port}/operator`);
  t.after(async () => {
    await page.context().close();
    usher.leave();
  });
  return { usher, page, complaints, port };
}

const figures = (page) => page.textContent("#figures");
const says = (page, words) => page.waitForFunction((words) => document.querySelector("#figures")?.textContent?.includes(words), words);
const tile = (name) => `.camera[data-camera="${name}"]`;

/** Colours of the live picture around a place of its 960 by 540 pixels. */
const colours = (page, name, [x, y, width, height]) =>
  page.evaluate(
    ([selector, x, y, width, height]) => {
      const picture = document.querySelector(`${selector} img.live`);
      if (!picture?.naturalWidth) return { green: 0, amber: 0, grey: 0 };
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
      const pen = canvas.getContext("2d");
      pen.drawImage(picture, 0, 0);
      const near = (r, g, b, to) => Math.abs(r - to[0]) + Math.abs(g - to[1]) + Math.abs(b - to[2]) < 70;
      const found = { green: 0, amber: 0, grey: 0 };
      const { data } = pen.getImageData(x, y, width, height);
      for (let i = 0; i < data.length; i += 4) {
        const rgb = [data[i], data[i + 1], data[i + 2]];
        if (near(...rgb, [125, 223, 138])) found.green += 1;
        if (near(...rgb, [255, 181, 46])) found.amber += 1;
        if (near(...rgb, [169, 179, 193])) found.grey += 1;
      }
      return found;
    },
    [tile(name), x, y, width, height],
  );

test("pictures come with boxes whose colour says what was decided", async (t) => {
  const { usher, page, complaints } = await scene(t);
  const people = [
    { track: 1, x: 180, y: 150, width: 90, height: 115, looks: 2 },
    { track: 2, x: 430, y: 180, width: 80, height: 100, looks: 5 },
    { track: 3, x: 720, y: 150, width: 84, height: 105, looks: 0, in_zone: false },
  ];
  await usher.say({ do: "people", people });
  await page.waitForFunction((selector) => (document.querySelector(`${selector} img.live`)?.naturalWidth ?? 0) > 0, tile("north-1"));
  assert.equal(await page.$eval(`${tile("north-1")} img.live`, (picture) => picture.naturalWidth), 960);
  await until("the box is amber while looking", async () => (await colours(page, "north-1", [140, 110, 200, 170])).amber > 500);
  await until("outside the zone is grey", async () => (await colours(page, "north-1", [700, 110, 150, 170])).grey > 500);
  await usher.say({ do: "outcome", camera: "north-1", track: 1, deed: "welcomed", best: 0.71, second: 0.21 });
  await usher.say({ do: "outcome", camera: "north-1", track: 2, deed: "counted", best: 0.24 });
  await until("the box turns green", async () => (await colours(page, "north-1", [140, 110, 200, 170])).green > 500);
  await page.waitForFunction((selector) => /fps · \d+ ms/.test(document.querySelector(`${selector} figcaption span`)?.textContent ?? ""), tile("north-1"));
  assert.deepEqual(complaints, []);
});

test("the header and the tiles say how the box is, in words", async (t) => {
  const { usher, page } = await scene(t);
  await says(page, "3 of 3 cameras");
  const words = await figures(page);
  for (const figure of ["ready", "2 gates", "broker up", "outbox 0", "612 enrolled", "threshold .462", "a wrong greeting for at most 1 in 1,000"]) assert.ok(words.includes(figure), `${figure} in ${words}`);
  assert.equal(await page.textContent("#site"), "arena");

  await usher.say({ do: "camera", name: "north-2", state: "lost", reason: "no frame for 2 s" });
  await says(page, "2 of 3 cameras");
  const lost = await page.waitForSelector(`${tile("north-2")}[data-state="lost"]`);
  assert.match(await lost.textContent(), /lost for .* · reconnecting \(2nd try\)/);
  assert.match(await lost.textContent(), /no frame for 2 s/);

  await usher.say({ do: "broker", up: false });
  await usher.say({ do: "outbox", depth: 3 });
  await says(page, "outbox 3");
  assert.match(await page.textContent("#banner"), /connection refused.*none is lost/);
  await usher.say({ do: "broker", up: true });
  await usher.say({ do: "camera", name: "north-2", state: "live" });
  await page.waitForFunction((selector) => (document.querySelector(`${selector} img.live`)?.naturalWidth ?? 0) > 0, tile("north-2"));
});

test("decisions are told with their evidence, and names only while signed in", async (t) => {
  const { usher, page, complaints } = await scene(t);
  await usher.say({ do: "people", people: [{ track: 7, x: 300, y: 120, width: 100, height: 128, looks: 3 }, { track: 8, x: 560, y: 170, width: 80, height: 100, looks: 2 }] });
  await usher.say({ do: "outcome", camera: "south-1", track: 4, deed: "referred", best: 0.55, second: 0.53 });
  await usher.say({ do: "outcome", camera: "north-2", track: 5, deed: "counted", best: 0.31 });
  await usher.say({ do: "outcome", camera: "north-1", track: 6, deed: "already_greeted", best: 0.66, second: 0.2 });
  await usher.say({ do: "outcome", camera: "north-1", track: 7, deed: "welcomed", best: 0.74, second: 0.21 });
  await page.waitForFunction(() => document.querySelectorAll("#decisions li").length === 4);
  const list = await page.textContent("#decisions");
  for (const words of ["welcomed", "already greeted", "not enrolled · counted", "too alike · neutral", "5 looks"]) assert.ok(list.includes(words), words);
  assert.ok(!(await page.content()).includes("Zoë"), "no name before signing in");

  await page.click("#decisions li:first-child summary");
  const why = await page.textContent("#decisions li:first-child .why");
  assert.match(why, /best score\.740had to reach\.462 with 612 enrolled/);
  assert.match(why, /second person\.210 · \.530 behind/);

  await page.fill("#token", "wrong");
  await page.click("#sign-in button");
  await page.waitForFunction(() => /printed when usher started/.test(document.querySelector("#wrong")?.textContent ?? ""));
  assert.ok(!(await page.content()).includes("Zoë"));

  await page.fill("#token", process.env.USHER_TOKEN);
  await page.click("#sign-in button");
  await page.waitForSelector("#in:not([hidden])");
  await page.waitForFunction((name) => document.querySelector("#decisions .name")?.textContent === name, NAMED);
  assert.equal(await page.$$eval("#decisions .name", (all) => all.length), 2, "the two who are known");
  assert.equal(await page.$$eval("#decisions .name *", (all) => all.length), 0, "names are text");
  assert.ok(!(await page.content()).includes(process.env.USHER_TOKEN), "the token is kept nowhere");
  await usher.say({ do: "camera", name: "south-1", state: "lost", reason: "the camera ended the stream" });
  await page.waitForSelector(`${tile("south-1")}[data-state="lost"]`);
  await page.click("#decisions li:first-child summary");
  await shoot(page, "operator");

  await page.click("#sign-out");
  await page.waitForSelector("#sign-in:not([hidden])");
  await page.waitForFunction(() => document.querySelectorAll("#decisions li").length === 4);
  assert.ok(!(await page.content()).includes("Zoë"), "no name after signing out");
  assert.deepEqual(complaints, []);
});

test("why has an address of its own, is for who has signed in, and grows as the visit goes its way", async (t) => {
  const { usher, page, complaints, port } = await scene(t);
  // Pictures are not kept unless the site opted in, whatever the stages send.
  await usher.say({ do: "outcome", camera: "north-2", track: 5, deed: "counted", best: 0.41, second: 0.2, leaks: true });
  await usher.say({ do: "outcome", camera: "south-1", track: 6, deed: "referred", best: 0.55, second: 0.53, leaks: true });
  await usher.say({ do: "outcome", camera: "north-1", track: 7, deed: "welcomed", best: 0.74, second: 0.21 });
  await page.waitForFunction(() => document.querySelectorAll("#decisions li").length === 3);
  const row = (place) => page.locator("#decisions li").nth(place);
  const view = () => page.textContent("#why");
  await row(0).locator("summary").click();
  await row(0).locator(".all a").click();
  await page.waitForSelector("#why[open]");
  assert.match(await view(), /for whoever has signed in/);
  await page.keyboard.press("Escape");
  await page.fill("#token", process.env.USHER_TOKEN);
  await page.click("#sign-in button");
  await page.waitForSelector("#in:not([hidden])");

  await row(0).locator("summary").click();
  await row(0).locator(".all a").click();
  await page.waitForSelector("#why[open] table");
  assert.match(await view(), /Named: five looks over 310 ms agree; 0\.74 where 0\.46 was needed, 0\.53 ahead of the next person\./);
  assert.match(await view(), /2 looks came too soon/);
  assert.match(await view(), /Threshold 0\.462 with 612 people enrolled/);
  assert.equal(await page.$$eval("#why tr.out", (all) => all.length), 1, "the look that gave way");
  assert.equal(await page.textContent('#why [data-step="outbox"] .time'), "not yet");
  assert.equal(await page.$("#why .portrait"), null);
  const address = page.url();
  await usher.say({ do: "progress", step: "stored" });
  await usher.say({ do: "progress", step: "acknowledged" });
  await page.waitForFunction(() => [...document.querySelectorAll("#why .time")].every((time) => / ms$/.test(time.textContent)));
  await shoot(page, "why-operator");
  await page.goBack();
  await page.waitForFunction(() => !document.querySelector("#why").open);
  await page.goto(address);
  await page.waitForSelector("#why[open] table");
  await page.click("#why-shut");

  for (const [place, sentence] of [
    [1, /Not named, greeted without a name: only 0\.02 ahead of the next person where 0\.06 is needed\./],
    [2, /Not named: pooled score 0\.41 stays below 0\.46\./],
  ]) {
    await row(place).locator("summary").click();
    await row(place).locator(".all a").click();
    await page.waitForSelector("#why[open] table");
    assert.match(await view(), sentence);
    assert.equal(await page.$("#why .portrait, #why-title .name"), null);
    await page.keyboard.press("Escape");
  }
  await usher.say({ do: "forget" });
  await page.goto(address);
  await page.waitForSelector("#why[open] table");
  await page.waitForFunction(() => !document.body.textContent.includes("Zoë"));
  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const told = await (await fetch(`http://127.0.0.1:${port}/api/why/${address.split("-").at(-1)}`, { headers: { cookie } })).json();
  assert.deepEqual(["visitor", "name", "portrait"].filter((key) => key in told), []);
  assert.deepEqual(complaints, []);
});

test("a box that goes away is said to be away, and is found again", async (t) => {
  const { usher, page, port } = await scene(t);
  await says(page, "3 of 3 cameras");
  await usher.say({ do: "stop" });
  await page.waitForSelector('body[data-link="away"]');
  assert.match(await page.textContent("#banner"), /does not answer/);
  await usher.say({ do: "start", listen: `127.0.0.1:${port}` });
  await page.waitForSelector('body[data-link="up"]');
  await page.waitForFunction((selector) => (document.querySelector(`${selector} img.live`)?.naturalWidth ?? 0) > 0, tile("north-1"));
});

test("beyond loopback the page asks to sign in before it shows pictures", async (t) => {
  const { page } = await scene(t, { listen: "0.0.0.0:0" });
  await page.waitForSelector(`${tile("north-1")}.locked`);
  assert.match(await page.textContent(tile("north-1")), /sign in to see pictures/);
  await page.fill("#token", process.env.USHER_TOKEN);
  await page.click("#sign-in button");
  await page.waitForFunction((selector) => (document.querySelector(`${selector} img.live`)?.naturalWidth ?? 0) > 0, tile("north-1"));
});
