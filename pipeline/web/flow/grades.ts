// How good a gate's forecasts have been, measured as they came true.
import { el } from "../shared/dom.ts";
import { scoped } from "./chart.ts";
import type { Grade, RestsOn } from "./state.ts";
import { RESTS_ON, people, share } from "./words.ts";

/** An interval that should hold `promised` of the times, told by how often it did. */
function held(found: number | undefined, promised: number, of: number): HTMLElement {
  if (found === undefined) return el("td", "dim", "–");
  // Within two standard errors of what was promised, chance explains the rest.
  const slack = 2 * Math.sqrt((promised * (1 - promised)) / Math.max(of, 1));
  const off = found < promised - slack ? "too narrow" : found > promised + slack ? "too wide" : "";
  return el("td", off ? "off" : "", share(found), off && el("span", "", ` ${off}`));
}

/** A table of grades, or what there is instead. */
export function gradesOf(grades: readonly Grade[], restsOn: RestsOn): HTMLElement {
  const root = el("section", "grades", el("h3", "", "How good the forecast has been"), el("p", "note", `It rests on ${RESTS_ON[restsOn]}. Off by so many people a minute.`));
  const told = grades.filter((grade) => grade.forecasts > 0);
  if (told.length === 0) {
    root.append(el("p", "note", "No forecast has come true yet: grades begin five minutes after the first."));
    return root;
  }
  const head = el("tr", "", ...["Ahead", "Off by", "Than last week", "80 % held", "95 % held", "Of"].map((name) => scoped("col", name)));
  const rows = told.map((grade) =>
    el(
      "tr",
      "",
      scoped("row", `${grade.minutes} min`),
      el("td", "", people(grade.mean_absolute_error)),
      el("td", grade.mase === undefined ? "dim" : "", grade.mase === undefined ? "–" : grade.mase < 1 ? `${share(1 - grade.mase)} better` : `${share(grade.mase - 1)} worse`),
      held(grade.coverage80, 0.8, grade.forecasts),
      held(grade.coverage95, 0.95, grade.forecasts),
      el("td", "", grade.forecasts.toLocaleString("en-GB")),
    ),
  );
  const wide = el("div", "wide", el("table", "", el("thead", "", head), el("tbody", "", ...rows)));
  wide.tabIndex = 0;
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", "How good the forecast has been");
  root.append(wide);
  return root;
}
