// The big screen, in Chromium, with a real broker.
import assert from "node:assert/strict";
import test from "node:test";
import { box, broker, browser, drawnFace, face, greeting, notice, open, session, shoot, until } from "./stage.mjs";

const TOPIC = "usher/v1/arena/gate/north/greeting";
const NOTICE = "usher/v1/arena/gate/north/notice";
const FACE = "usher/v1/arena/gate/north/face";
const chrome = await browser();
test.after(() => chrome.close());

/** A box, a broker and the page that has found both. */
async function scene(t, viewport) {
  const [usher, mosquitto] = [await box(), await broker()];
  const { port } = await usher.say({ do: "start", websocket: mosquitto.websocket });
  const { page, complaints } = await open(chrome, `http://127.0.0.1:${port}/signage?gate=north`, viewport);
  t.after(async () => {
    await page.context().close();
    usher.leave();
    await mosquitto.end();
  });
  await page.waitForSelector('body[data-link="up"]');
  return { usher, mosquitto, page, complaints, port };
}

const idle = (page) => page.waitForSelector('body[data-state="idle"]');
const shown = (page, name) => page.waitForFunction((name) => document.querySelector(".name")?.textContent === name, name);
/** Everything has arrived where it is to stay; what turns for ever turns on. */
const still = (page) =>
  page.waitForFunction(() => document.getAnimations().every((one) => one.playState === "finished" || one.effect.getComputedTiming().iterations === Infinity || one.effect.target.id === "life"));
const html = (page) => page.evaluate(() => document.documentElement.outerHTML);
const overflows = (page) =>
  page.evaluate(() => {
    const all = [...document.querySelectorAll(".name, .sport, .next, .what, .where, .count, li, .portrait")];
    const out = all.filter((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      return left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1;
    });
    return out.map((one) => one.className || one.tagName);
  });

test("a greeting shows face, name, sport and sessions, and nothing of it stays", async (t) => {
  const { page, mosquitto, complaints } = await scene(t);
  await shoot(page, "signage-idle");
  const sessions = [
    session("Women’s 1500 m, semi-finals", 42, "Ice Arena", "Hall 2 · Block C"),
    session("Mixed relay, final", 127, "Ice Arena", "Hall 2 · Block C"),
    session("Men’s 500 m, quarter-finals", 260, "Ice Arena", "Hall 2 · Block A"),
  ];
  const one = greeting({ name: "Minseo", sport: "Short track", sessions, seconds: 8 });
  await mosquitto.publish(TOPIC, one);
  await shown(page, "Minseo");
  assert.equal(await page.textContent(".sport"), "Short track");
  assert.equal(await page.textContent(".next .what"), "Women’s 1500 m, semi-finals");
  assert.equal(await page.textContent(".next .where"), "Ice Arena · Hall 2 · Block C");
  assert.match(await page.textContent(".count b"), /^4[1-3] min$/);
  assert.deepEqual(await page.$$eval("li .what", (all) => all.map((each) => each.textContent)), ["Mixed relay, final", "Men’s 500 m, quarter-finals"]);
  // The face comes after the greeting here; the next test sends it before.
  await mosquitto.publish(FACE, face(one, await drawnFace(chrome)));
  await page.waitForFunction(() => (document.querySelector(".face img")?.naturalWidth ?? 0) > 0);
  await still(page);
  await shoot(page, "signage-greeting");
  await idle(page);
  const rest = await html(page);
  for (const personal of ["Minseo", "Short track", "1500", "blob:", "<img"]) assert.ok(!rest.includes(personal), `${personal} is still on the page`);
  assert.deepEqual(complaints, []);
});

test("somebody who cannot be told apart is greeted without a name, after everybody who can", async (t) => {
  const { page, mosquitto, complaints } = await scene(t);
  const unnamed = () => page.waitForSelector('body[data-state="notice"]');
  await mosquitto.publish(NOTICE, notice({ seconds: 12 }));
  await unnamed();
  await still(page);
  assert.match(await page.textContent("#greeting"), /Welcome!Please show your pass/);
  assert.deepEqual(await overflows(page), []);
  await shoot(page, "signage-notice");
  await mosquitto.publish(TOPIC, greeting({ name: "Ana", seconds: 3 }));
  await shown(page, "Ana");
  await unnamed();
  assert.ok(!(await html(page)).includes("Ana"));
  await idle(page);
  assert.deepEqual(complaints, []);
});

test("portrait screens show the same, and a face that came first is there at once", async (t) => {
  const { page, mosquitto } = await scene(t, { width: 1080, height: 1920 });
  await shoot(page, "signage-portrait-idle");
  const sessions = [session("Final", 30), session("Relay", 90), session("Medal ceremony", 140)];
  const one = greeting({ name: "Ana", sport: "Swimming", sessions });
  await mosquitto.publish(FACE, face(one, await drawnFace(chrome)));
  await mosquitto.publish(TOPIC, one);
  await shown(page, "Ana");
  await page.waitForFunction(() => (document.querySelector(".face img")?.naturalWidth ?? 0) > 0);
  await still(page);
  assert.deepEqual(await overflows(page), []);
  await shoot(page, "signage-portrait");
});

