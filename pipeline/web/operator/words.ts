// States in words and colours.
import type { DecisionNow, Deed, State } from "./state.ts";

export const DEEDS: Record<Deed, { words: string; tone: string; why: string }> = {
  welcomed: { words: "welcomed", tone: "ok", why: "The score reached the threshold on enough looks, well before the second person: the screen greeted." },
  already_greeted: { words: "already greeted", tone: "calm", why: "Known, but this gate has greeted them within its quiet time." },
  referred: { words: "too alike · neutral", tone: "warn", why: "Two enrolled people are too alike here, or two tracks claim one person: nobody was named." },
  doubted: { words: "looks doubtful", tone: "warn", why: "Named and greeted; the looks together seem not to be of a live person. Liveness is advisory here and often wrong: have a look." },
  counted: { words: "not enrolled · counted", tone: "none", why: "Nobody enrolled came near enough: counted, nothing else kept." },
};

/** Referred since the looks seem not to be of a live person, where the gate requires that. */
const UNPROVEN = { words: "looks doubtful · see to it", tone: "warn", why: "Enrolled by the score; the looks together seem not to be of a live person, or were too few to say, and this gate requires it: nobody was named." };

/** What was done, in words, colour and the reason. */
export function deed(decision: DecisionNow): { words: string; tone: string; why: string } {
  return decision.deed === "referred" && decision.unproven ? UNPROVEN : DEEDS[decision.deed];
}

/** A score as it is read: two or three decimals without the nought. */
export function score(value: number | null): string {
  if (value === null) return "–";
  return value.toFixed(3).replace(/^(-?)0\./, "$1.");
}

/** A share as `1 in 1,000`. */
export function share(value: number): string {
  return value > 0 ? `1 in ${Math.round(1 / value).toLocaleString("en-GB")}` : "none";
}

/** `1st`, `2nd`, `3rd`, `4th`, … */
export function ordinal(n: number): string {
  const tens = n % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

/** How long ago, in the largest unit that says enough. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(milliseconds, 0) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

/** The line of figures at the top: tone and words. */
export function figures(state: State): { tone: string; words: string; title?: string }[] {
  const live = state.cameras.filter((camera) => camera.state === "live").length;
  const lost = state.cameras.some((camera) => camera.state === "lost");
  const gates = state.gates.length;
  const broker = state.broker.state;
  const heard = state.screens.filter((screen) => screen.here);
  const silent = state.screens.filter((screen) => !screen.here).map((screen) => `${screen.name} is silent`);
  const faults = [...silent, ...heard.flatMap((screen) => screen.faults.map((fault) => `${screen.name}: ${fault}`))];
  return [
    { tone: state.ready ? "ok" : "warn", words: state.ready ? "ready" : "starting" },
    { tone: "plain", words: gates === 1 ? "1 gate" : `${gates} gates` },
    { tone: lost ? "bad" : live === state.cameras.length ? "ok" : "warn", words: `${live} of ${state.cameras.length} cameras` },
    {
      tone: broker === "up" ? "ok" : broker === "down" ? "bad" : "warn",
      words: broker === "up" ? "broker up" : broker === "down" ? "broker away" : "broker connecting",
      ...(state.broker.reason ? { title: state.broker.reason } : {}),
    },
    ...(state.screens.length > 0
      ? [{ tone: silent.length > 0 ? "bad" : faults.length > 0 ? "warn" : "ok", words: `${heard.length} of ${state.screens.length} screens`, title: faults.join("; ") || "all are heard" }]
      : []),
    { tone: state.outbox === 0 ? "ok" : "warn", words: `outbox ${state.outbox}` },
    { tone: "plain", words: `${state.enrolled.toLocaleString("en-GB")} enrolled` },
    { tone: "plain", words: `threshold ${score(state.threshold)}` },
    { tone: "plain", words: `promised: a wrong greeting for at most ${share(state.promised)}`, title: "share of visitors who never enrolled that may be greeted by a wrong name" },
  ];
}
