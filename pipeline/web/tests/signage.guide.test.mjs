// The day on the big screen, in Chromium with a real broker: itinerary, map, symbol, languages, changes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { browser, greeting, session, shoot } from "./stage.mjs";
import { PROGRAMME, TOPIC, at, changes, faultsOfLayout, hall, still, stop } from "./signage.stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

const SITE = {
  areas: [
    { kind: "building", name: "Ice Arena", outline: [[7.002, 50.002], [7.004, 50.002], [7.004, 50.003], [7.002, 50.003], [7.002, 50.002]] },
    { kind: "building", name: "Aquatics Centre", outline: [[7.0, 50.003], [7.001, 50.003], [7.001, 50.004], [7.0, 50.004], [7.0, 50.003]] },
    { kind: "green", name: "", outline: [[6.99, 49.99], [7.01, 49.99], [7.01, 50.01], [6.99, 50.01], [6.99, 49.99]] },
  ],
  paths: [[[7.0, 50.0], [7.003, 50.0], [7.003, 50.0025]]],
  places: [{ kind: "toilets", name: "", at: [7.001, 50.001] }],
};
const TAKE = "https://box.example:8443/day#c2VjcmV0LW9mLXRoZS1wYXNz";

function day() {
  return {
    stops: [
      stop("arrive", "gate-b", 0, { gate: "gate-b", at: [7.0, 50.0] }),
      stop("meal", "Haenyeo Noodles", 5, { place: "Festival Square", walk_s: 130, at: [7.0015, 50.0], why: [{ is: "wish", food: "vegetarian" }, { is: "popular" }, { is: "open_until", at: "22:00" }] }),
      stop("session", "Women’s 1500 m, semi-finals", 42, { place: "Ice Arena · Hall 2", walk_s: 350, gate: "gate-d", wait_s: 181, session: "st-1", status: "on_time", at: [7.003, 50.0025], why: [{ is: "favourite", sport: "Short track" }] }),
      stop("leave", "Train to the city", 180, { walk_s: 60, at: [7.003, 50.0], why: [{ is: "departs", line: "S3", towards: "Central", at: "21:40" }, { is: "step_free" }] }),
    ],
    route: [[7.0, 50.0], [7.0015, 50.0], [7.003, 50.0], [7.003, 50.0025], [7.003, 50.0]],
  };
}
const own = () => [{ ...session("Women’s 1500 m, semi-finals", 42, "Ice Arena", "Hall 2"), id: "st-1", status: "on_time" }];
const guided = (rest = {}) => greeting({ name: "Minseo", sport: "Short track", seconds: 60, sessions: own(), day: day(), take: TAKE, ...rest });
const shown = (page, name) => page.waitForFunction((name) => document.querySelector(".name")?.textContent === name, name);
const notes = (page) => page.$$eval(".stop", (all) => all.map((one) => [one.querySelector("b").textContent, one.querySelector(".note").textContent]));

test("the day is a line of stops with ways, waits and reasons in words, and a map of it", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome, { map: SITE });
  await mosquitto.publish(TOPIC, guided());
  await shown(page, "Minseo");
  await still(page);
  assert.deepEqual(await notes(page), [
    ["You are here", "Gate B"],
    ["Haenyeo Noodles", "3 min on foot · vegetarian · popular now · open until 22:00 · Festival Square"],
    ["Women’s 1500 m, semi-finals", "6 min on foot · Gate D · wait 4 min · Ice Arena · Hall 2 · you love Short track"],
    ["Train to the city", "1 min on foot · S3 to Central at 21:40 · step-free"],
  ]);
  assert.deepEqual(await page.$$eval(".dotted", (all) => all.map((one) => one.textContent)), ["", "1", "2", "3"]);
  // The map: the same numbers, in the same colours, where the visitor is, and the way.
  assert.deepEqual(await page.$$eval(".map .disc", (all) => all.map((one) => [one.textContent, one.dataset.kind])), [["1", "meal"], ["2", "session"], ["3", "leave"]]);
  const colours = await page.evaluate(() => ["meal", "session", "leave"].map((kind) => [getComputedStyle(document.querySelector(`.stop[data-kind=${kind}] .dotted`)).backgroundColor, getComputedStyle(document.querySelector(`.disc[data-kind=${kind}] circle`)).fill]));
  for (const [line, map] of colours) assert.equal(line, map);
  assert.equal(new Set(colours.flat()).size, 3);
  assert.equal(await page.$$eval(".map .here", (all) => all.length), 1);
  assert.ok(await page.$$eval(".map text.label", (all) => all.map((one) => one.textContent)).then((all) => all.includes("You are here") && all.includes("Ice Arena")));
  // North is up, whoever reads it: the arena lies north-east of the gate.
  const [here, arena] = await page.evaluate(() => [".here", '.disc[data-kind="session"] circle'].map((one) => { const { x, y } = document.querySelector(`.map ${one}`).getBoundingClientRect(); return { x, y }; }));
  assert.ok(arena.x > here.x && arena.y < here.y);
  assert.deepEqual(await faultsOfLayout(page), []);
  await shoot(page, "signage-day");
  assert.deepEqual(complaints, []);
});

