// Everything at a glance for whoever runs the gates.
import "./operator.css";
import { clockFace, offsetMinutes } from "../shared/clock.ts";
import { byId, el } from "../shared/dom.ts";
import { startFeed } from "../shared/feed.ts";
import { showSign, startSign } from "../shared/sign.ts";
import { showDecisions } from "./decisions.ts";
import type { State } from "./state.ts";
import { Tile } from "./tiles.ts";
import { startWhy } from "./why.ts";
import { figures } from "./words.ts";

const tiles = new Map<string, Tile>();
let last: State | null = null;
let offset: number | null = null;

function show(state: State): void {
  last = state;
  offset = offsetMinutes(state.time);
  byId("site").textContent = state.site;
  document.title = `${state.site} · operator`;
  byId("figures").replaceChildren(
    ...figures(state).map(({ tone, words, title }) => {
      const figure = el("span", `tone ${tone}`, words);
      if (title) figure.title = title;
      return figure;
    }),
  );
  const cameras = byId("cameras");
  cameras.dataset["count"] = String(Math.min(state.cameras.length, 9));
  const broker = state.broker.state === "down" ? `The broker is away: ${state.broker.reason ?? "no reason known"}. Visits wait in the outbox; none is lost.` : "";
  banner(broker || (state.guide ? `${state.guide}. What was read before stays in use.` : ""));
  state.cameras.forEach((camera, place) => {
    let tile = tiles.get(camera.name);
    if (!tile) {
      tile = new Tile(camera.name, place);
      tiles.set(camera.name, tile);
      cameras.append(tile.root);
    }
    tile.tell(camera, state.pictures);
  });
  showSign(state.signed_in);
  showDecisions(state.decisions, state.signed_in);
}

function banner(words: string): void {
  const line = byId("banner");
  line.textContent = words;
  line.hidden = !words;
}

const feed = startFeed("/api/events", show, (up) => {
  document.body.dataset["link"] = up ? "up" : "away";
  if (up) return;
  banner("The box does not answer. What is below is from before; this page looks for it again.");
  for (const tile of tiles.values()) tile.stop();
});
const why = startWhy();
startSign(() => {
  // Off the page first: what comes next says whether names may be on it.
  showDecisions([], false);
  feed.renew();
  why.renew();
});
document.addEventListener("visibilitychange", () => {
  if (last) show(last);
});
setInterval(() => {
  for (const tile of tiles.values()) tile.tick();
  if (offset !== null) byId("clock").textContent = clockFace(offset, true);
}, 500);
