// The server without a browser: what it gives to whom.
import assert from "node:assert/strict";
import { request } from "node:http";
import test from "node:test";
import { box, until } from "./stage.mjs";

const TOKEN = process.env.USHER_TOKEN;

/** Asks with any header, `Host` included, which fetch does not allow. */
function ask(port, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((done, fail) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    asked.on("error", fail);
    asked.end(body);
  });
}

const signIn = (port, token, headers = {}) =>
  ask(port, "/api/sign-in", { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ token }) });

test("the server gives to each what is theirs", async (t) => {
  const usher = await box();
  t.after(() => usher.leave());
  const { port } = await usher.say({ do: "start" });

  await t.test("pages come with a policy that allows nothing else", async () => {
    for (const path of ["/", "/signage", "/operator", "/flow"]) {
      const { status, headers } = await ask(port, path);
      assert.equal(status, 200);
      assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/);
      assert.doesNotMatch(headers["content-security-policy"], /unsafe|\*/);
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["referrer-policy"], "no-referrer");
    }
  });

  await t.test("a name that was made to point here gets nothing", async () => {
    for (const path of ["/", "/api/state", "/api/signage", "/cameras/north-1.jpg", "/metrics"]) {
      const { status, body } = await ask(port, path, { headers: { host: "evil.example" } });
      assert.equal(status, 421, path);
      assert.match(body, /open them as http:\/\/localhost/);
    }
    assert.equal((await ask(port, "/api/state", { headers: { host: "localhost" } })).status, 200);
  });

  await t.test("not ready until the stages say so; degraded is ready", async () => {
    const before = await ask(port, "/readyz");
    assert.equal(before.status, 503);
    await usher.say({ do: "ready" });
    await usher.say({ do: "broker", up: false });
    const after = await ask(port, "/readyz");
    assert.equal(after.status, 200);
    assert.match(after.body, /broker: connection refused/);
    assert.match(after.body, /camera north-1: no frame yet/);
    assert.equal((await ask(port, "/healthz")).status, 200);
  });

  await t.test("metrics are text", async () => {
    const { headers, body } = await ask(port, "/metrics");
    assert.match(headers["content-type"], /^text\/plain/);
    assert.match(body, /usher_enrolled 612/);
  });

  await t.test("names are for who has signed in, and for nobody afterwards", async () => {
    await usher.say({ do: "outcome", camera: "north-1", track: 1, deed: "welcomed", best: 0.71 });
    await usher.say({ do: "outcome", camera: "north-1", track: 2, deed: "counted", best: 0.2 });
    const state = async (cookie) => JSON.parse((await ask(port, "/api/state", { headers: cookie ? { cookie } : {} })).body);
    await until("both were decided", async () => (await state()).decisions.length === 2);
    assert.ok((await state()).decisions.every((decision) => !("name" in decision)));
    assert.ok((await state("usher_session=guess")).decisions.every((decision) => !("name" in decision)));

    const opened = await signIn(port, TOKEN);
    assert.equal(opened.status, 204);
    const [set] = opened.headers["set-cookie"];
    assert.match(set, /HttpOnly; SameSite=Strict/);
    const cookie = set.split(";")[0];
    const [counted, welcomed] = (await state(cookie)).decisions;
    assert.equal(welcomed.name, process.env.USHER_NAMED);
    assert.ok(!("name" in counted), "who did not enrol has no name");

    await ask(port, "/api/sign-out", { method: "POST", headers: { cookie } });
    assert.ok((await state(cookie)).decisions.every((decision) => !("name" in decision)));
  });

  await t.test("another page cannot sign in for somebody", async () => {
    assert.equal((await signIn(port, TOKEN, { origin: "http://evil.example" })).status, 403);
    const plain = await ask(port, "/api/sign-in", { method: "POST", headers: { "content-type": "text/plain" }, body: JSON.stringify({ token: TOKEN }) });
    assert.equal(plain.status, 415);
  });

  await t.test("guessing the token is refused, then slowed", async () => {
    const seen = [];
    for (let i = 0; i < 6; i += 1) seen.push(await signIn(port, "guess"));
    assert.match(seen[0].body, /printed when usher started/);
    assert.deepEqual(seen.map((answer) => answer.status), [401, 401, 401, 401, 401, 429]);
    assert.match(seen[5].body, /try again in 10 s/);
  });

  await t.test("a camera that is not there is said to be not there", async () => {
    assert.equal((await ask(port, "/cameras/nowhere.mjpeg")).status, 404);
    assert.equal((await ask(port, "/cameras/..%2f..%2fetc.jpg")).status, 404);
    assert.equal((await ask(port, "/assets/..%2f..%2fCargo.toml")).status, 404);
  });

  await t.test("a picture is a JPEG with boxes, made only when asked for", async () => {
    await usher.say({ do: "camera", name: "north-1", state: "live" });
    const { status, headers } = await ask(port, "/cameras/north-1.jpg");
    assert.equal(status, 200);
    assert.equal(headers["content-type"], "image/jpeg");
    assert.equal((await ask(port, "/cameras/south-1.jpg")).status, 503, "no frame, no picture");
  });
});

test("beyond loopback pictures are for who has signed in", async (t) => {
  const usher = await box();
  t.after(() => usher.leave());
  const { port } = await usher.say({ do: "start", listen: "0.0.0.0:0" });
  await usher.say({ do: "camera", name: "north-1", state: "live" });
  assert.equal((await ask(port, "/cameras/north-1.jpg")).status, 401);
  const cookie = (await signIn(port, TOKEN)).headers["set-cookie"][0].split(";")[0];
  assert.equal((await ask(port, "/cameras/north-1.jpg", { headers: { cookie } })).status, 200);
});
