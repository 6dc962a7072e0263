// The page's keeper: answers for the box while it is away. Nothing about a person passes through here.
//
// The page and its assets are kept whole, one cache a build: a page never runs with another build's script. Of the venue's
// folders it keeps the theme and what the playlist names, within a bound. Addresses under `/api` are never touched.

/** The part of the worker's world that is used here; the page's own types have no such thing. */
interface Extendable extends Event {
  waitUntil(done: Promise<unknown>): void;
}
interface Asked extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Told extends Extendable {
  readonly data: unknown;
}
interface Scope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
  addEventListener(type: "install" | "activate", hear: (event: Extendable) => void): void;
  addEventListener(type: "fetch", hear: (event: Asked) => void): void;
  addEventListener(type: "message", hear: (event: Told) => void): void;
}
declare const BUILD: string;
declare const FILES: readonly string[];

const scope = globalThis as unknown as Scope;
const PAGE = "/signage";
const OURS = `usher-signage-${BUILD}`;
const VENUE = "usher-venue";
/** Bounds of what is kept of the venue's folders, in bytes; all of it lies in a kiosk's memory. */
const MOST = 256 * 1024 * 1024;
const MOST_ONE = 128 * 1024 * 1024;
/** How long the box may take to give a style before the kept one is used. */
const PATIENCE_MS = 3_000;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(OURS).then((cache) => cache.addAll([PAGE, ...FILES].map((file) => new Request(file, { cache: "no-cache" })))),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("usher-signage-") && name !== OURS) await caches.delete(name);
      }
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener("message", (event) => {
  const told = event.data as { do?: unknown; urls?: unknown } | null;
  if (told?.do === "take over") event.waitUntil(scope.skipWaiting());
  if (told?.do === "keep" && Array.isArray(told.urls)) {
    const urls = told.urls.filter((url): url is string => typeof url === "string" && url.startsWith("/venue/"));
    event.waitUntil(keep(urls));
  }
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(ours(PAGE, request));
  else if (FILES.includes(url.pathname)) event.respondWith(ours(url.pathname, request));
  else if (url.pathname.startsWith("/venue/theme/")) event.respondWith(theme(url.pathname, request));
  else if (url.pathname.startsWith("/venue/")) event.respondWith(played(url.pathname, request));
});

/** A file of this build: as kept, from the box only where that was lost. */
async function ours(path: string, request: Request): Promise<Response> {
  const kept = await (await caches.open(OURS)).match(path);
  return kept ?? fetch(request);
}

/** The venue's style: as the box has it now, as kept where it does not answer. */
async function theme(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(VENUE);
  try {
    const answer = await fetch(request, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 200) await put(cache, path, answer.clone());
    return answer;
  } catch (away) {
    const kept = await cache.match(path);
    if (kept) return kept;
    throw away;
  }
}

/** A film or picture: as kept, in the part that was asked for; else from the box. */
async function played(path: string, request: Request): Promise<Response> {
  const kept = await (await caches.open(VENUE)).match(path);
  if (!kept) return fetch(request);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (!range) return kept;
  const whole = await kept.blob();
  const from = Number(range[1]);
  const to = Math.min(range[2] ? Number(range[2]) : whole.size - 1, whole.size - 1);
  const type = kept.headers.get("content-type") ?? "application/octet-stream";
  if (from > to) return new Response(null, { status: 416, headers: { "content-range": `bytes */${whole.size}` } });
  return new Response(whole.slice(from, to + 1, type), {
    status: 206,
    headers: { "content-type": type, "content-length": String(to - from + 1), "content-range": `bytes ${from}-${to}/${whole.size}`, "accept-ranges": "bytes" },
  });
}

let keeping: Promise<void> = Promise.resolve();

/** Brings what is kept of the playlist in line with it, one file after the other. */
function keep(urls: readonly string[]): Promise<void> {
  keeping = keeping.then(() => bring(urls)).catch(() => undefined);
  return keeping;
}

async function bring(urls: readonly string[]): Promise<void> {
  const cache = await caches.open(VENUE);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (!urls.some((url) => new URL(url, scope.location.origin).pathname === pathname) && !pathname.startsWith("/venue/theme/")) await cache.delete(request);
  }
  for (const url of urls) {
    const path = new URL(url, scope.location.origin).pathname;
    const kept = await cache.match(path);
    const tag = kept?.headers.get("etag") ?? null;
    try {
      // Asked about, sent only when changed.
      const answer = await fetch(url, { cache: "no-store", ...(tag ? { headers: { "if-none-match": tag } } : {}) });
      if (answer.status === 200) await put(cache, path, answer);
      else if (answer.status === 404 || answer.status === 410) await cache.delete(path);
      else await answer.body?.cancel();
    } catch {
      // The box is away: what is kept stays.
      return;
    }
  }
}

/** Keeps an answer, if it says how large it is and there is room for it. */
async function put(cache: Cache, path: string, answer: Response): Promise<void> {
  const size = Number(answer.headers.get("content-length") ?? Number.NaN);
  let taken = 0;
  for (const request of await cache.keys()) {
    if (new URL(request.url).pathname === path) continue;
    const kept = await cache.match(request);
    taken += Number(kept?.headers.get("content-length") ?? 0);
  }
  if (!(size <= MOST_ONE) || taken + size > MOST) {
    await cache.delete(path);
    await answer.body?.cancel();
    return;
  }
  await cache.put(path, answer);
}