test("the symbol says the address to take along, with its quiet zone", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, {});
  await mosquitto.publish(TOPIC, guided({ day: null }));
  await shown(page, "Minseo");
  // Read back by the browser's own drawing: every module as it was drawn.
  const drawn = await page.evaluate(() => {
    const symbol = document.querySelector(".qr");
    const size = Number(symbol.getAttribute("viewBox").split(" ")[2]);
    const dark = new Set([...symbol.querySelector("path").getAttribute("d").matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map((each) => `${each[1]} ${each[2]}`));
    return { size, dark: [...dark] };
  });
  const { encode } = await import("uqr");
  const { data, size } = encode(TAKE, { ecc: "M", border: 0 });
  assert.equal(drawn.size, size + 8);
  const wanted = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`${x + 4} ${y + 4}`] : [])));
  assert.deepEqual(drawn.dark.sort(), wanted.sort());
});

test("a change that comes while somebody is greeted is on the screen at once, by its session", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, { map: SITE });
  await mosquitto.publish(TOPIC, guided());
  await shown(page, "Minseo");
  const face = await page.evaluate(() => (document.querySelector(".portrait").dataset.mark = "same"));
  const change = (status, rest = {}) => ({ session: "st-1", sport: "Short track", title: "Women’s 1500 m, semi-finals", venue: "Ice Arena", place: "Hall 2", gate: null, starts: at(75), ends: at(150), status, ...rest });
  await mosquitto.publish(PROGRAMME, changes(change("delayed")));
  await page.waitForSelector('.next[data-status="delayed"]');
  assert.equal(await page.textContent(".next .badge"), "Delayed");
  assert.match(await page.textContent(".count b"), /^1:1[4-6] h$/);
  assert.equal(await page.textContent('.stop[data-session="st-1"] .badge'), "Delayed");
  assert.equal(await page.getAttribute(".portrait", "data-mark"), face, "who is shown stays where they are");
  await mosquitto.publish(PROGRAMME, changes(change("moved", { venue: "Aquatics Centre", place: "Pool 1", gate: "gate-e" })));
  await page.waitForSelector('.next[data-status="moved"]');
  assert.match(await page.textContent(".next .where"), /Aquatics Centre · Pool 1/);
  assert.match(await page.textContent('.stop[data-session="st-1"] .note'), /^Gate E · Aquatics Centre · Pool 1/);
  assert.equal(await page.$$eval(".map .way", (all) => all.length), 0, "no way is drawn to where nothing is held");
  await mosquitto.publish(PROGRAMME, changes(change("cancelled")));
  await page.waitForSelector('.next[data-status="cancelled"]');
  assert.equal(await page.textContent(".count span"), "Cancelled");
  await mosquitto.publish(PROGRAMME, changes(change("sold_out")));
  await page.waitForSelector('.next[data-status="sold_out"]');
  await still(page);
  assert.deepEqual(await faultsOfLayout(page), []);
});

