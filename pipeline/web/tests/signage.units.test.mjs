// What the big screen decides, without a browser: who is welcomed with whom, in which words, and what it believes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { build } from "esbuild";
import { greeting, session } from "./stage.mjs";
import { changes, stop } from "./signage.stage.mjs";

async function load(file) {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}
const { Queue } = await load("signage/queue.ts");
const { readGreeting } = await load("signage/greeting.ts");
const { readBox, readSite } = await load("signage/box.ts");
const { readChanges, brought, current } = await load("signage/changes.ts");
const { countdown } = await load("signage/countdown.ts");
const { SPOKEN, speaker } = await load("signage/words/speak.ts");
const { isNight } = await load("signage/night.ts");
const { apart, overlaps, placed } = await load("signage/welcome/labels.ts");

const at = (id, expires, party = null) => ({ id, visit: `v${id}`, name: id, sport: "", sessions: [], expires, party });
const ids = (all) => all.map((one) => one.id);

test("a box that names keys is believed by them, whatever they are; one that names none signs nothing", () => {
  const says = (keys) => readBox({ time: "t", version: "v", site: "s", ...keys }).keys;
  const key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  assert.equal(says({}), null);
  assert.equal(says({ keys: [] }), null);
  assert.deepEqual(says({ keys: [key, key.toUpperCase(), "zz", 7, key.slice(1)] }), [key]);
  // Nobody is believed rather than everybody.
  assert.deepEqual(says({ keys: ["zz"] }), []);
});

test("a party that waits is welcomed together, six at most, and strangers are not", () => {
  const queue = new Queue();
  queue.offer(at("a", 60_000, "p"), 0);
  queue.offer(at("x", 60_000), 0);
  for (const id of ["b", "c", "d", "e", "f", "g"]) queue.offer(at(id, 60_000, "p"), 0);
  assert.deepEqual(ids(queue.take(0)), ["a", "b", "c", "d", "e", "f"]);
  assert.deepEqual(ids(queue.take(0)), ["x"]);
  assert.deepEqual(ids(queue.take(0)), ["g"]);
});

test("a member joins their party on the screen, nobody else does, and has two seconds of their own", () => {
  const queue = new Queue();
  queue.offer(at("x", 60_000), 3_000);
  queue.offer(at("b", 60_000, "p"), 3_000);
  assert.deepEqual(ids(queue.join("p", 5, 3_000)), ["b"]);
  assert.deepEqual(queue.join(null, 5, 3_000), []);
  const shown = [{ greeting: at("a", 60_000, "p"), since: 0 }, { greeting: at("b", 60_000, "p"), since: 3_500 }];
  assert.equal(queue.until(shown, 3_500), 5_500);
});

test("a crowd is greeted in time: several at once only where one after the other would be too late", () => {
  const calm = new Queue();
  for (let i = 0; i < 3; i += 1) calm.offer(at(`c${i}`, 20_000), 0);
  assert.equal(calm.take(0).length, 1);
  // However many come, and however short their time: nobody's turn begins after it.
  for (const [people, life] of [[20, 8_000], [12, 6_000], [24, 9_000], [5, 4_500]]) {
    const queue = new Queue();
    let [now, shown, greeted, next] = [0, [], [], 0];
    for (; now < 60_000; now += 100) {
      if (next < people && now >= (next * 10_000) / people) {
        queue.offer(at(`p${next}`, now + life), now);
        next += 1;
      }
      if (shown.length > 0 && now < queue.until(shown, now)) continue;
      shown = queue.take(now).map((greeting) => ({ greeting, since: now }));
      for (const { greeting } of shown) {
        assert.ok(greeting.expires - now >= 1_000, `${greeting.id} of ${people} with ${life} ms has a second at least`);
        greeted.push(greeting.id);
      }
    }
    assert.equal(greeted.length, people, `${people} people with ${life} ms`);
    assert.equal(new Set(greeted).size, people);
  }
});

