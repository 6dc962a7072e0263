// What was forgotten a moment ago: said aloud, with the receipts to be kept.
import { el } from "../shared/dom.ts";
import { button, download } from "../enrol/parts.ts";
import { sign } from "../enrol/signs.ts";

export interface Receipts {
  root: HTMLElement;
  /** Says something; a receipt is offered and takes the focus, as what was pressed is gone. */
  tell(text: string, id?: string, receipt?: object): void;
  drop(): void;
}

export function receipts(): Receipts {
  const urls: string[] = [];
  const said = el("p", "said");
  const line = el("div", "line", sign("check"), said);
  said.setAttribute("role", "status");
  said.setAttribute("aria-live", "polite");
  const list = el("ul", "receipts");
  list.setAttribute("aria-label", "Receipts");
  const root = el("div", "bar empty", line, list, button("quiet", () => clear(), "Put away"));
  function drop(): void {
    for (const url of urls) URL.revokeObjectURL(url);
    urls.length = 0;
    list.replaceChildren();
    said.textContent = "";
    root.classList.add("empty");
  }
  function clear(): void {
    drop();
    document.querySelector("h1")?.focus({ preventScroll: true });
  }
  return {
    root,
    drop,
    tell(text, id, receipt) {
      root.classList.remove("empty");
      said.textContent = text;
      if (!id || !receipt) return;
      const link = download(`Receipt of ${id}`, "receipt.json", receipt, urls);
      list.prepend(el("li", "", link));
      link.focus({ preventScroll: true });
    },
  };
}
