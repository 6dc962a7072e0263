// The big screen believes what its box says, and nothing that anybody else says at the same broker.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import test from "node:test";
import { chromium } from "playwright-core";
import { hall, venueBox } from "./signage.stage.mjs";
import { broker, browser, drawnFace, face, greeting, notice, open } from "./stage.mjs";

const GATE = "usher/v1/arena/gate/north";
const chrome = await browser();
test.after(() => chrome.close());

/** A box's key: its public half as the box tells it, and how it signs. */
function boxKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const hex = Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url").toString("hex");
  /** As `pipeline/src/publish/signature.rs` writes it. */
  const signed = (topic, event) => {
    const until = event.data?.expires_at;
    const said = JSON.stringify(until ? { ...event, expiresat: until } : event).slice(0, -1);
    return `${said},"signature":"${sign(null, Buffer.from(`${topic}\n${said}`), privateKey).toString("hex")}"}`;
  };
  return { hex, signed };
}

/** Every name and face that the page shows from now on, in their order. */
const watched = (page) =>
  page.evaluate(() => {
    globalThis.seen = [];
    const look = () => {
      for (const one of document.querySelectorAll(".name")) if (one.textContent && !globalThis.seen.includes(one.textContent)) globalThis.seen.push(one.textContent);
      if (document.querySelector(".face img") && globalThis.seen.at(-1) !== "a face") globalThis.seen.push("a face");
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
const shown = (page, name) => page.waitForFunction((name) => document.querySelector(".name")?.textContent === name, name);

test("what the box signed is shown; what is changed, stolen, said again or signed by nobody known is not", async (t) => {
  const [ours, theirs] = [boxKey(), boxKey()];
  const { page, mosquitto, complaints } = await hall(t, chrome, { says: { keys: [ours.hex] } });
  await page.waitForSelector('body[data-link="up"]');
  await watched(page);
  const topic = `${GATE}/greeting`;
  const south = topic.replace("north", "south");
  const says = ours.signed(topic, greeting({ name: "Ana", seconds: 3 }));
  for (const forged of [
    JSON.stringify(greeting({ name: "Nobody" })),
    theirs.signed(topic, greeting({ name: "Nobody" })),
    ours.signed(south, greeting({ name: "Nobody" })),
    says.replace("Ana", "Eva"),
    ours.signed(topic, greeting({ name: "Nobody", seconds: -1 })),
    `${says.slice(0, -12)}"}`,
  ]) {
    await mosquitto.publish(topic, forged);
  }
  await mosquitto.publish(`${GATE}/notice`, theirs.signed(`${GATE}/notice`, notice()));
  await mosquitto.publish(topic, says);
  await shown(page, "Ana");
  // A face by somebody else is not put beside it.
  await mosquitto.publish(`${GATE}/face`, theirs.signed(`${GATE}/face`, face(JSON.parse(says), await drawnFace(chrome))));
  await mosquitto.publish(topic, says);
  await page.waitForSelector('body[data-state="idle"]');
  await mosquitto.publish(topic, says);
  const next = ours.signed(topic, greeting({ name: "Minseo", seconds: 20 }));
  await mosquitto.publish(topic, next);
  await shown(page, "Minseo");
  const mine = JSON.parse(next);
  await mosquitto.publish(`${GATE}/face`, ours.signed(`${GATE}/face`, face(mine, await drawnFace(chrome))));
  await page.waitForFunction(() => (document.querySelector(".face img")?.naturalWidth ?? 0) > 0);
  assert.deepEqual(await page.evaluate(() => globalThis.seen), ["Ana", "Minseo", "a face"]);
  assert.deepEqual(complaints, []);
});

test("a key in the address counts instead of what the box says, and a wrong one believes nobody", async (t) => {
  const [ours, other] = [boxKey(), boxKey()];
  const topic = `${GATE}/greeting`;
  const pinned = await hall(t, chrome, { query: `?gate=north&key=${ours.hex}`, says: { keys: [other.hex] } });
  await pinned.page.waitForSelector('body[data-link="up"]');
  await pinned.mosquitto.publish(topic, other.signed(topic, greeting({ name: "Nobody" })));
  await pinned.mosquitto.publish(topic, ours.signed(topic, greeting({ name: "Ana" })));
  await shown(pinned.page, "Ana");
  const wrong = await hall(t, chrome, { query: "?gate=north&key=none", says: { keys: [ours.hex] } });
  await wrong.page.waitForSelector('body[data-link="up"]');
  await wrong.mosquitto.publish(topic, ours.signed(topic, greeting({ name: "Ana" })));
  await wrong.mosquitto.publish(topic, JSON.stringify(greeting({ name: "Ana" })));
  await new Promise((go) => setTimeout(go, 1_000));
  assert.equal(await wrong.page.getAttribute("body", "data-state"), "idle");
});

test("a screen that comes by http, where browsers have no WebCrypto, verifies all the same", async (t) => {
  const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--host-resolver-rules=MAP box.example 127.0.0.1"];
  const kiosk = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args });
  const mosquitto = await broker();
  const ours = boxKey();
  const box = await venueBox({ websocket: mosquitto.websocket, says: { keys: [ours.hex] } });
  t.after(async () => {
    await kiosk.close();
    await mosquitto.end();
    await box.stop();
  });
  const { page } = await open(kiosk, box.url("?gate=north").replace("127.0.0.1", "box.example"));
  assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof crypto.subtle]), [false, "undefined"]);
  await page.waitForSelector('body[data-link="up"]');
  const topic = `${GATE}/greeting`;
  await mosquitto.publish(topic, JSON.stringify(greeting({ name: "Nobody" })));
  await mosquitto.publish(topic, ours.signed(topic, greeting({ name: "Ana" })));
  await shown(page, "Ana");
});
