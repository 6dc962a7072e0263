// The coach on the operator's page, in Chromium.
import assert from "node:assert/strict";
import test from "node:test";
import { box, browser, open, shoot } from "./stage.mjs";

const chrome = await browser();
test.after(() => chrome.close());

const panel = '.camera[data-camera="north-1"] .coach';
const words = (page, wanted) => page.waitForFunction(([selector, wanted]) => document.querySelector(selector)?.textContent?.includes(wanted), [panel, wanted]);

/** Somebody walks up for two seconds until their eyes are so many pixels apart, and is gone. */
async function walk(usher, page, track, eyes, quality = {}) {
  for (let step = 1; step <= 10; step += 1) {
    // At the line for the last second and more.
    const near = eyes * Math.min(1, 0.5 + 0.1 * step);
    await usher.say({ do: "people", people: [{ track, x: 440 - near, y: 200, width: 2.2 * near, height: 2.6 * near, looks: 0, eyes: near, quality }] });
    await page.waitForTimeout(200);
  }
  await usher.say({ do: "people", people: [] });
}

async function scene(t, options = {}) {
  const usher = await box();
  const { port } = await usher.say({ do: "start", ...options });
  await usher.say({ do: "ready" });
  await usher.say({ do: "camera", name: "north-1", state: "live" });
  const opened = await open(chrome, `http://127.0.0.1:${port}/operator`);
  t.after(async () => {
    await opened.page.context().close();
    usher.leave();
  });
  await opened.page.click('.camera[data-camera="north-1"] .ask');
  return { usher, port, ...opened };
}

test("a walk says what limits a camera, and a second one what the change has done", async (t) => {
  const { usher, page, complaints } = await scene(t);
  await words(page, "Walk up as visitors do");
  await walk(usher, page, 21, 14);
  await words(page, "Faces are 14 px between the eyes at the line; 23 are needed.");
  await words(page, "a lens of 1.6 times the focal length");
  await page.click(`${panel} .anew`);
  await words(page, "0 walks");
  await walk(usher, page, 22, 60);
  await words(page, "Good: nothing here limits recognition.");
  const line = await page.$$eval(`${panel} tr`, (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)).find(([name]) => name.startsWith("between the eyes at the line")));
  const [, before, now] = line;
  assert.ok(Number(before) >= 13 && Number(before) <= 14, before);
  assert.ok(Number(now) >= 55 && Number(now) <= 60, now);
  await shoot(page, "coach");
  assert.deepEqual(complaints, []);
});

test("light that is too little is told with its mend", async (t) => {
  const { usher, page } = await scene(t);
  await walk(usher, page, 31, 50, { luminance_mean: 0.12, dynamic_range: 0.6, under_exposure_prevention: 0.5 });
  await words(page, "Faces are too dark: 50 % of their pixels are nearly black");
  await words(page, "Light the faces at the line from the front");
  await page.click('.camera[data-camera="north-1"] .ask');
  await page.waitForSelector(panel, { state: "hidden" });
});

test("beyond loopback nobody begins anew without having signed in", async (t) => {
  const { page, port } = await scene(t, { listen: "0.0.0.0:0" });
  const answer = await page.evaluate(async () => (await fetch("/api/coach/north-1", { method: "POST" })).status);
  assert.equal(answer, 401);
  const told = await page.evaluate(async () => (await fetch("/api/coach")).json());
  assert.deepEqual(Object.keys(told), ["north-1", "north-2", "south-1"], `port ${port}`);
  assert.deepEqual(Object.keys(told["north-1"]), ["walks", "limits", "rows"], "figures, and nothing of a person");
});
