// Hearing from the box, and noticing when it is silent.
import { syncClock } from "./clock.ts";

/** The box speaks every five seconds at least. */
const SILENCE_MS = 12_000;
const AGAIN_MS = 2_000;

/** An open feed; `renew` opens it again, with the cookie of now. */
export interface Feed {
  renew(): void;
}

/** Calls `tell` for every state that is told at `address` and `link` when the box comes or goes. */
export function startFeed<State extends { readonly time: string }>(address: string, tell: (state: State) => void, link: (up: boolean) => void): Feed {
  let source: EventSource | null = null;
  let heard = performance.now();
  let again: ReturnType<typeof setTimeout> | undefined;

  const open = () => {
    clearTimeout(again);
    source?.close();
    heard = performance.now();
    const events = new EventSource(address);
    source = events;
    events.addEventListener("message", (event) => {
      if (source !== events) return;
      heard = performance.now();
      const state = JSON.parse(String(event.data)) as State;
      syncClock(state.time, heard);
      link(true);
      tell(state);
    });
    events.addEventListener("error", () => {
      if (source !== events) return;
      link(false);
      events.close();
      again = setTimeout(open, AGAIN_MS);
    });
  };
  setInterval(() => {
    if (performance.now() - heard < SILENCE_MS) return;
    link(false);
    open();
  }, 1_000);
  open();
  return { renew: open };
}
