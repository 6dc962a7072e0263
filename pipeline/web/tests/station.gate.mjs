// The enrolment API as programs see it: what it gives, what it refuses, and how soon the gate knows and forgets.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const { USHER_URL: url, USHER_TOKEN: token, USHER_PAGES: pages, USHER_PICTURE: picture } = process.env;
const base64 = readFileSync(picture).toString("base64");

/** A client with cookies, as a browser keeps them. */
function client() {
  let cookie = "";
  return async (path, body, { method = body === undefined ? "GET" : "POST", headers = {} } = {}) => {
    const sent = typeof body === "string" || body instanceof Uint8Array ? body : body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(url + path, { method, body: sent, headers: { cookie, ...headers } });
    const set = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
    if (set.length) cookie = [cookie, ...set].filter(Boolean).join("; ");
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, body: answer.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : null };
  };
}

const enrolled = async () => Number(/^usher_enrolled (\S+)/m.exec(await (await fetch(`${pages}/metrics`)).text())?.[1] ?? 0);

async function until(what, is, from) {
  for (let tries = 0; tries < 3000; tries += 1) {
    if (await is()) return performance.now() - from;
    await new Promise((later) => setTimeout(later, 10));
  }
  throw new Error(`not within half a minute: ${what}`);
}

const wish = (form, change = {}) => ({
  views: [base64], source: "camera", name: "Ada", sports: [form.sports[0] ?? "Judo"], language: "en", food: ["vegan"], arrival: "18:30", step_free: true, custody: "box",
  consent: { notice: form.notice.texts.en.sha256, language: "en", agreed: true, minor: false, guardian: null }, ...change,
});

