// The flow page, in Chromium.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";
import { ADVICE, SESSIONS, evening, gate } from "./flow.stage.mjs";
import { box, browser, open, shoot, until } from "./stage.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const chrome = await browser();
test.after(() => chrome.close());

async function scene(t, { gates = evening(), hash = "", viewport, listen, signed = true } = {}) {
  const usher = await box();
  const { port } = await usher.say({ do: "start", ...(listen ? { listen } : {}) });
  await usher.say({ do: "ready" });
  await usher.say({ do: "marks", marks: SESSIONS });
  for (const one of gates) await usher.say(one);
  const { page, complaints } = await open(chrome, `http://127.0.0.1:${port}/flow${hash}`, viewport);
  t.after(async () => {
    await page.context().close();
    usher.leave();
  });
  if (signed && gates.length > 0) await page.waitForFunction((count) => document.querySelectorAll("#gates .glance").length === count, gates.length);
  return { usher, page, complaints, port };
}

const card = (name) => `#gates .glance[data-gate="${name}"]`;
const drawn = (page) => page.waitForFunction(() => document.querySelector('#gate[data-known="true"] .chart .plot svg path.counted') !== null);
const says = (page, selector, words) => page.waitForFunction(([selector, words]) => document.querySelector(selector)?.textContent?.includes(words), [selector, words]);

