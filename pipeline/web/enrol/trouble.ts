// What stands where the camera's picture would be when there is none.
import { el } from "../shared/dom.ts";
import { icon } from "../shared/icons.ts";
import { base64Of } from "./camera.ts";
import { button, say, sorryLine } from "./parts.ts";
import type { Station } from "./visit.ts";
import type { Trouble } from "./words/words.ts";

const LARGEST = 20 * 1024 * 1024;
const KINDS = ["image/jpeg", "image/png", "image/webp"];

/** Says what to do; a member of staff may choose a file instead. */
export function trouble(station: Station, { title, mend }: Trouble): HTMLElement {
  const { words, visit, offer } = station;
  const box = el("div", "trouble", icon("camera"), el("h2", "", title), el("p", "", mend), button("alt", () => station.go("look"), words.again));
  box.setAttribute("role", "alert");
  if (!offer.staff) return box;

  const wrong = sorryLine("");
  const file = el("input");
  file.type = "file";
  file.accept = KINDS.join(",");
  file.id = "upload";
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    if (chosen.size > LARGEST || !KINDS.includes(chosen.type)) {
      say(wrong, words.look.tooLarge);
      return;
    }
    const view = await base64Of(chosen);
    file.value = "";
    if (visit.end.signal.aborted) return;
    visit.views = [view];
    visit.source = "upload";
    station.go("tell");
  });
  const label = el("label", "button alt file", words.look.upload, file);
  label.htmlFor = "upload";
  box.append(label, el("small", "", words.look.uploadNote), wrong);
  return box;
}
