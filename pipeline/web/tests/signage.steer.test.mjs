// Where one waits less: told by the gate's flow, shown in the header, gone when it holds no more.
import assert from "node:assert/strict";
import test from "node:test";
import { browser, greeting, session, shoot, until } from "./stage.mjs";
import { TOPIC, faultsOfLayout, hall } from "./signage.stage.mjs";

const FLOW = "usher/v1/arena/gate/north/flow";
const chrome = await browser();
test.after(() => chrome.close());

/** How the gate is, as the box publishes it; `ago` seconds old. */
function flow(advice, { ago = 0, gate = "north" } = {}) {
  const time = new Date(Date.now() - ago * 1000).toISOString();
  const data = { v: 1, site: "arena", gate, at: time, counting: "whole", lost_cameras: [], entered_total: 7, left_total: 0, advice };
  return { specversion: "1.0", id: `40000000-${Math.random()}`, source: "/usher/arena/box/gate-n1", type: "usher.flow.v1", time, datacontenttype: "application/json", subject: gate, data };
}
const steer = (gate, wait_seconds) => ({ cause: "steer", kind: "steer", gate, wait_seconds, text: "…" });
const over = { cause: "wait", kind: "over", wait_seconds: 800, text: "One waits 13 minutes." };
const shows = (page, words) => page.waitForFunction((words) => document.querySelector("#steer:not([hidden])")?.textContent?.replace(/[\u2068\u2069]/g, "").replace(/\s/g, " ") === words, words);
const nothing = (page) => page.waitForSelector("#steer", { state: "hidden" });

test("the gate with room is said with its wait, and no more once the advice has ended", async (t) => {
  const { page, mosquitto, complaints } = await hall(t, chrome);
  await mosquitto.publish(FLOW, flow([over, steer("gate-b", 220)]));
  await shows(page, "Shorter wait: Gate B, 4 min");
  assert.deepEqual(await faultsOfLayout(page), []);
  await shoot(page, "signage-steer");
  await mosquitto.publish(FLOW, flow([over]));
  await nothing(page);
  assert.deepEqual(complaints, []);
});

test("a greeting is never covered by it, whatever the screen and the language", async (t) => {
  for (const [language, viewport, words] of [
    ["en", { width: 1920, height: 1080 }, "Shorter wait: Gate B, 4 min"],
    ["fr", { width: 1080, height: 1920 }, "Moins d’attente : Porte B, 4 min"],
    ["ko", { width: 3840, height: 2160 }, "덜 기다리는 곳: B 게이트, 4분"],
    ["zh", { width: 1280, height: 720 }, "等候更短：B 号门，4分钟"],
    ["es", { width: 1080, height: 1920 }, "Menos espera: Puerta B, 4 min"],
    ["ar", { width: 1920, height: 1080 }, null],
  ]) {
    const { page, mosquitto, complaints } = await hall(t, chrome, { says: { language, gates: ["north"] }, viewport });
    await mosquitto.publish(FLOW, flow([steer("gate-b", 220)]));
    if (words) await shows(page, words);
    else await page.waitForFunction(() => /انتظار أقصر/.test(document.querySelector("#steer:not([hidden])")?.textContent ?? ""));
    assert.deepEqual(await faultsOfLayout(page), [], `${language}, idle`);
    await mosquitto.publish(TOPIC, greeting({ name: "Alexandrina Konstantinopoulou", sessions: [session("Women's 100 m, heats", 40), session("Final", 190)] }));
    await page.waitForSelector('body[data-state="greeting"]');
    await until("the greeting lies still", () => page.evaluate(() => document.getAnimations().every((one) => one.effect?.getTiming().iterations === Infinity || one.playState !== "running" || one.effect?.target?.id === "life")));
    assert.deepEqual(await faultsOfLayout(page), [], `${language}, greeting`);
    assert.ok(await page.isVisible("#steer"));
    await shoot(page, `signage-steer-${language}`);
    assert.deepEqual(complaints, []);
  }
});

test("what is old, of this gate, or not said by a box, is not shown", async (t) => {
  const { page, mosquitto } = await hall(t, chrome);
  for (const wrong of [
    flow([steer("gate-b", 220)], { ago: 90 }),
    flow([steer("north", 220)]),
    flow([steer(7, 220)]),
    flow([steer("gate-b", "4")]),
    { ...flow([steer("gate-b", 220)]), type: "usher.forecast.v1" },
    flow("steer"),
    "{",
  ]) {
    await mosquitto.publish(FLOW, flow([steer("gate-c", 60)]));
    await shows(page, "Shorter wait: Gate C, 1 min");
    await mosquitto.publish(FLOW, wrong);
    await nothing(page);
  }
  await mosquitto.publish(FLOW, flow([steer("<b>x</b>", 60)]));
  await shows(page, "Shorter wait: Gate <b>x</b>, 1 min");
  assert.equal(await page.$$eval("#steer b", (all) => all.length), 0, "text, never markup");
});
