// What the signage page decides, without a browser: whom it believes, who is next, and for how long.
import assert from "node:assert/strict";
import test from "node:test";
import { build } from "esbuild";
import { face, greeting, session } from "./stage.mjs";

async function load(file) {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}
const { readGreeting, readFace } = await load("signage/greeting.ts");
const { Queue } = await load("signage/queue.ts");
const at = (id, expires, visit = `v${id}`) => ({ id, visit, name: "N", sport: "", sessions: [], expires, party: null });
const until = (queue, greeting, since, now) => queue.until([{ greeting, since }], now);

test("a greeting is read as the box writes it", () => {
  const sent = greeting({ name: "Minseo", sport: "Athletics", sessions: [session("Final", 40)] });
  const read = readGreeting(JSON.stringify(sent), Date.now());
  assert.equal(read.name, "Minseo");
  assert.equal(read.visit, sent.data.visit);
  assert.equal(read.sessions[0].title, "Final");
});

test("what is not a greeting, or is over, is not shown", () => {
  const now = Date.now();
  const bad = [
    "", "null", "[]", "{", "{}", JSON.stringify({ type: "usher.greeting.v1", data: null }),
    JSON.stringify({ ...greeting(), type: "usher.visit.v1" }),
    JSON.stringify(greeting({ name: "" })),
    JSON.stringify(greeting({ name: 7 })),
    JSON.stringify(greeting({ expires_at: "tomorrow" })),
    JSON.stringify(greeting({ seconds: -1 })),
  ];
  for (const payload of bad) assert.equal(readGreeting(payload, now), null, payload);
});

test("no greeting stays for ever, whatever it claims", () => {
  const now = Date.now();
  const read = readGreeting(JSON.stringify(greeting({ expires_at: "2999-01-01T00:00:00Z" })), now);
  assert.ok(read.expires <= now + 120_000);
});

test("characters that turn what follows are left out of a name", () => {
  const read = readGreeting(JSON.stringify(greeting({ name: "\u202eevil\u2066 \u0007name\u200f" })), Date.now());
  assert.equal(read.name, "evil name");
});

test("broken sessions are left out, good ones stay", () => {
  const sessions = [null, 7, { title: "no times" }, { ...session("bad", 5), starts: "soon" }, session("good", 5)];
  const read = readGreeting(JSON.stringify(greeting({ sessions: sessions.slice(2) })), Date.now());
  assert.deepEqual(read.sessions.map((one) => one.title), ["good"]);
});

test("a face is a JPEG of its visit or nothing", () => {
  const of = greeting();
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0]);
  assert.equal(readFace(JSON.stringify(face(of, jpeg)), Date.now()).visit, of.data.visit);
  assert.equal(readFace(JSON.stringify(face(of, Buffer.from("<svg onload=alert(1)>"))), Date.now()), null);
  assert.equal(readFace(JSON.stringify({ ...face(of, jpeg), data_base64: "*" }), Date.now()), null);
  assert.equal(readFace(JSON.stringify({ ...face(of, jpeg), expiresat: "2000-01-01T00:00:00Z" }), Date.now()), null);
});

test("a duplicate is shown once, by event and by visit", () => {
  const queue = new Queue();
  assert.equal(queue.offer(at("a", 1_000), 0), true);
  assert.equal(queue.offer(at("a", 1_000), 0), false);
  assert.equal(queue.offer(at("b", 1_000, "va"), 0), false);
  queue.take(0);
  assert.equal(queue.offer(at("a", 1_000), 0), false);
});

test("who waits too long is dropped, unseen", () => {
  const queue = new Queue();
  queue.offer(at("a", 100), 0);
  queue.offer(at("b", 5_000), 0);
  assert.deepEqual(queue.take(200).map((one) => one.id), ["b"]);
  assert.deepEqual(queue.take(200), []);
});

test("alone one stays to the end, in company four seconds, in a crowd a fair share and never under two", () => {
  const queue = new Queue();
  assert.equal(until(queue, at("a", 20_000), 0, 0), 20_000);
  queue.offer(at("b", 20_000), 0);
  assert.equal(until(queue, at("a", 20_000), 0, 0), 4_000);
  const three = new Queue();
  three.offer(at("b", 9_000), 0);
  three.offer(at("c", 9_000), 0);
  assert.equal(until(three, at("a", 9_000), 0, 0), 3_000);
  const crowd = new Queue();
  for (let i = 0; i < 20; i += 1) crowd.offer(at(`x${i}`, 8_000), 0);
  assert.equal(until(crowd, at("a", 8_000), 0, 0), 2_000);
});

test("memory is bounded however many come", () => {
  const queue = new Queue();
  for (let i = 0; i < 5_000; i += 1) queue.offer(at(`x${i}`, 1e9), 0);
  assert.equal(queue.size(0), 48);
});
