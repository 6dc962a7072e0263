// The big screen at a gate.
import "./signage.css";
import "./welcome.css";
import "./day.css";
import "./modes.css";
import { boxNow, offsetMinutes } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { screenName, startAlive } from "./alive.ts";
import { NO_VENUE, type Venue } from "./box.ts";
import { NONE, brought, current, readChanges } from "./changes.ts";
import { Faces } from "./faces.ts";
import { readFace, readGreeting, readNotice } from "./greeting.ts";
import { Idle } from "./idle/idle.ts";
import { startAttract } from "./idle/attract.ts";
import { keepVenue, keptVenue, startKeeper } from "./keep.ts";
import { type Hears, startLink } from "./link.ts";
import { showNight } from "./night.ts";
import { startPreview } from "./preview/preview.ts";
import { MOST_TOGETHER, type Member, Queue } from "./queue.ts";
import { clearGreeting, setSite, setVenue, showFace, showLife, showNobody, showNotice, showWelcome, tickScreen } from "./screen.ts";
import { type Steer, readSteer, showSteer } from "./steer.ts";
import { setTheme } from "./theme.ts";
import { readKeys } from "./trust.ts";
import { gateOf } from "./welcome/text.ts";
import { speaker } from "./words/speak.ts";

const asked = new URLSearchParams(location.search);
const preview = asked.has("preview");
const queue = new Queue();
const faces = new Faces();
const idle = new Idle(() => current(changes, boxNow()), () => document.body.dataset["link"] === "up");
let shown: { members: Member[]; party: string | null; until: number } | null = null;
let changes = NONE;
/** Where one waits less, as the gate said last. */
let steer: Steer | null = null;
/** Until when a greeting without a name may be shown: only while nobody is greeted by name. */
let unnamed = 0;
let version: string | null = null;
/** The box brings other pages than this one, and has just answered: loading will not end in an error page. */
let stale = false;
let venue: Venue = NO_VENUE;
let gate = asked.get("gate") ?? "";
/** Of the venue's clocks; null before the box was heard. */
let offset: number | null = null;

const keeper = preview ? null : startKeeper(() => {
  stale = true;
});

/** Shows whoever's turn it is. Called whenever something came, and a few times a second. */
function turn(): void {
  const now = boxNow();
  faces.drop(now);
  if (shown) {
    meet(now);
    if (shown.members.length > 0) {
      const until = queue.until(shown.members, now);
      if (Math.abs(until - shown.until) > 50) {
        shown.until = until;
        showLife(sinceOf(shown.members), until);
      }
      if (now < until) {
        tickScreen();
        return waiting(queue.size(now));
      }
    }
    shown = null;
    clearGreeting();
  }
  const greetings = queue.take(now);
  const [first] = greetings;
  if (first) {
    const members = greetings.map((greeting) => ({ greeting, since: now }));
    const party = greetings.every((greeting) => greeting.party === first.party) ? first.party : null;
    shown = { members, party, until: queue.until(members, now) };
    draw(now);
    showLife(now, shown.until);
  } else if (now < unnamed) {
    if (document.body.dataset["state"] !== "notice") {
      idle.stop();
      showNotice();
      showLife(now, unnamed);
    }
  } else {
    if (document.body.dataset["state"] !== "idle" || byId("idle").hidden) {
      showNobody();
      idle.start();
    }
    keeper?.idle();
    if (stale) location.reload();
  }
  waiting(queue.size(now));
}

/** Lets in who belongs to those shown, and lets go of whose own time is over. */
function meet(now: number): void {
  if (!shown) return;
  const stay = shown.members.filter((member) => member.greeting.expires > now);
  const joining = queue.join(shown.party, MOST_TOGETHER - stay.length, now).map((greeting) => ({ greeting, since: now }));
  if (joining.length === 0 && stay.length === shown.members.length) return;
  shown.members = [...stay, ...joining];
  if (shown.members.length > 0) draw(now);
}

/** Draws the welcome of those shown as the programme stands now, with the faces that have come. */
function draw(now: number): void {
  if (!shown) return;
  idle.stop();
  showWelcome(shown.members.map((member) => brought(member.greeting, changes)));
  for (const { greeting } of shown.members) {
    const face = faces.take(greeting.visit, now);
    if (face) showFace(face);
  }
}

function sinceOf(members: readonly Member[]): number {
  return Math.min(...members.map((member) => member.since));
}

/** One small dot for everybody who waits. */
function waiting(count: number): void {
  const dots = byId("waiting");
  const most = Math.min(count, 8);
  if (dots.childElementCount === most) return;
  dots.replaceChildren(...Array.from({ length: most }, () => el("i")));
}

/** Takes in what the venue wants, from the box or as kept from before. */
function take(told: Venue): void {
  venue = told;
  const say = speaker(told.language);
  setVenue(say);
  setTheme(told.theme);
  idle.set(told, say, told.pass_gates.includes(gate));
}

/** The box's time of the day; a kiosk's own is shown to nobody. */
function showTime(): void {
  const now = boxNow();
  const here = offset ?? -new Date(now).getTimezoneOffset();
  showNight(venue.night, now, here);
  showSteer(steer, now, speaker(venue.language));
  byId("clock").textContent = offset === null ? "" : speaker(venue.language).face(now, offset);
}

const hears: Hears = {
  greeting(payload) {
    const greeting = readGreeting(payload, boxNow());
    if (greeting && queue.offer(greeting, boxNow())) turn();
  },
  face(payload) {
    const face = readFace(payload, boxNow());
    if (!face) return;
    if (shown?.members.some(({ greeting }) => greeting.visit === face.visit)) showFace(face);
    else faces.put(face, boxNow());
  },
  notice(payload) {
    const notice = readNotice(payload, boxNow());
    if (!notice) return;
    unnamed = notice.expires;
    turn();
  },
  programme(payload) {
    const told = readChanges(payload);
    if (!told) return;
    changes = told;
    idle.changed();
    if (shown) draw(boxNow());
  },
  flow(payload) {
    steer = readSteer(payload);
    showTime();
  },
  link(up) {
    document.body.dataset["link"] = up ? "up" : "away";
    const { connected, looking } = speaker(venue.language).words;
    byId("dot").title = up ? connected : looking;
  },
  box(box, at) {
    gate = at;
    offset = offsetMinutes(box.time);
    take(box);
    const say = speaker(box.language);
    byId("place").textContent = box.gates.includes(gate) ? gateOf(gate, say) : say.words.noGate(gate);
    if (!preview) {
      keepVenue(box);
      keeper?.keep(box);
    }
    if (version !== null && version !== box.version) keeper?.look();
    version = box.version;
    showTime();
  },
  site(site) {
    setSite(site);
    if (shown) draw(boxNow());
  },
};

startAttract();
take((preview ? null : keptVenue()) ?? NO_VENUE);
idle.start();
if (preview) {
  startPreview(asked, hears);
} else {
  const link = startLink(asked.get("gate"), asked.has("key") ? readKeys(asked.getAll("key")) : null, hears);
  startAlive(screenName(asked.get("screen")), () => gate, link.alive);
}
showTime();
setInterval(turn, 200);
setInterval(showTime, 1000);