test("each visitor is greeted in their language, from the right to the left too, and the venue speaks its own", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome, { map: SITE, says: { language: "fr" } });
  assert.match(await page.textContent("#attract .hint"), /Approchez et regardez l’écran/);
  assert.equal(await page.textContent("#word"), "Bienvenue");
  const side = (selector) => page.$eval(selector, (one) => { const { left, right } = one.getBoundingClientRect(); return (left + right) / 2 / innerWidth; });
  const seen = new Set();
  for (const [language, hello] of [["en", "Welcome,"], ["ko", "환영합니다"], ["zh", "欢迎您"], ["fr-CA", "Bienvenue,"], ["es", "Le damos la bienvenida,"], ["ar", "أهلًا بكم،"], ["tlh", "Bienvenue,"]]) {
    await mosquitto.publish(TOPIC, guided({ name: `In ${language}`, language }));
    await shown(page, `In ${language}`);
    assert.equal(await page.textContent(".hello"), hello);
    const rtl = language === "ar";
    assert.equal(await page.getAttribute("html", "dir"), rtl ? "rtl" : "ltr");
    assert.equal((await side(".who")) > 0.5, rtl, `${language}: who stands where reading begins`);
    assert.equal((await side(".stop time")) > (await side(".stop .about")), rtl, `${language}: so do the times`);
    seen.add(await page.textContent(".line"));
    await still(page);
    assert.deepEqual(await faultsOfLayout(page), [], language);
  }
  assert.ok(seen.size >= 6, "every language says the day in its own words");
  assert.deepEqual(complaints, []);
});

test("hostile texts in every field are text, and stay in their place in any size and language", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome, { map: { ...SITE, areas: SITE.areas.map((area) => ({ ...area, name: "<script>document.title='owned'</script>".repeat(3) })) } });
  const texts = ["<img src=x onerror=document.title='owned'>", `Z${"\u0335\u0321\u031b\u0359".repeat(40)}algo`, "\u202egnorw \u2066yaw", "x".repeat(200), "عبد الرحمن بن محمد الهاشمي القرشي ".repeat(6), "길고긴이름".repeat(40), "😀👩‍👩‍👧‍👦".repeat(30), "Llanfairpwllgwyngyll ".repeat(10)];
  const sizes = [[1920, 1080], [1080, 1920], [1280, 1024], [3840, 2160]];
  for (const [i, text] of texts.entries()) {
    const language = ["en", "ar", "ko"][i % 3];
    const stops = day().stops.map((one) => ({ ...one, title: text, place: text, gate: text, why: [{ is: "favourite", sport: text }, { is: "wish", food: text }, { is: "departs", line: text, towards: text, at: text }, ...one.why] }));
    const full = { language, sport: text, sessions: [1, 2, 3].map((n) => ({ ...session(text, 30 * n, text, text), id: `s${n}`, status: ["delayed", "cancelled", "moved"][n - 1] })), day: { stops: [...stops, ...stops.slice(1)], route: day().route }, take: `https://x.example/${"a".repeat(250)}` };
    await mosquitto.publish(TOPIC, greeting({ name: text, seconds: 110, ...full }));
    await page.waitForFunction((count) => document.querySelectorAll(".name").length === 1 && window.turns !== count && (window.turns = count), i + 1);
    await page.waitForFunction((start) => document.querySelector(".name").textContent.startsWith(start), Array.from(text.replace(/[\u202e\u2066]/g, "")).slice(0, 5).join(""));
    assert.equal(await page.$$eval(".name *", (all) => all.length), 0);
    for (const speaks of i === 0 ? ["en", "ar", "ko"] : [language]) {
      if (speaks !== language) {
        await mosquitto.publish(TOPIC, greeting({ name: text, seconds: 110, ...full, language: speaks }));
        await page.waitForSelector(`html[lang="${speaks}"]`);
      }
      for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
        await still(page);
        assert.deepEqual(await faultsOfLayout(page), [], `${text.slice(0, 20)} in ${speaks} at ${width} x ${height}`);
      }
    }
  }
  assert.equal(await page.title(), "Welcome");
  assert.deepEqual(complaints, []);
});

test("what helps people who cannot see it well finds no serious fault", async (t) => {
  const { page, mosquitto } = await hall(t, chrome, { map: SITE });
  const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
  const serious = async (what) => {
    await still(page);
    const { violations } = await page.evaluate(axe).then(() => page.evaluate(() => globalThis.axe.run()));
    assert.deepEqual(violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${what}: ${one.id} ${one.nodes[0]?.html}`), []);
  };
  await serious("idle");
  for (const language of ["en", "ar"]) {
    await mosquitto.publish(TOPIC, guided({ name: language, language }));
    await shown(page, language);
    await serious(language);
  }
});
