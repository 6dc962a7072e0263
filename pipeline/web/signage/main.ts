// The big screen at a gate.
import "./signage.css";
import { boxNow, clockFace, offsetMinutes } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { startAttract } from "./attract.ts";
import { Faces } from "./faces.ts";
import { type Greeting, readFace, readGreeting, readNotice } from "./greeting.ts";
import { startLink } from "./link.ts";
import { Queue } from "./queue.ts";
import { clearGreeting, showAttract, showFace, showGreeting, showLife, showNotice, tickScreen } from "./screen.ts";

const queue = new Queue();
const faces = new Faces();
let shown: { greeting: Greeting; since: number; until: number; faced: boolean } | null = null;
/** Until when a greeting without a name may be shown: only while nobody is greeted by name. */
let unnamed = 0;
let version: string | null = null;
let stale = false;
let offset = 0;

/** Shows whoever's turn it is. Called whenever something came, and a few times a second. */
function turn(): void {
  const now = boxNow();
  faces.drop(now);
  if (shown) {
    const until = queue.until(shown.greeting, shown.since, now);
    if (Math.abs(until - shown.until) > 50) {
      shown.until = until;
      showLife(shown.since, until);
    }
    if (now < until) {
      tickScreen();
      return waiting(queue.size(now));
    }
    shown = null;
    clearGreeting();
  }
  const greeting = queue.take(now);
  if (greeting) {
    const face = faces.take(greeting.visit, now);
    const until = queue.until(greeting, now, now);
    shown = { greeting, since: now, until, faced: face !== null };
    showGreeting(greeting, face);
    showLife(now, until);
  } else if (now < unnamed) {
    if (document.body.dataset["state"] !== "notice") {
      showNotice();
      showLife(now, unnamed);
    }
  } else if (document.body.dataset["state"] !== "idle") {
    showAttract();
  } else if (stale) {
    // The box brings other pages than this one. It has just answered, so loading will not end in an error page.
    location.reload();
  }
  waiting(queue.size(now));
}

/** One small dot for everybody who waits. */
function waiting(count: number): void {
  const dots = byId("waiting");
  const most = Math.min(count, 8);
  if (dots.childElementCount === most) return;
  dots.replaceChildren(...Array.from({ length: most }, () => el("i")));
}

startAttract();
startLink(new URLSearchParams(location.search).get("gate"), {
  greeting(payload) {
    const greeting = readGreeting(payload, boxNow());
    if (greeting && queue.offer(greeting, boxNow())) turn();
  },
  face(payload) {
    const face = readFace(payload, boxNow());
    if (!face) return;
    if (shown && shown.greeting.visit === face.visit) {
      if (!shown.faced) showFace(face);
      shown.faced = true;
    } else {
      faces.put(face, boxNow());
    }
  },
  notice(payload) {
    const notice = readNotice(payload, boxNow());
    if (!notice) return;
    unnamed = notice.expires;
    turn();
  },
  link(up) {
    document.body.dataset["link"] = up ? "up" : "away";
    byId("dot").title = up ? "connected" : "looking for the box";
  },
  box(box, gate) {
    offset = offsetMinutes(box.time);
    byId("place").textContent = box.gates.includes(gate) ? gate : `${gate} · no such gate`;
    version ??= box.version;
    stale = version !== box.version;
  },
});
setInterval(turn, 200);
setInterval(() => {
  byId("clock").textContent = clockFace(offset);
}, 1000);