async function serious(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => (await window.axe.run(document)).violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`));
}

test("what to do comes first, the most pressing above all; each gate says how it is in words", async (t) => {
  const { page, complaints } = await scene(t);
  const advice = await page.$$eval("#advice li", (all) => all.map((one) => one.textContent));
  assert.match(advice[0], /over the limit.*Gate A.*One waits 13 minutes here/);
  assert.deepEqual(advice.map((one) => /Gate [A-F]/.exec(one)[0]), ["Gate A", "Gate C", "Gate A", "Gate A", "Gate E", "Gate D"]);
  assert.ok(await page.evaluate(() => (document.querySelector("#advice").compareDocumentPosition(document.querySelector("#gates")) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0));
  assert.match(await page.textContent(card("gate-a")), /over the limit.*in the last minute.*inside.*13 min.*limit 10 min.*4 lanes open.*In 30 min/);
  assert.match(await page.textContent(card("gate-b")), /as it should be.*4 min.*limit 10 min/);
  assert.match(await page.textContent(card("gate-d")), /no wait/);
  assert.match(await page.textContent(card("gate-e")), /counted in part/);
  // Nobody saw: that is not nobody.
  assert.match(await page.textContent(card("gate-f")), /not counted\?nobody saw the last minute/);
  assert.doesNotMatch(await page.textContent(`${card("gate-f")} .big`), /\d/);
  const figures = await page.textContent("#figures");
  for (const words of ["4 of 6 gates counted", "came within the last minute", "2 need somebody"]) assert.ok(figures.includes(words), `${words} in ${figures}`);
  // Longer waits are longer bars, and the limit stands where it is.
  const bars = await page.$$eval("#gates .bar", (all) => all.map((bar) => [bar.querySelector("i").style.width, bar.querySelector("u")?.style.insetInlineStart, bar.classList.contains("over")]));
  assert.deepEqual(bars.map(([, , over]) => over), [true, false, false, false, false]);
  assert.ok(parseFloat(bars[0][0]) > parseFloat(bars[0][1]) && parseFloat(bars[1][0]) < parseFloat(bars[1][1]), JSON.stringify(bars));
  await shoot(page, "flow-glance");
  assert.deepEqual(complaints, []);
});

test("a gate's plots have a fan, gaps that are gaps, sessions, and a table behind each", async (t) => {
  const { page, complaints } = await scene(t);
  await page.click(card("gate-c"));
  await drawn(page);
  assert.equal(await page.evaluate(() => location.hash), "#gate-c");
  const charts = await page.$$("#gate .charts .chart");
  assert.equal(charts.length, 3);
  for (const chart of charts) {
    for (const part of ["band95", "band80", "median"]) assert.ok(((await chart.$eval(`svg .${part}`, (path) => path.getAttribute("d"))) ?? "").length > 40, part);
    // The line stops where the gap begins and goes on where it ends.
    assert.equal(await chart.$$eval("svg path.counted", (all) => all.length), 2);
    assert.equal(await chart.$$eval("svg .gap rect", (all) => all.length), 1);
    await chart.$eval("details.behind", (details) => (details.open = true));
    await until("the table is there", () => chart.$("table tbody tr.gap"));
    const gaps = await chart.$$eval("tr.gap", (all) => all.map((row) => row.textContent));
    assert.ok(gaps.length >= 15 && gaps.every((row) => row.includes("not counted")), JSON.stringify(gaps));
    assert.ok((await chart.$$eval("tr.ahead td:nth-child(4)", (all) => all.map((cell) => cell.textContent))).some((words) => /–/.test(words)));
  }
  const [counts, wait] = charts;
  const ticks = await counts.$$eval("svg .tick-words", (all) => all.map((text) => text.textContent));
  assert.ok(ticks.includes("▲ 2 start"), ticks.join("; "));
  assert.ok(!(await counts.textContent()).includes("Judo"), "a session at another gate");
  assert.match(await wait.$eval("svg .limit-words", (text) => text.textContent), /limit 10 min/);
  const grades = await page.textContent("#gate .grades");
  assert.match(grades, /rests on earlier days and the programme.*5 min.*38 % better.*80 %.*60 min/s);
  assert.ok(!grades.includes("NaN") && grades.includes("–"), "what is not known yet is a dash");
  await page.click("#gate .ranges button:nth-child(2)");
  await page.waitForFunction(() => document.querySelector('#gate .ranges button:nth-child(2)')?.getAttribute("aria-pressed") === "true");
  assert.ok((await counts.$$eval("svg .tick-words", (all) => all.map((text) => text.textContent))).length >= 3);
  await shoot(page, "flow-gate");
  await page.click("#gate .ranges button:nth-child(3)");
  await until("the day's fan is drawn", () => counts.$eval("svg .band80", (path) => path.getAttribute("d").length > 400));
  await shoot(page, "flow-day");
  assert.deepEqual(complaints, []);
});

test("a plot is read with the keys, and says what it shows", async (t) => {
  const { page } = await scene(t, { hash: "#gate-c" });
  await drawn(page);
  const hand = "#gate .charts .chart:first-child .hand";
  await page.focus(hand);
  const at = await page.$eval(hand, (range) => Number(range.value));
  for (let i = 0; i < 20; i += 1) await page.keyboard.press("ArrowRight");
  assert.equal(await page.$eval(hand, (range) => Number(range.value)), at + 20);
  assert.match(await page.getAttribute(hand, "aria-valuetext"), /\d\d:\d\d: .* a minute expected, .*–.* four times of five/);
  for (let i = 0; i < 50; i += 1) await page.keyboard.press("ArrowLeft");
  assert.match(await page.textContent("#gate .charts .chart:first-child .said"), /not counted/);
});

test("what is told is shown as it comes, and a camera that dies leaves a gap and no nought", async (t) => {
  const { usher, page, complaints } = await scene(t, { gates: [gate("gate-a", { wait: 100, seed: 1 })] });
  await drawn(page);
  await says(page, "#advice", "Nothing: no gate needs anybody now.");
  await usher.say(gate("gate-a", { wait: 700, advice: [ADVICE.over], seed: 1 }));
  await says(page, "#advice", "One waits 13 minutes here");
  await says(page, card("gate-a"), "12 min");
  await usher.say(gate("gate-a", { gap: [3, 0], counting: "none", lost: ["gate-a-1"], seed: 1 }));
  await says(page, card("gate-a"), "nobody saw the last minute");
  await says(page, "#gate .lost", "gate-a-1 is lost");
  await page.waitForFunction(() => document.querySelector("#gate .chart .said")?.textContent === "now: not counted");
  assert.equal(await page.$$eval("#gate .charts .chart:first-child svg .gap rect", (all) => all.length), 1);
  await usher.say({ do: "flow", trouble: "history.csv:7: no count" });
  await says(page, "#banner", "history.csv:7: no count. What was read before stays in use.");
  assert.deepEqual(complaints, []);
});

test("what if is answered by the box, and a question it cannot answer by why", async (t) => {
  const { page } = await scene(t, { hash: "#gate-a" });
  await drawn(page);
  const time = await page.inputValue('.whatif input.at');
  assert.match(time, /^\d\d:[0-5][05]$/);
  await page.fill('.whatif input[type="number"]', "8");
  await page.click(".whatif button");
  await says(page, ".whatif .answer", `With 8 lanes from ${time} the longest wait in the next 60 min is 6 min, instead of 13 min: within the limit of 10 min.`);
  assert.ok((await page.getAttribute(".whatif .chart svg path.other", "d")).length > 40, "how it will be as it is, beside how it would be");
  await shoot(page, "flow-whatif");
  await page.fill('.whatif input[type="number"]', "9");
  await page.click(".whatif button");
  await says(page, ".whatif .answer", "This gate has 8 lanes.");
  assert.ok(!(await page.isVisible(".whatif .chart")));
});

test("everybody can use it: no serious finding of axe, by day and by night", async (t) => {
  const { page } = await scene(t, { hash: "#gate-c" });
  await drawn(page);
  for (const details of await page.$$("details.behind")) await details.evaluate((one) => (one.open = true));
  await page.click(".whatif button");
  await page.waitForSelector(".whatif .chart:not([hidden])");
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await serious(page), [], colorScheme);
    for (const details of await page.$$("details.behind")) await details.evaluate((one) => (one.open = false));
    await shoot(page, `flow-${colorScheme}`);
  }
});

test("six gates fit from a telephone to a wall", async (t) => {
  const { page } = await scene(t);
  const sizes = [
    [390, 844],
    [768, 1024],
    [1280, 720],
    [1920, 1080],
    [3840, 2160],
  ];
  for (const chosen of [false, true]) {
    if (chosen) {
      await page.click(card("gate-a"));
      await drawn(page);
      await page.click(".whatif button");
      await page.waitForSelector(".whatif .chart:not([hidden])");
    }
    for (const [width, height] of sizes) {
      await page.setViewportSize({ width, height });
      await page.evaluate(() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))));
      const beyond = await page.evaluate(() => {
        const wide = document.documentElement.clientWidth;
        const out = [...document.querySelectorAll("body *:not(svg *)")].filter((one) => {
          const { right, left, width } = one.getBoundingClientRect();
          return width > 0 && (right > wide + 1 || left < -1) && !one.closest(".wide");
        });
        const cut = [...document.querySelectorAll(".glance *, .advice *, .facts *")].filter((one) => one instanceof HTMLElement && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline");
        return { scroll: document.documentElement.scrollWidth - wide, out: out.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)), cut: cut.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)) };
      });
      assert.deepEqual(beyond, { scroll: 0, out: [], cut: [] }, `${width} x ${height}, ${chosen ? "one gate" : "all gates"}`);
      await shoot(page, `flow-${width}-${chosen ? "gate" : "all"}`);
    }
  }
  // All six are seen at once on a screen of a desk, and on a wall.
  await page.click("#gate .shut");
  for (const [width, height] of [[1920, 1080], [3840, 2160]]) {
    await page.setViewportSize({ width, height });
    const low = await page.$$eval("#gates .glance", (all) => Math.max(...all.map((one) => one.getBoundingClientRect().bottom)));
    assert.ok(low <= height, `${low} of ${height}`);
  }
});

test("while the box is away the page says so, keeps what it knew, and finds it again", async (t) => {
  const { usher, page, port, complaints } = await scene(t, { hash: "#gate-b" });
  await drawn(page);
  await usher.say({ do: "stop" });
  await page.waitForSelector('body[data-link="away"]');
  assert.match(await page.textContent("#banner"), /The box does not answer/);
  assert.match(await page.textContent(card("gate-b")), /4 min/);
  await page.click(".whatif button");
  await says(page, ".whatif .answer", "The box does not answer.");
  await shoot(page, "flow-away");
  await usher.say({ do: "start", listen: `127.0.0.1:${port}` });
  await usher.say(gate("gate-b", { wait: 540, seed: 2 }));
  await page.waitForSelector('body[data-link="up"]');
  await says(page, card("gate-b"), "9 min");
  assert.ok(await page.isHidden("#banner"));
  assert.deepEqual(complaints, []);
});

test("beyond this machine nothing of a gate is told before signing in, and nothing after signing out", async (t) => {
  const { page, port } = await scene(t, { listen: "0.0.0.0:0", signed: false });
  await page.waitForSelector("#sign-in");
  await page.waitForFunction(() => document.body.dataset.allowed === "false");
  assert.equal(await page.$$eval("#gates .glance", (all) => all.length), 0);
  const asked = async (path, options) => (await fetch(`http://127.0.0.1:${port}${path}`, options)).status;
  assert.equal(await asked("/api/flow/gates/gate-a"), 401);
  assert.equal(await asked("/api/flow/what-if", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ gate: "gate-a", lanes: 2, minutes: 5 }) }), 401);
  assert.deepEqual((await (await fetch(`http://127.0.0.1:${port}/api/flow`)).json()).gates, []);
  await page.fill("#token", process.env.USHER_TOKEN);
  await page.click("#sign-in button");
  await page.waitForFunction(() => document.querySelectorAll("#gates .glance").length === 6);
  await page.click("#sign-out");
  await page.waitForFunction(() => document.querySelectorAll("#gates .glance").length === 0 && document.body.dataset.allowed === "false");
});

test("lanes are opened by who has signed in, and the box's word is shown where they cannot be", async (t) => {
  const { page, complaints } = await scene(t, { hash: "#gate-b" });
  await drawn(page);
  const shown = () => page.textContent("#gate .lanes output");
  assert.equal(await shown(), "3");
  await page.click('#gate .lanes button[aria-label^="One lane more"]');
  await says(page, "#gate .lanes .answer", "Sign in to say how many lanes are open.");
  assert.ok(await page.isVisible("#sign-in"), "it is asked who says so");
  assert.equal(await shown(), "3", "nothing is shown that is not so");
  assert.deepEqual(complaints.filter((words) => !words.includes("401")), []);
});
