// Families and crowds on the big screen: everybody once, together where they came together, nobody beyond their time.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, drawnFace, face, greeting, session, shoot } from "./stage.mjs";
import { FACE, TOPIC, faultsOfLayout, hall, still } from "./signage.stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

const names = (page) => page.$$eval(".name", (all) => all.map((one) => one.textContent));
const until = (page, ...wanted) => page.waitForFunction((wanted) => JSON.stringify([...document.querySelectorAll(".name")].map((one) => one.textContent)) === wanted, JSON.stringify(wanted));
const shared = (id, title, minutes) => ({ ...session(title, minutes), id, status: "on_time" });

test("a family is one welcome: who comes later joins, who is over leaves, and sessions are said once with whose they are", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome, {});
  const jpeg = await drawnFace(chrome);
  const family = [
    greeting({ name: "Ana", sport: "Swimming", party: "p1", seconds: 12, sessions: [shared("s1", "Butterfly", 30), shared("s2", "Medley", 90)] }),
    greeting({ name: "Bo", sport: "Swimming", party: "p1", seconds: 40, sessions: [shared("s1", "Butterfly", 30)] }),
    greeting({ name: "Cy", sport: "Tennis", party: "p1", seconds: 40, sessions: [shared("t1", "Doubles", 60)] }),
  ];
  await mosquitto.publish(TOPIC, family[0]);
  await until(page, "Ana");
  assert.equal(await page.$$eval(".whose", (all) => all.length), 0, "alone it goes without saying");
  await mosquitto.publish(FACE, face(family[0], jpeg));
  await page.waitForFunction(() => (document.querySelector(".face img")?.naturalWidth ?? 0) > 0);
  await mosquitto.publish(FACE, face(family[2], jpeg));
  await mosquitto.publish(TOPIC, family[1]);
  await mosquitto.publish(TOPIC, family[2]);
  await until(page, "Ana", "Bo", "Cy");
  await page.waitForFunction(() => document.querySelectorAll(".face img").length === 2);
  assert.equal(await page.textContent(".next .what"), "Butterfly");
  assert.equal(await page.textContent(".next .whose"), "for Ana and Bo");
  assert.deepEqual(await page.$$eval(".later li", (all) => all.map((one) => [one.querySelector(".what").textContent, one.querySelector(".whose").textContent])), [["Doubles", "for Cy"], ["Medley", "for Ana"]]);
  await still(page);
  assert.deepEqual(await faultsOfLayout(page), []);
  await shoot(page, "signage-family");
  // Ana's own time ends before the others'.
  await until(page, "Bo", "Cy");
  const rest = await page.evaluate(() => document.documentElement.outerHTML);
  for (const personal of ["Ana", "Medley"]) assert.ok(!rest.includes(personal), `${personal} is still on the page`);
  assert.deepEqual(complaints, []);
});

test("six are shown together at most, and in any size nobody lies on anybody", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, {});
  const eight = ["Maximiliane", "Bo", "Konstantinos-Alexandros", "Dee", "지우", "عبد الرحمن", "Gus", "Hal"].map((name) => greeting({ name, sport: "Swimming", party: "big", seconds: 30, sessions: [shared("s1", "Butterfly", 30)] }));
  await mosquitto.publish(TOPIC, greeting({ name: "Before", seconds: 30 }));
  await until(page, "Before");
  for (const one of eight.slice(0, 6)) await mosquitto.publish(TOPIC, one);
  await page.waitForFunction(() => document.querySelectorAll(".name").length === 6);
  for (const [width, height] of [[1080, 1920], [1280, 1024], [3840, 2160]]) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await still(page);
    assert.deepEqual(await faultsOfLayout(page), [], `${width} x ${height}`);
  }
  assert.equal((await names(page)).length, 6);
  for (const one of eight.slice(6)) await mosquitto.publish(TOPIC, one);
  await until(page, "Gus", "Hal");
});

test("twenty who come within ten seconds are all greeted, none twice, none beyond their time, and nothing of them stays", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, {});
  await page.evaluate(() => {
    globalThis.seen = {};
    const look = () => {
      const now = Date.now();
      const here = new Set([...document.querySelectorAll(".name")].map((one) => one.textContent));
      for (const name of here) {
        const one = (globalThis.seen[name] ??= { times: 0, here: false, first: now, last: now });
        if (!one.here) one.times += 1;
        one.here = true;
        one.last = now;
      }
      for (const [name, one] of Object.entries(globalThis.seen)) if (!here.has(name)) one.here = false;
      requestAnimationFrame(look);
    };
    look();
  });
  const sent = new Map();
  const jpeg = await drawnFace(chrome);
  for (let i = 0; i < 20; i += 1) {
    const one = greeting({ name: `Guest ${i}`, sport: "Swimming", seconds: 8, sessions: [shared("s1", "Butterfly", 30)] });
    sent.set(`Guest ${i}`, Date.parse(one.data.expires_at));
    await mosquitto.publish(TOPIC, one);
    await mosquitto.publish(FACE, face(one, jpeg));
    if (i % 4 === 0) await mosquitto.publish(TOPIC, one);
    await new Promise((go) => setTimeout(go, 450));
  }
  await page.waitForFunction(() => document.body.dataset.state === "idle");
  const seen = await page.evaluate(() => globalThis.seen);
  assert.deepEqual(Object.keys(seen).sort(), [...sent.keys()].sort());
  for (const [name, { times, last, first }] of Object.entries(seen)) {
    assert.equal(times, 1, `${name} once`);
    // The page looks five times a second.
    assert.ok(last <= sent.get(name) + 600, `${name} not beyond their time`);
    assert.ok(last - first >= 500, `${name} long enough to be seen`);
  }
  // Nothing of them is left: not in the document, not as a picture in memory.
  const rest = await page.evaluate(() => document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage));
  for (const personal of ["Guest", "Butterfly", "blob:", "<img"]) assert.ok(!rest.includes(personal), `${personal} is still there`);
});

test("no picture of anybody outlives their welcome", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, {});
  await page.evaluate(() => {
    globalThis.urls = { made: 0, open: new Set() };
    const [make, drop] = [URL.createObjectURL, URL.revokeObjectURL];
    URL.createObjectURL = (blob) => {
      const url = make.call(URL, blob);
      globalThis.urls.made += 1;
      globalThis.urls.open.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      globalThis.urls.open.delete(url);
      drop.call(URL, url);
    };
  });
  const jpeg = await drawnFace(chrome);
  const family = ["Ana", "Bo", "Cy"].map((name, i) => greeting({ name, party: "p", seconds: 4 + i }));
  // Of whom no greeting ever comes, no picture is made.
  await mosquitto.publish(FACE, face(greeting({ seconds: 3 }), jpeg));
  for (const one of family) {
    await mosquitto.publish(TOPIC, one);
    await mosquitto.publish(FACE, face(one, jpeg));
    await mosquitto.publish(FACE, face(one, jpeg));
  }
  await page.waitForFunction(() => document.querySelectorAll(".face img").length === 3);
  await page.waitForFunction(() => document.body.dataset.state === "idle");
  assert.deepEqual(await page.evaluate(() => [globalThis.urls.made, globalThis.urls.open.size]), [3, 0]);
});
