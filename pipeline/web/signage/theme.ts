// The venue's own colours: a stylesheet of the box, after ours.
import { clearFault, setFault } from "./faults.ts";

let link: HTMLLinkElement | null = null;

/** Loads the venue's stylesheet, or takes it off. What the page had stays until the new one is there. */
export function setTheme(url: string | null): void {
  if (url === (link?.getAttribute("href") ?? null)) return;
  const old = link;
  link = null;
  clearFault("theme");
  if (url === null) {
    old?.remove();
    return;
  }
  const fresh = document.createElement("link");
  fresh.rel = "stylesheet";
  fresh.href = url;
  fresh.addEventListener("load", () => old?.remove());
  fresh.addEventListener("error", () => {
    fresh.remove();
    if (link !== fresh) return;
    // Asked for again with the box's next answer.
    link = null;
    setFault("theme", "theme: its stylesheet cannot be loaded");
  });
  document.head.append(fresh);
  link = fresh;
}
