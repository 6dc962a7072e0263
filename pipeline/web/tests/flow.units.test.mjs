// What the flow page decides, without a browser: what is a gap, what is read as what, when a time is meant.
import assert from "node:assert/strict";
import test from "node:test";
import { build } from "esbuild";

async function load(file) {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}
const { arrivals, begun, points, ticks } = await load("flow/series.ts");
const { fanAt } = await load("flow/plot.ts");
const { minutesUntil } = await load("flow/whatif.ts");
const { gateName, people, standing, waiting, waitingRange } = await load("flow/words.ts");

const fan = (median) => ({ median, low80: median / 2, high80: median * 2, low95: median / 4, high95: median * 4 });
const START = 1_800_000_000; // A multiple of 300.

test("minutes are put together where most were seen, and are a gap where half or more were not", () => {
  const values = [4, 4, 4, 4, 4, null, null, 2, 2, 2, null, null, null, 9, 9, null, null, null, null, null];
  assert.deepEqual(points(values, START, 5).map(({ value }) => value), [4, 2, null, null]);
  assert.deepEqual(points(values, START, 1).slice(4, 8).map(({ value }) => value), [4, null, null, 2]);
  // Whole steps of the clock, whatever minute the list begins with.
  assert.equal(points(values, START - 120, 5)[0].at, (START + 150) * 1000);
});

test("the next hour comes from its horizons, what is later from the day, in people a minute", () => {
  const at = new Date(START * 1000);
  const later = (minutes) => new Date(at.getTime() + minutes * 60_000).toISOString();
  const horizons = [5, 60].map((minutes) => ({ minutes, arrivals: fan(10) }));
  const day = [15, 60, 75].map((minutes) => ({ at: later(minutes), arrivals: fan(150) }));
  const all = arrivals({ forecast: { at: at.toISOString(), horizons, day } });
  assert.deepEqual(all.map((one) => (one.at - at.getTime()) / 60_000), [5, 60, 67.5, 82.5]);
  assert.deepEqual(all.map((one) => one.fan.median), [10, 10, 10, 10]);
  assert.equal(fanAt(all, at.getTime() + 30 * 60_000).median, 10);
  assert.equal(fanAt(all, at.getTime() + 300 * 60_000), null, "beyond what is forecast nothing is known");
});

test("a fan begins at what was counted last, and not at what was counted long ago", () => {
  const ahead = [{ at: 10 * 60_000, fan: fan(10) }];
  assert.equal(begun(ahead, [{ at: 5 * 60_000, value: 7 }])[0].fan.high95, 7);
  assert.equal(begun(ahead, [{ at: -30 * 60_000, value: 7 }]).length, 1);
  assert.equal(begun(ahead, [{ at: 5 * 60_000, value: null }]).length, 1);
});

test("sessions that begin together are one mark", () => {
  const mark = (title, starts, ends) => ({ title, venue: "", gate: null, starts, ends });
  const found = ticks({ marks: [mark("A", "2026-07-26T18:00:00Z", "2026-07-26T19:00:00Z"), mark("B", "2026-07-26T18:00:00Z", "2026-07-26T19:30:00Z")] });
  assert.deepEqual(found.map(({ words, ends }) => [words, ends]), [["2 start", false], ["A", true], ["B", true]]);
});

test("a time of day is the next one by the venue's clocks, and a moment ago is now", () => {
  const now = Date.parse("2026-07-26T21:58:30Z"); // 23:58 there.
  assert.equal(minutesUntil("23:59", now, 120), 1);
  assert.equal(minutesUntil("00:10", now, 120), 12);
  assert.equal(minutesUntil("23:50", now, 120), 0);
  assert.equal(minutesUntil("9:00", now, 120), 542);
  assert.equal(minutesUntil("soon", now, 120), null);
});

test("waits and gates are said as people say them", () => {
  assert.deepEqual([3, 41, 89, 91, 600].map(waiting), ["no wait", "40 s", "90 s", "2 min", "10 min"]);
  assert.deepEqual([waitingRange(0, 5), waitingRange(3, 240), waitingRange(40, 170), waitingRange(190, 400)], ["no wait", "0–4 min", "40 s–3 min", "3–7 min"]);
  assert.deepEqual(["gate-b", "north", "gate-north-2", "b"].map(gateName), ["Gate B", "Gate North", "Gate North 2", "Gate B"]);
  assert.deepEqual([0, 0.25, 9.96, 1234].map(people), ["0", "0.3", "10", "1,234"]);
});

test("a gate that nobody sees is never well, whatever its last figures were", () => {
  const flow = { counting: "none", advice: [], limit_seconds: 600, queue: { wait_seconds: { value: 10 } } };
  assert.equal(standing(flow).tone, "bad");
  assert.equal(standing({ ...flow, counting: "whole" }).tone, "ok");
  assert.equal(standing({ ...flow, counting: "whole", queue: { wait_seconds: { value: 601 } } }).words, "over the limit");
  assert.equal(standing({ ...flow, counting: "partial" }).words, "counted in part");
  const young = standing({ ...flow, counting: "partial", counting_since: "2026-07-26T14:03:20.000+02:00" });
  assert.deepEqual([young.tone, young.words], ["calm", "counting since 14:03"]);
  assert.equal(standing({ ...flow, counting: "none", counting_since: "2026-07-26T14:03:20.000+02:00" }).tone, "bad");
});