test("hostile names are text and stay in their place on any screen", async (t) => {
  const { page, mosquitto, complaints } = await scene(t);
  const names = [
    "<img src=x onerror=document.title='owned'>",
    "</h1><script>document.title='owned'</script>",
    "😀".repeat(40),
    "W".repeat(40),
    "عبد الرحمن بن محمد الهاشمي القرشي الدمشقي",
    "Ṽ͎̰̎̐́̃Z̡͛A͈̪ Łukasz Brzęczyszczykiewicz",
  ];
  const long = "Qualification round of the women’s heptathlon ".repeat(3);
  const sessions = [session(long, 800, long, long), session(long, 900, long, long), session(long, 990, long, long)];
  for (const name of names) {
    await mosquitto.publish(TOPIC, greeting({ name, sport: "Athletics with a very long discipline".repeat(2), seconds: 60, sessions }));
    await shown(page, name);
    assert.equal(await page.$$eval(".name *", (all) => all.length), 0);
    for (const [width, height] of [[1920, 1080], [1080, 1920], [1280, 1024], [3840, 2160]]) {
      await page.setViewportSize({ width, height });
      // The page hears of it with its next frame.
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      await still(page);
      assert.deepEqual(await overflows(page), [], `${name} at ${width} x ${height}`);
    }
  }
  await mosquitto.publish(TOPIC, greeting({ name: "\u202egnorw\u2066 way", seconds: 60 }));
  await shown(page, "gnorw way");
  assert.equal(await page.title(), "Welcome");
  assert.deepEqual(complaints, []);
});

test("three who come together are shown one after the other, duplicates once, the expired never", async (t) => {
  const { page, mosquitto } = await scene(t);
  await page.evaluate(() => {
    globalThis.seen = [];
    new MutationObserver(() => {
      const name = document.querySelector(".name")?.textContent;
      if (name && globalThis.seen.at(-1) !== name) globalThis.seen.push(name);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  const [first, second, third] = ["Ada", "Bo", "Cy"].map((name) => greeting({ name, seconds: 20 }));
  const over = greeting({ name: "Late", seconds: -2 });
  for (const one of [over, first, second, first, third, second, over]) await mosquitto.publish(TOPIC, one);
  await shown(page, "Cy");
  await idle(page);
  assert.deepEqual(await page.evaluate(() => globalThis.seen), ["Ada", "Bo", "Cy"]);
});

test("what is broken is passed over", async (t) => {
  const { page, mosquitto, complaints } = await scene(t);
  for (const body of ["", "{", "null", "[1]", '{"type":"usher.greeting.v1"}', "x".repeat(60_000)]) await mosquitto.publish(TOPIC, body);
  await mosquitto.publish(TOPIC, greeting({ name: "After", seconds: 8 }));
  await shown(page, "After");
  assert.deepEqual(complaints, []);
});

test("a kiosk whose clock is hours off shows greetings for their time", async (t) => {
  const [usher, mosquitto] = [await box(), await broker()];
  const { port } = await usher.say({ do: "start", websocket: mosquitto.websocket });
  const context = await chrome.newContext({ viewport: { width: 1280, height: 720 } });
  t.after(async () => {
    await context.close();
    usher.leave();
    await mosquitto.end();
  });
  for (const hours of [-5, 5]) {
    const page = await context.newPage();
    await page.addInitScript((off) => {
      const now = Date.now;
      Date.now = () => now() + off;
    }, hours * 3_600_000);
    await page.goto(`http://127.0.0.1:${port}/signage`);
    await page.waitForSelector('body[data-link="up"]');
    await mosquitto.publish(TOPIC, greeting({ name: `Off by ${hours}`, seconds: 8 }));
    await shown(page, `Off by ${hours}`);
    await idle(page);
    await page.close();
  }
});

test("a broker that is killed and comes back is found again", async (t) => {
  const { page, mosquitto } = await scene(t);
  await mosquitto.publish(TOPIC, greeting({ name: "Before", seconds: 8 }));
  await shown(page, "Before");
  await mosquitto.kill();
  await page.waitForSelector('body[data-link="away"]');
  await idle(page);
  assert.ok(await page.isVisible("#attract"));
  await shoot(page, "signage-away");
  await mosquitto.start();
  await page.waitForSelector('body[data-link="up"]');
  // Subscribed again, not only connected.
  await until("a greeting arrives", async () => {
    await mosquitto.publish(TOPIC, greeting({ name: "Again", seconds: 8 }));
    return (await page.textContent("body")).includes("Again");
  });
});

test("a box that goes away leaves the page as it is, and is found again", async (t) => {
  const { usher, page, mosquitto, port } = await scene(t);
  await usher.say({ do: "stop" });
  // The page asks now and then; it is not waited for longer than that.
  await page.waitForSelector('body[data-link="away"]');
  assert.ok(await page.isVisible("#attract"));
  assert.equal(await page.title(), "Welcome");
  await mosquitto.publish(TOPIC, greeting({ name: "Meanwhile", seconds: 8 }));
  await shown(page, "Meanwhile");
  await usher.say({ do: "start", websocket: mosquitto.websocket, listen: `127.0.0.1:${port}` });
  await page.waitForSelector('body[data-link="up"]');
});
