// A box of the signage's own: it serves the built page with the box's policy, and answers as the test wishes.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { broker, open } from "./stage.mjs";

const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", woff2: "font/woff2", txt: "text/plain", webm: "video/webm", mp4: "video/mp4", png: "image/png", jpg: "image/jpeg" };
const PAGES = { "/signage": "signage.html", "/signage-worker.js": "signage-worker.js" };

/** As `pipeline/src/web/guard.rs` writes it, with what a worker and films need. */
function policy(websocket) {
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; media-src 'self'; worker-src 'self'; connect-src 'self' ${websocket ?? ""}; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types usher-worker"
  );
}

/**
 * A box: `says` is what `/api/signage` answers beside the time, `map` what `/api/map` does, `venue` the files under
 * `/venue/`, by path. All may be changed while it runs; `build` changes its pages.
 */
export async function venueBox({ websocket = null, says = {}, map = null, venue = {}, build = (_name, body) => body } = {}) {
  const state = { says: { version: "1", site: "arena", gates: ["north", "south"], websocket: websocket && `ws://127.0.0.1:${websocket}/mqtt`, login: null, ...says }, map, venue, build, asked: [], port: 0, older: false };
  let server = null;

  const answer = (request, response) => {
    const { pathname } = new URL(request.url, "http://box");
    state.asked.push(pathname);
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { "content-type": type, "content-length": body.length, "cache-control": "no-cache", "x-content-type-options": "nosniff", "content-security-policy": policy(state.says.websocket && new URL(state.says.websocket).origin), ...headers });
      response.end(request.method === "HEAD" ? "" : body);
    };
    const json = (value) => send(200, "application/json", Buffer.from(JSON.stringify(value)), { "cache-control": "no-store" });
    const file = (name, body) => {
      const [type, tag] = [TYPES[name.split(".").at(-1)] ?? "application/octet-stream", `"${body.length}-${name}"`];
      if (request.headers["if-none-match"] === tag) return send(304, type, Buffer.alloc(0), { etag: tag });
      const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
      if (!range) return send(200, type, body, { etag: tag, "accept-ranges": "bytes" });
      const [from, to] = [Number(range[1]), range[2] ? Number(range[2]) : body.length - 1];
      send(206, type, body.subarray(from, to + 1), { etag: tag, "content-range": `bytes ${from}-${to}/${body.length}` });
    };
    if (pathname === "/api/signage") return json({ time: new Date().toISOString().replace("Z", "+00:00"), ...state.says });
    if (pathname === "/api/map" && state.map) return json(state.map);
    if (state.venue[pathname]) return file(pathname, state.venue[pathname]);
    const name = PAGES[pathname] ?? (pathname.startsWith("/assets/") ? pathname.slice("/assets/".length) : null);
    if (name === null || (state.older && name === "signage-worker.js")) return send(404, "text/plain", Buffer.from("not here"));
    try {
      file(name, Buffer.from(state.build(name, readFileSync(`dist/${name}`))));
    } catch {
      send(404, "text/plain", Buffer.from("not here"));
    }
  };

  /** Answers again, on the same port. */
  state.start = async () => {
    server = createServer(answer).listen(state.port, "127.0.0.1");
    await once(server, "listening");
    state.port = server.address().port;
  };
  /** Is gone, with every connection. */
  state.stop = async () => {
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    server = null;
  };
  await state.start();
  state.url = (query = "") => `http://127.0.0.1:${state.port}/signage${query}`;
  return state;
}

/** A box of this kind, a broker, and the page that has found both. */
export async function hall(t, chrome, { viewport, query = "?gate=north", ...settings } = {}) {
  const mosquitto = await broker();
  const box = await venueBox({ websocket: mosquitto.websocket, ...settings });
  const { page, complaints } = await open(chrome, box.url(query), viewport);
  t.after(async () => {
    await page.context().close();
    await box.stop();
    await mosquitto.end();
  });
  await page.waitForSelector('body[data-link="up"]');
  return { box, mosquitto, page, complaints };
}

export const TOPIC = "usher/v1/arena/gate/north/greeting";
export const FACE = "usher/v1/arena/gate/north/face";
export const NOTICE = "usher/v1/arena/gate/north/notice";
export const PROGRAMME = "usher/v1/arena/programme";

/** Times as the venue writes them, so many minutes from now. */
export const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString().replace("Z", "+00:00");

