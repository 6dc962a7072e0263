// All gates at a glance, for whoever runs them; one of them with its plots.
import "./flow.css";
import { clockFace, offsetMinutes } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { startFeed } from "../shared/feed.ts";
import { showSign, startSign } from "../shared/sign.ts";
import { GateView } from "./gate.ts";
import { showGlance } from "./glance.ts";
import type { AtAGlance, Told, Whole } from "./state.ts";
import { people, standing } from "./words.ts";

const gates = new Map<string, AtAGlance>();
/** Whether somebody wants to do what only who has signed in may. */
let wantsSign = false;
const view = new GateView(
  () => choose(null, true),
  () => {
    wantsSign = true;
    byId("why-sign").textContent = "Lanes are opened and closed after signing in";
    byId("sign").hidden = false;
    byId("token").focus();
  },
);
let chosen: string | null = null;
let offset: number | null = null;
let told: Told | null = null;
let link: "up" | "away" = "up";
let asked = 0;

function show(now: Told): void {
  told = now;
  offset = offsetMinutes(now.time);
  byId("site").textContent = now.site;
  document.title = `${now.site} · flow`;
  byId("sign").hidden = now.allowed && !now.signed_in && !wantsSign;
  if (now.signed_in) wantsSign = false;
  if (!now.allowed) byId("why-sign").textContent = "Gates are shown after signing in";
  showSign(now.signed_in);
  document.body.dataset["allowed"] = String(now.allowed);
  if (now.whole) gates.clear();
  for (const gate of now.gates) gates.set(gate.flow.gate, gate);
  banner();
  draw();
  if (chosen !== null && now.gates.some(({ flow }) => flow.gate === chosen)) void ask();
}

function draw(): void {
  const all = [...gates.values()].sort((a, b) => a.flow.gate.localeCompare(b.flow.gate, "en", { numeric: true }));
  if (chosen === null && all.length === 1) chosen = all[0]?.flow.gate ?? null;
  if (chosen !== null && !gates.has(chosen)) view.close();
  showGlance(all, chosen, (gate) => choose(gate, true));
  document.body.dataset["gate"] = chosen !== null && gates.has(chosen) ? "yes" : "no";
  byId("figures").replaceChildren(...figures(all));
}

function figures(all: readonly AtAGlance[]): HTMLElement[] {
  if (all.length === 0) return [];
  const counted = all.filter(({ flow }) => flow.counting === "whole" || flow.counting_since !== undefined).length;
  const known = all.flatMap(({ flow }) => (flow.entered_last_minute === undefined ? [] : [flow.entered_last_minute]));
  const inside = all.flatMap(({ flow }) => (flow.inside === undefined ? [] : [flow.inside]));
  const bad = all.filter(({ flow }) => standing(flow).tone === "bad").length;
  const sum = (values: readonly number[]) => people(values.reduce((sum, value) => sum + value, 0));
  return [
    el("span", `tone ${counted === all.length ? "ok" : "warn"}`, `${counted} of ${all.length} ${all.length === 1 ? "gate" : "gates"} counted`),
    el("span", "", `${known.length > 0 ? sum(known) : "?"} came within the last minute`),
    ...(inside.length > 0 ? [el("span", "", `${sum(inside)} inside`)] : []),
    ...(bad > 0 ? [el("span", "tone bad", `${bad} ${bad === 1 ? "needs" : "need"} somebody`)] : []),
  ];
}

/** Looks at a gate, or at none; `moves` where somebody asked for it here. */
function choose(gate: string | null, moves: boolean): void {
  chosen = gate;
  if (gate === null) {
    view.close();
    history.replaceState(null, "", location.pathname);
  } else {
    view.open(gate);
    history.replaceState(null, "", `#${gate}`);
    if (moves && matchMedia("(max-width: 1100px)").matches) view.focus();
    asked = 0;
    void ask();
  }
  draw();
}

/** Asks for the gate that is looked at. */
async function ask(): Promise<void> {
  const [gate, turn] = [chosen, (asked += 1)];
  if (gate === null || document.hidden) return;
  const answer = await fetch(`/api/flow/gates/${encodeURIComponent(gate)}`).catch(() => null);
  if (turn !== asked || gate !== chosen || !answer?.ok) return;
  const whole = (await answer.json()) as Whole;
  if (turn !== asked || gate !== chosen) return;
  view.open(gate);
  view.tell(whole);
}

function banner(): void {
  const away = "The box does not answer. What is below is from before; this page looks for it again.";
  const words = link === "away" ? away : told?.trouble ? `${told.trouble}. What was read before stays in use.` : "";
  const line = byId("banner");
  if (line.textContent !== words) line.textContent = words;
  line.hidden = !words;
}

const feed = startFeed<Told>("/api/flow/events", show, (up) => {
  link = up ? "up" : "away";
  document.body.dataset["link"] = link;
  banner();
});
startSign(() => {
  // Off the page first: what comes next says whether gates may be on it.
  gates.clear();
  view.close();
  draw();
  feed.renew();
});
const hash = () => decodeURIComponent(location.hash.slice(1)) || null;
addEventListener("hashchange", () => choose(hash(), false));
document.addEventListener("visibilitychange", () => void ask());
if (hash() !== null) choose(hash(), false);
setInterval(() => {
  if (offset !== null) byId("clock").textContent = clockFace(offset, true);
}, 500);
