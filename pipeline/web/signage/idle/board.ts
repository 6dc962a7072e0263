// What is not as announced today, for whoever passes.
import { byId, el } from "../../shared/dom.ts";
import { icon, sportIcon } from "../../shared/icons.ts";
import type { Change } from "../changes.ts";
import { badge } from "../welcome/sessions.ts";
import { foreign, gateOf } from "../welcome/text.ts";
import type { Speaker } from "../words/speak.ts";

let turn = 0;

/** Draws the board; where not all find room, the next time shows the others. */
export function showBoard(changes: readonly Change[], say: Speaker): void {
  const board = byId("board");
  const list = el("ol", "changes");
  board.replaceChildren(el("h2", "", say.words.idle.changes), list);
  const from = turn < changes.length ? turn : 0;
  let shown = 0;
  for (const change of changes.slice(from)) {
    const row = rowOf(change, say);
    list.append(row);
    if (shown > 0 && board.scrollHeight > board.clientHeight + 1) {
      row.remove();
      break;
    }
    shown += 1;
  }
  turn = from + shown;
}

function rowOf(change: Change, say: Speaker): HTMLElement {
  const where = [change.venue, change.place, change.gate && gateOf(change.gate, say)].filter(Boolean).join(" · ");
  const place = el("p", "where", where && icon("pin"), where && foreign("span", where));
  place.hidden = !where;
  const row = el("li", "", el("time", "", say.clock(change.starts)), icon(sportIcon(change.sport || change.title)), el("div", "about", foreign("p", change.title, "what"), place), badge(change.status, say));
  row.dataset["status"] = change.status;
  return row;
}
