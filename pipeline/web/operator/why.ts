// Why something was decided: a view with an address of its own, `#why-NUMBER`, for whoever has signed in.
import "./why.css";
import { byId, el } from "../shared/dom.ts";
import { draw, said } from "./record.ts";
import type { Why } from "./reasons.ts";

/** What is not known yet is asked for again this often, this many times. */
const AGAIN_MS = 1_000;
const TIMES = 30;

/** The view's address on this page. */
export function addressOf(number: number): string {
  return `#why-${number}`;
}

/** The view; `renew` looks again with the cookie of now, and shows nothing of before. */
export interface View {
  renew(): void;
}

/** Opens the view whenever the address asks for it. */
export function startWhy(): View {
  const view = byId<HTMLDialogElement>("why");
  let shown = "";
  let again: ReturnType<typeof setTimeout> | undefined;
  let leaving = false;
  /** Which address was asked for last, and which had been when the view was drawn; counted, since one may come again. */
  let turn = 0;
  let drawn = 0;
  /** Whose view is drawn. */
  let drawnFor: string | undefined;

  const asked = () => /^#why-(\d+)$/.exec(location.hash)?.[1];
  const put = (...parts: Node[]) => {
    drawn = turn;
    drawnFor = asked();
    view.replaceChildren(...parts);
    view.querySelector("#why-shut")?.addEventListener("click", () => view.close());
    if (!view.open) view.showModal();
  };
  const signIn = () => {
    const button = el("button", "", "Sign in");
    button.type = "button";
    button.addEventListener("click", () => {
      // The address stays, so that signing in leads back here.
      leaving = true;
      view.close();
      byId("token").focus();
    });
    return button;
  };

  const look = async (number: string, times: number) => {
    const answer = await fetch(`/api/why/${number}`).catch(() => null);
    if (asked() !== number) return;
    if (!answer) return put(...said("Why", "The box does not answer."));
    if (answer.status === 401) {
      shown = "";
      return put(...said("Why", "Why something was decided is for whoever has signed in.", signIn()));
    }
    if (!answer.ok) {
      shown = "";
      return put(...said("Not known any more", "Reasons are kept in memory only, of the last decisions. This one is gone: newer ones have taken its place, or usher was started again."));
    }
    const text = await answer.text();
    if (asked() !== number) return;
    const why = JSON.parse(text) as Why;
    if (text !== shown) {
      const top = view.scrollTop;
      put(...draw(why));
      view.scrollTop = shown ? top : 0;
      shown = text;
    }
    if (times > 0 && why.steps.some((step) => step.missing === "not yet")) again = setTimeout(() => void look(number, times - 1), AGAIN_MS);
  };
  const open = () => {
    clearTimeout(again);
    turn += 1;
    shown = "";
    const number = asked();
    if (number) void look(number, TIMES);
    else if (view.open) {
      view.replaceChildren();
      view.close();
    }
  };

  view.addEventListener("close", () => {
    // Said after the fact: another view may have been asked for, or be open, since; the address may even have changed
    // without having been noticed yet.
    if (view.open || turn !== drawn) return;
    view.replaceChildren();
    clearTimeout(again);
    if (asked() === drawnFor && asked() && !leaving) history.replaceState(null, "", location.pathname + location.search);
    leaving = false;
  });
  // Beside the view is out of it.
  view.addEventListener("click", (event) => {
    if (event.target === view) view.close();
  });
  addEventListener("hashchange", open);
  open();
  return {
    renew() {
      view.replaceChildren();
      open();
    },
  };
}
