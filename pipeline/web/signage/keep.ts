// Keeping the page: with the box gone, even a reload shows it.
import { type Venue, readVenue } from "./box.ts";
import { clearFault, setFault } from "./faults.ts";

const WORKER = "/signage-worker.js";
const SCOPE = "/signage";
const KEPT = "usher.venue";
/** How often it is looked whether the box brings a newer page. */
const LOOK_MS = 60_000;

/** What a venue wants to be shown, kept for a start without the box; null where nothing was. */
export function keptVenue(): Venue | null {
  try {
    const kept = localStorage.getItem(KEPT);
    return kept === null ? null : readVenue(JSON.parse(kept));
  } catch {
    return null;
  }
}

/** Keeps what a venue wants to be shown. */
export function keepVenue({ language, night, theme, playlist, picture_ms, pass_gates }: Venue): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ language, night, theme, playlist, picture_ms, pass_gates }));
  } catch {
    // A browser that keeps nothing shows what the box says, while it says it.
  }
}

/** The page's keeper. */
export interface Keeper {
  /** The box says that it brings other pages than before. */
  look(): void;
  /** Nobody is being greeted: a newer page that waits may take over. */
  idle(): void;
  /** What the worker is to keep of the venue's folders, and nothing else. */
  keep(venue: Venue): void;
}

/** Has the page kept by a worker, where the browser allows that. `reload` is called once a newer page has taken over. */
export function startKeeper(reload: () => void): Keeper {
  let registration: ServiceWorkerRegistration | null = null;
  let looked = performance.now();
  let asked = false;
  let kept = "";
  const nothing: Keeper = { look: reload, idle: () => undefined, keep: () => undefined };
  if (!("serviceWorker" in navigator)) {
    setFault("keep", "offline: this address is no secure context, so the page cannot keep itself");
    return nothing;
  }
  const workers = navigator.serviceWorker;
  const hadOne = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    // The first one merely takes this page in.
    if (hadOne || asked) reload();
  });
  const register = () =>
    workers.register(address() as string, { scope: SCOPE, updateViaCache: "none" }).then(
      (found) => {
        registration = found;
        clearFault("keep");
      },
      (why: unknown) => setFault("keep", `offline: the page cannot keep itself (${why instanceof Error ? why.name : "refused"})`),
    );
  void register();
  return {
    look() {
      if (registration) void registration.update().catch(() => gone(registration, reload));
      else reload();
    },
    idle() {
      if (!registration) return;
      if (performance.now() - looked > LOOK_MS) {
        looked = performance.now();
        void registration.update().catch(() => undefined);
      }
      if (!registration.waiting || asked) return;
      asked = true;
      registration.waiting.postMessage({ do: "take over" });
    },
    keep({ theme, playlist }) {
      const urls = [...(theme ? [theme] : []), ...playlist.map((item) => item.url)];
      const key = JSON.stringify([urls, Math.floor(performance.now() / LOOK_MS)]);
      if (key === kept || !workers.controller) return;
      kept = key;
      workers.controller.postMessage({ do: "keep", urls });
    },
  };
}

/** A box that has no worker (any more) is not to be hidden by one. One that is merely away is another matter. */
async function gone(registration: ServiceWorkerRegistration | null, reload: () => void): Promise<void> {
  const answer = await fetch(WORKER, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer?.status !== 404) return;
  await registration?.unregister();
  reload();
}

interface Policy {
  createScriptURL(url: string): { toString(): string };
}
interface Policies {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

/** The worker's address, as a policy of trusted types lets it through: this one and no other. */
function address(): unknown {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  if (!policies) return WORKER;
  try {
    const policy = policies.createPolicy("usher-worker", {
      createScriptURL(url) {
        if (url !== WORKER) throw new TypeError("not the worker");
        return url;
      },
    });
    return policy.createScriptURL(WORKER);
  } catch {
    // The page's policy knows no such name: registering is refused, and told as a fault.
    return WORKER;
  }
}