test("a closed station gives nothing, and says what opens it", async () => {
  const ask = client();
  const form = await ask("/api/enrol");
  assert.equal(form.body.open, false);
  assert.deepEqual((await ask("/api/enrol", wish(form.body))).body.code, "closed");
  for (const [path, body] of [["/api/enrol/look", "x"], ["/api/enrol", wish(form.body)], ["/api/staff/forget", { id: crypto.randomUUID() }]]) {
    assert.equal((await ask(path, body)).status, 401, path);
  }
  assert.equal((await ask("/api/staff/visitors")).status, 401);
  assert.equal((await ask("/api/enrol/open", { token: "guess" })).status, 401);
  const opened = await ask("/api/enrol/open", { token });
  assert.equal(opened.status, 204);
  const cookie = opened.headers.getSetCookie()[0];
  assert.match(cookie, /^__Host-usher_station=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  assert.equal((await ask("/api/enrol")).body.open, true);
  assert.equal((await ask("/api/staff/visitors")).status, 401, "a tablet is not staff");
});

test("answers keep browsers to the page, and other pages out", async () => {
  const ask = client();
  for (const path of ["/enrol", "/pass", "/P", "/D", "/api/enrol"]) {
    const { status, headers } = await ask(path);
    assert.equal(status, 200, path);
    assert.match(headers.get("content-security-policy"), /^default-src 'none'; script-src 'self'/);
    const own = ["/pass", "/P", "/D"].includes(path);
    assert.equal(headers.get("permissions-policy"), own ? "camera=(), microphone=(), geolocation=(self)" : "camera=(self), microphone=(), geolocation=()");
    assert.equal(headers.get("x-frame-options"), "DENY");
  }
  assert.equal((await ask("/api/pass", { secret: "A".repeat(26) }, { headers: { origin: "https://evil.example" } })).status, 403);
});

test("what does not fit is refused by a word and a sentence, and changes nothing", async () => {
  const ask = client();
  await ask("/api/enrol/open", { token });
  const form = (await ask("/api/enrol")).body;
  const before = await enrolled();
  const consent = wish(form).consent;
  for (const [change, code, status = 422] of [
    [{ name: "" }, "name_empty"],
    [{ name: "x".repeat(41) }, "name_long"],
    [{ name: "A\u202Eda" }, "name_character"],
    [{ sports: ["Quidditch"] }, "sport_unknown"],
    [{ sports: [] }, "sport_unknown"],
    [{ language: "tlh" }, "other"],
    [{ food: ["people"] }, "other"],
    [{ arrival: "25:99" }, "other"],
    [{ consent: { ...consent, agreed: false } }, "other"],
    [{ consent: { ...consent, notice: "0".repeat(64) } }, "notice_changed"],
    [{ consent: { ...consent, notice: form.notice.pass_texts.en.sha256 } }, "notice_changed"],
    [{ consent: { ...consent, minor: true } }, "guardian_missing"],
    [{ views: [base64, base64, base64, base64] }, "other"],
    [{ views: ["!!!"] }, "picture"],
    [{ views: [Buffer.from("not a picture").toString("base64")] }, "picture"],
    [{ views: [base64.slice(0, 4000)] }, "picture"],
    [{ source: "upload" }, "staff", 403],
    [{ surprise: 1 }, "body", 400],
  ]) {
    const answer = await ask("/api/enrol", wish(form, change));
    assert.deepEqual([answer.status, answer.body?.code], [status, code], JSON.stringify(change).slice(0, 80));
    assert.ok(answer.body.message.length > 5);
  }
  const large = await ask("/api/enrol", wish(form, { views: ["A".repeat(7 << 20)] }));
  assert.equal(large.status, 413);
  assert.equal((await ask("/api/enrol/look", new Uint8Array(600 << 10))).status, 413);
  assert.equal((await ask("/api/enrol/look", "GIF89a...........")).status, 422);
  assert.equal(await enrolled(), before);
});

test("a selfie is known at the gate, told to nobody, and forgotten by its pass", async () => {
  const ask = client();
  await ask("/api/enrol/open", { token });
  const form = (await ask("/api/enrol")).body;
  const looked = await ask("/api/enrol/look", readFileSync(picture));
  assert.equal(looked.status, 200, looked.text);
  assert.deepEqual(Object.keys(looked.body).sort(), ["face", "faces", "good", "hint", "quality", "yaw"]);
  const before = await enrolled();
  let from = performance.now();
  const made = await ask("/api/enrol", wish(form));
  assert.equal(made.status, 201, made.text);
  const known = await until("known", async () => (await enrolled()) === before + 1, from);
  const { pass, receipt } = made.body;
  assert.match(pass.link, /^HTTPS:\/\/[^/]+\/P#[A-Z2-7]{26}$/);
  assert.ok(pass.link.endsWith(pass.code));
  assert.match(pass.svg, /^<svg [^>]*viewBox="0 0 37 37"/);
  assert.equal(receipt.receipt.record_metadata.schema_version, "ISO/IEC TS 27560:2023");
  assert.equal(receipt.receipt.pii_processing.privacy_notice.sha256, form.notice.texts.en.sha256);
  assert.equal(receipt.signed.algorithm, "Ed25519");

  const kept = await ask("/api/pass", { secret: pass.code });
  assert.deepEqual([kept.body.name, kept.body.face, kept.body.custody, kept.body.language], ["Ada", true, "box", "en"]);
  assert.deepEqual(kept.body.receipt, receipt, "the receipt can be had again");
  assert.equal((await ask("/api/pass", { secret: "A".repeat(26) })).status, 404);
  for (const answer of [made, kept, looked]) {
    assert.ok(!/template|score|\[-?0\.\d+,/.test(JSON.stringify(answer.body).replace(/biometric template of the face/g, "")), "no answer holds a template or a score");
  }

  from = performance.now();
  const gone = await ask("/api/pass/forget", { secret: pass.code });
  assert.equal(gone.status, 200, gone.text);
  assert.equal(gone.body.receipt.receipt.event.event_state, "consent withdrawn, data erased");
  const forgotten = await until("forgotten", async () => (await enrolled()) === before, from);
  assert.equal((await ask("/api/pass", { secret: pass.code })).status, 404);
  assert.equal((await ask("/api/pass/forget", { secret: pass.code })).status, 404);
  console.log(JSON.stringify({ agree_to_recognisable_ms: Math.round(known), forget_to_unrecognisable_ms: Math.round(forgotten) }));
});

test("somebody like another is enrolled, told to staff, and never to the visitor", async () => {
  const [ask, staff] = [client(), client()];
  await ask("/api/enrol/open", { token });
  await staff("/api/enrol/open", { token, staff: true });
  const form = (await ask("/api/enrol")).body;
  const answers = [];
  for (const name of ["Ada", "Mallory"]) answers.push(await ask("/api/enrol", wish(form, { name })));
  assert.deepEqual(answers.map((answer) => answer.status), [201, 201]);
  assert.deepEqual(Object.keys(answers[0].body), Object.keys(answers[1].body), "the visitor is told the same");
  const [first, second] = answers.map((answer) => answer.body.receipt.receipt.record_metadata.pii_principal_id);
  const listed = (await staff("/api/staff/visitors")).body;
  assert.deepEqual(listed.find(({ id }) => id === second).like, [first]);
  assert.deepEqual(listed.find(({ id }) => id === first).like, []);
  for (const id of [first, second]) {
    const gone = await staff("/api/staff/forget", { id });
    assert.equal(gone.body.receipt.receipt.record_metadata.pii_principal_id, id);
  }
  assert.equal((await staff("/api/staff/forget", { id: first })).status, 404);
});

test("staff may give a picture, and a pass needs no face", async () => {
  const [staff, ask] = [client(), client()];
  await staff("/api/enrol/open", { token, staff: true });
  await ask("/api/enrol/open", { token });
  const form = (await staff("/api/enrol")).body;
  assert.equal(form.staff, true);
  const uploaded = await staff("/api/enrol", wish(form, { source: "upload", custody: "visitor" }));
  assert.equal(uploaded.status, 201, uploaded.text);
  const plain = await ask("/api/enrol", wish(form, { views: [], custody: "visitor", consent: { ...wish(form).consent, notice: form.notice.pass_texts.en.sha256 } }));
  assert.deepEqual([plain.status, plain.body.face], [201, false], plain.text);
  for (const made of [uploaded, plain]) assert.equal((await ask("/api/pass/forget", { secret: made.body.pass.code })).status, 200);
});

test("who asks too often waits", async () => {
  const ask = client();
  const statuses = new Set();
  for (let i = 0; i < 60 && !statuses.has(429); i += 1) statuses.add((await ask("/api/pass", { secret: "A".repeat(26) })).status);
  assert.ok(statuses.has(429));
});