test("every language says every number, time, day and list, in its own forms", () => {
  const now = Date.parse("2026-07-14T18:00:00+09:00");
  const minutes = (n) => new Date(now + n * 60_000 + 9 * 3_600_000).toISOString().replace("Z", "+09:00");
  for (const language of SPOKEN) {
    const say = speaker(language);
    const told = [1, 2, 5, 42, 61, 60 * 13, 60 * 60, -5, -70].map((n) => countdown(minutes(n), minutes(n + 60), now, say));
    for (const { big, small } of told) assert.ok(big && small && !/undefined|NaN|#/.test(big + small), `${language}: ${big} ${small}`);
    assert.equal(new Set(told.map(({ big, small }) => big + small)).size, told.length, language);
    for (const n of [0, 1, 2, 3, 11, 100]) assert.doesNotMatch(say.plural(n, say.words.more), /#|undefined/);
    assert.match(say.names(["Ana", "Jun", "Harper"]), /Ana.*Jun.*Harper/);
  }
  const en = (n) => countdown(minutes(n), minutes(n + 60), now, speaker("en"));
  assert.deepEqual([42, 61, -5, -70].map((n) => en(n).big), ["42 min", "1:01 h", "now", "over"]);
  assert.deepEqual(en(60 * 13), { big: "07:00", small: "tomorrow" });
  assert.equal(speaker("ar").plural(2, speaker("ar").words.more), "محطتان أخريان");
  assert.equal(speaker("fr").plural(1, speaker("fr").words.more), "et 1 autre étape");
});

test("a tag's language is spoken, else the venue's, else English", () => {
  assert.deepEqual([["fr-CA", "ko"], ["ZH_hant", "ko"], ["tlh", "ko"], ["", "ko"], ["tlh", "xx"]].map((tags) => speaker(...tags).language), ["fr", "zh", "ko", "ko", "en"]);
  assert.equal(speaker("ar").direction, "rtl");
});

test("foreign words inside a sentence turn nothing around them", () => {
  assert.equal(speaker("ar").foreign("Short track"), "\u2068Short track\u2069");
  assert.equal(speaker("en").foreign("ليلى"), "\u2068ليلى\u2069");
  assert.equal(speaker("en").foreign("Ana"), "Ana");
});

test("older boxes say less, and are understood", () => {
  const old = { time: "2026-07-14T18:00:00Z", version: "a", site: "arena", gates: ["north"], websocket: "ws://h:1/mqtt", login: null };
  const box = readBox(old);
  assert.deepEqual([box.language, box.night, box.theme, box.playlist, box.picture_ms, box.pass_gates, box.alive], ["en", null, null, [], 10_000, [], null]);
  const read = readGreeting(JSON.stringify(greeting({ sessions: [session("Final", 40)] })), Date.now());
  assert.deepEqual([read.language, read.party, read.day, read.take, read.sessions[0].id, read.sessions[0].status], ["", null, null, null, "", "on_time"]);
});

test("what is broken in a day, a map or a box is left out, the rest stays", () => {
  const day = { stops: [null, { kind: "party", title: "x", starts: "2026-01-01T00:00:00Z" }, stop("session", "Final", 10, { walk_s: "far", at: [200, 1], why: [{ is: "rich" }, { is: "near" }, { is: "favourite", sport: 7 }] }), { kind: "meal", title: "Soup", starts: "soon" }], route: [[1, 2], ["a"], null, [1, 95]] };
  // A box writes it in capitals: the symbol is coarser so.
  const link = "HTTPS://BOX.EXAMPLE:8443/D#ABCDEFGHIJKLMNOP";
  assert.equal(readGreeting(JSON.stringify(greeting({ day, take: link })), Date.now()).take, link);
  const read = readGreeting(JSON.stringify(greeting({ day, take: "javascript:alert(1)", party: 7 })), Date.now());
  assert.deepEqual(read.day.stops.map((one) => [one.title, one.walk, one.at]), [["Final", 0, null]]);
  assert.deepEqual(read.day.stops[0].why, [{ is: "near", minutes: 1 }]);
  assert.deepEqual([read.day.route, read.take, read.party], [[[1, 2]], null, null]);
  assert.equal(readSite({ areas: [{ outline: [[1, 2]] }], paths: [[[1, 2]]], places: [{ at: "x" }] }), null);
  const box = readBox({ time: "t", version: "v", site: "s", theme: "https://evil.example/x.css", playlist: [{ url: "//evil.example/a.mp4", kind: "film" }, { url: "/venue/../x", kind: "film" }, { url: "/venue/playlist/a.mp4", kind: "film" }, { url: "/venue/b", kind: "game" }], night: { from: "25:00", to: "06:00" } });
  assert.deepEqual([box.theme, box.playlist, box.night], [null, [{ url: "/venue/playlist/a.mp4", kind: "film" }], null]);
});

test("a stack of marks on a letter is cut, what scripts need stays", () => {
  const read = readGreeting(JSON.stringify(greeting({ name: `Z${"\u0301".repeat(60)}oe ที่ เชิญ` })), Date.now());
  assert.equal(read.name, `Z${"\u0301".repeat(6)}oe ที่ เชิญ`);
});

test("a change reaches the sessions and stops it names, unless the greeting is newer", () => {
  const [one, two] = [{ ...session("Heats", 30), id: "h" }, { ...session("Final", 90), id: "f" }];
  const sent = greeting({ sessions: [one, two], day: { stops: [stop("arrive", "", 0), stop("session", "Heats", 30, { session: "h", place: "Main Stadium · Block C", walk_s: 300, at: [7, 50] }), stop("session", "Final", 90, { session: "f" })], route: [[7, 50], [7.01, 50]] } });
  const read = readGreeting(JSON.stringify(sent), Date.now());
  const change = { session: "h", sport: "Athletics", title: "Heats", venue: "Ice Arena", place: "", gate: "gate-d", starts: session("", 120).starts, ends: session("", 120).ends, status: "moved" };
  const told = readChanges(JSON.stringify(changes(change)));
  const after = brought(read, told);
  assert.deepEqual(after.sessions.map((each) => [each.id, each.status, each.venue]), [["f", "on_time", "Main Stadium"], ["h", "moved", "Ice Arena"]]);
  assert.deepEqual(after.day.stops.map((each) => [each.kind, each.session, each.status, each.gate, each.walk]), [["arrive", "", "on_time", "", 0], ["session", "f", "on_time", "", 0], ["session", "h", "moved", "gate-d", 0]]);
  assert.deepEqual(after.day.route, [], "the way that was planned leads nowhere now");
  assert.equal(brought(read, { ...told, said: read.said - 1_000 }), read);
  assert.deepEqual(current(told, Date.now()).map((each) => each.id), ["h"]);
  assert.deepEqual(current(told, Date.now() + 86_400_000), [], "what is over is no news");
});

test("night goes over midnight, and is never where none is set", () => {
  const over = { from: "21:00", to: "06:00" };
  assert.deepEqual([20 * 60, 21 * 60, 0, 359, 360].map((minute) => isNight(over, minute)), [false, true, true, true, false]);
  assert.deepEqual([59, 60, 120].map((minute) => isNight({ from: "01:00", to: "02:00" }, minute)), [false, true, false]);
  assert.equal(isNight(null, 0), false);
});

test("words on a map never lie on one another, on a stop or outside, whatever the map", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const bounds = { x: 0, y: 0, w: 400, h: 300 };
  for (let round = 0; round < 500; round += 1) {
    const discs = apart(Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({ x: random() * 500 - 50, y: round % 3 === 0 ? 100 : random() * 400 - 50 })), 14, bounds);
    for (const [i, a] of discs.entries()) {
      assert.ok(a.x >= 14 && a.x <= 386 && a.y >= 14 && a.y <= 286);
      for (const b of discs.slice(i + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 26, `round ${round}: discs apart`);
    }
    const taken = discs.map(({ x, y }) => ({ x: x - 14, y: y - 14, w: 28, h: 28 }));
    const boxes = placed(discs.map(({ x, y }) => ({ x, y, r: 14, w: 30 + random() * 120, h: 20 })), bounds, taken, []).filter(Boolean);
    for (const [i, box] of boxes.entries()) {
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.w <= 400 && box.y + box.h <= 300);
      for (const other of [...taken, ...boxes.slice(i + 1)]) assert.ok(!overlaps(box, other), `round ${round}`);
    }
  }
});

test("the variables of a theme are those that the documentation names", () => {
  const css = ["shared/base.css", "signage/signage.css", "signage/modes.css"].map((file) => readFileSync(file, "utf8")).join("");
  const defined = new Set([...css.matchAll(/(--[a-z0-9-]+):/g)].map((found) => found[1]));
  const table = readFileSync("../../docs/signage.md", "utf8").split("| variable | for |")[1].split("\n\n")[0];
  const named = [...table.matchAll(/`(--[a-z0-9-]+)`/g)].map((found) => found[1]);
  assert.ok(named.length > 20);
  for (const name of named) assert.ok(defined.has(name), `${name} is documented and is not there`);
  const root = /:root \{([^}]*)\}/.exec(readFileSync("signage/signage.css", "utf8"))[1];
  for (const [, name] of root.matchAll(/^ {2}(--[a-z0-9-]+):/gm)) assert.ok(named.includes(name), `${name} is there and is not documented`);
});