/** A stop of a day. */
export function stop(kind, title, minutes, rest = {}) {
  return { kind, title, place: "", starts: at(minutes), ends: at(minutes + 40), walk_s: 0, walk_m: 0, gate: null, wait_s: 0, session: null, status: null, at: null, why: [], ...rest };
}

/** A change of the programme as the box publishes it. */
export function changes(...all) {
  return { specversion: "1.0", id: `30000000-${Math.random()}`, source: "/usher/arena/box/gate-n1", type: "usher.programme.v1", time: new Date().toISOString(), datacontenttype: "application/json", subject: "arena", data: { changes: all } };
}

/** Every text and box of the page that leaves the screen, its frame, or lies on another of its kind. */
export function faultsOfLayout(page) {
  return page.evaluate(() => {
    const found = [];
    const seen = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility !== "hidden" && !one.closest("[hidden]");
    const called = (one) => `${one.tagName.toLowerCase()}.${one.getAttribute("class") ?? ""} "${(one.textContent ?? "").slice(0, 24)}"`;
    const box = (one) => one.getBoundingClientRect();
    const out = (a, b) => a.left < b.left - 1.5 || a.top < b.top - 1.5 || a.right > b.right + 1.5 || a.bottom > b.bottom + 1.5;
    const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const KINDS = ".name, .hello, .sport, .portrait, .next, .what, .where, .whose, .count, .count b, .count span, .badge, .later li, .stop, .stop time, .dotted, .title, .note, .more, .map, .take, .qr, .take p, h2, .word, .hint, .fine, .changes li, .wish, header > *, .person";
    const all = [...document.querySelectorAll(KINDS)].filter(seen);
    for (const one of all) if (out(box(one), screen)) found.push(`leaves the screen: ${called(one)}`);
    // What clips may cut a text that says so by its ellipsis, never a line through its middle.
    for (const frame of [...document.querySelectorAll(".next, .take, .map, .program, .plan, .line, .side, .changes li, .board, .who, .person")].filter(seen)) {
      for (const one of all) if (frame !== one && frame.contains(one) && out(box(one), box(frame))) found.push(`${called(one)} leaves ${called(frame)}`);
    }
    for (const one of [...document.querySelectorAll("header > *, .who > *, .person > *, .next > *, .about > *, .stop > *, .take > *, .later li > *, .program > *, .plan > *, .side > *, .changes li > *, .people > *, .attract > *")].filter(seen)) {
      for (const other of one.parentElement.children) {
        if (one === other || !seen(other) || one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_PRECEDING) continue;
        const [a, b] = [box(one), box(other)];
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2) found.push(`${called(one)} lies on ${called(other)}`);
      }
    }
    const apart = [["header > *", ".who, .program, .attract > *, .board > *"], [".who", ".program"]];
    for (const [these, those] of apart) {
      for (const a of [...document.querySelectorAll(these)].filter(seen)) {
        for (const b of [...document.querySelectorAll(those)].filter(seen)) {
          if (Math.min(box(a).right, box(b).right) - Math.max(box(a).left, box(b).left) > 2 && Math.min(box(a).bottom, box(b).bottom) - Math.max(box(a).top, box(b).top) > 2) found.push(`${called(a)} lies on ${called(b)}`);
        }
      }
    }
    // Words on the map: inside it, and never on one another or on a stop.
    const map = document.querySelector(".map");
    const marks = map ? [...map.querySelectorAll("text.label, .disc circle, .here")] : [];
    marks.forEach((one, i) => {
      if (out(box(one), box(map))) found.push(`leaves the map: ${called(one)}`);
      for (const other of marks.slice(i + 1)) {
        const [a, b] = [box(one), box(other)];
        const round = one.tagName === "circle" && other.tagName === "circle";
        const near = round ? (a.width + b.width) / 2 - Math.hypot(a.x + a.width / 2 - b.x - b.width / 2, a.y + a.height / 2 - b.y - b.height / 2) > 1.5 : Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
        if (near) found.push(`on the map ${called(one)} lies on ${called(other)}`);
      }
    });
    return [...new Set(found)];
  });
}

/** Everything has arrived where it is to stay; what turns for ever turns on. */
export const still = (page) =>
  page.waitForFunction(() => document.getAnimations().every((one) => one.playState === "finished" || one.effect.getComputedTiming().iterations === Infinity || one.effect.target.id === "life"));
