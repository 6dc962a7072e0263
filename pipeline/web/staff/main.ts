// The page of staff: who is enrolled, whose faces are alike, and forgetting somebody.
import "./staff.css";
import { byId, el } from "../shared/dom.ts";
import { button, heading, say, sorryLine } from "../enrol/parts.ts";
import { sign } from "../enrol/signs.ts";
import { type Shown, byName, groupsOf, matching, present, short } from "./alike.ts";
import { type Person, askPeople, forgetPerson, signIn, signOut } from "./contract.ts";
import { keyed, settle } from "./lists.ts";
import { type Asked, type Row, personRow } from "./person.ts";
import { receipts } from "./receipts.ts";

/** How often the box is asked while the page is seen. */
const REFRESH_MS = 10_000;
/** Most people drawn at once: a tablet draws these at once, and nobody reads more. */
const MOST_PEOPLE = 200;
const MOST_GROUPS = 50;

const main = byId("main");
/** Ends what is shown, with everything in it. */
let leave: (() => void) | null = null;

const people = (count: number) => (count === 1 ? "1 person" : `${count.toLocaleString("en-GB")} people`);
const seconds = (count: number) => (count === 1 ? "a second" : `${count} seconds`);

function showSignIn(note = ""): void {
  const token = el("input");
  token.id = "token";
  token.type = "password";
  token.autocomplete = "off";
  token.spellcheck = false;
  token.required = true;
  token.setAttribute("aria-describedby", "wrong");
  const label = el("label", "", "Token");
  label.htmlFor = token.id;
  const wrong = sorryLine(note);
  wrong.id = "wrong";
  const open = el("button", "go", "Sign in");
  open.type = "submit";
  const form = el("form", "", el("div", "field", label, token), wrong, open);
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const shown = token.value;
    token.value = "";
    if (busy || !shown) return;
    busy = true;
    const answer = await signIn(shown);
    busy = false;
    if (!form.isConnected) return;
    if (answer.is === "ok") return showDesk();
    const why = answer.is === "slow" ? `Too many tries, or a busy box. Wait ${seconds(answer.seconds)}, then try again.` : answer.is === "away" ? "The box does not answer. Try again." : "This is not a token of this box.";
    say(wrong, why);
    token.focus();
  });
  const lead = el("p", "lead", "Use the token that usher printed when it started, or the one that you were given. The page keeps it nowhere.");
  main.replaceChildren(el("section", "card enter", sign("lock"), heading("Staff"), lead, form));
  token.focus();
}

function showDesk(): void {
  const ended = new AbortController();
  const gone = new Set<string>();
  let told: Person[] = [];
  let answered = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;
  let again = false;

  const title = heading("Who is enrolled");
  const count = el("p", "lead", "Asking the box…");
  const trouble = sorryLine("");
  const kept = receipts();

  const groupList = el("ul", "groups");
  const moreGroups = el("p", "more");
  const alikeTitle = el("h2", "", sign("alert"), "Faces that look alike");
  const alike = el("section", "alike", alikeTitle, el("p", "", "One of them may have enrolled twice, or somebody poses as somebody else. The gate names neither until one is forgotten."), groupList, moreGroups);
  alikeTitle.id = "alike";
  alike.setAttribute("aria-labelledby", "alike");
  alike.hidden = true;

  const filter = el("input");
  filter.id = "filter";
  filter.type = "search";
  filter.autocomplete = "off";
  filter.spellcheck = false;
  const label = el("label", "", "Find by name or id");
  label.htmlFor = filter.id;
  const found = el("p", "more");
  found.setAttribute("role", "status");
  const list = el("ul", "people");
  const allTitle = el("h2", "", "Everybody enrolled");
  allTitle.id = "everybody";
  const everybody = el("section", "card everybody", allTitle, el("div", "field", label, filter), found, list);
  everybody.setAttribute("aria-labelledby", "everybody");

  const asked: Asked = { close: null };
  const groupRows = keyed((_id: string): Row => personRow(true, forget, asked));
  const listRows = keyed((_id: string): Row => personRow(false, forget, asked));
  const cards = keyed((_id: string) => el("li", "card group", el("ul", "people")));

  function showRows(into: Element, rows: Row[], those: Shown[]): void {
    rows.forEach((row, i) => {
      const person = those[i];
      if (person) row.show(person);
    });
    settle(into, rows.map(({ root }) => root));
  }

  function draw(): void {
    if (!answered) return;
    const focused = document.activeElement;
    const here = present(told, gone);
    const groups = groupsOf(here);
    count.textContent = `${people(here.length)} enrolled${groups.length ? `, ${groups.length === 1 ? "1 group" : `${groups.length} groups`} of faces that look alike` : ""}`;
    alike.hidden = groups.length === 0;
    const drawn = groups.slice(0, MOST_GROUPS);
    moreGroups.textContent = drawn.length < groups.length ? `${groups.length - drawn.length} more groups are shown when some of these are seen to.` : "";
    const rows = groupRows(drawn.flat().map(({ id }) => id));
    // Whoever enrolled first stays so, whoever comes after: a card is known by them.
    const made = cards(drawn.map((group) => group.at(-1)?.id ?? ""));
    let from = 0;
    made.forEach((card, i) => {
      const group = drawn[i] ?? [];
      showRows(card.firstElementChild ?? card, rows.slice(from, from + group.length), group);
      from += group.length;
    });
    settle(groupList, made);

    const those = matching(byName(here), filter.value);
    const first = those.slice(0, MOST_PEOPLE);
    const rest = first.length < those.length ? ` The first ${MOST_PEOPLE} are shown: type to find the others.` : "";
    const words = here.length === 0 ? "Nobody is enrolled." : filter.value.trim() ? `${those.length === 0 ? "Nobody" : people(those.length)} found among ${here.length.toLocaleString("en-GB")}.${rest}` : rest.trim();
    // Said again only when it is something else.
    if (found.textContent !== words) found.textContent = words;
    showRows(list, listRows(first.map(({ id }) => id)), first);
    // Whoever was in a row that went finds themselves at the top, not nowhere.
    if (focused && !focused.isConnected) title.focus({ preventScroll: true });
  }

  function troubled(text: string): void {
    if (trouble.textContent !== text) say(trouble, text);
  }

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    again = asking;
    if (asking) return;
    asking = true;
    const answer = await askPeople(ended.signal);
    asking = false;
    if (ended.signal.aborted) return;
    if (answer.is === "closed") return close("The box has ended this session. Sign in again.");
    if (answer.is === "ok") {
      answered = true;
      told = answer.body;
      draw();
    }
    troubled(answer.is === "ok" ? "" : `The box ${answer.is === "slow" ? "is busy" : answer.is === "away" ? "does not answer" : "refuses to say"}. ${answered ? "What is shown may be out of date. " : ""}Trying again…`);
    if (again) return refresh();
    if (!document.hidden) timer = setTimeout(() => void refresh(), answer.is === "slow" ? Math.max(answer.seconds * 1_000, REFRESH_MS) : REFRESH_MS);
  }

  async function forget(id: string): Promise<string | null> {
    const answer = await forgetPerson(id, ended.signal);
    if (ended.signal.aborted) return null;
    if (answer.is === "closed") {
      close("The box has ended this session, and nobody was forgotten. Sign in again.");
      return null;
    }
    if (answer.is === "slow") return `The box is busy and nobody was forgotten. Wait ${seconds(answer.seconds)}, then try again.`;
    if (answer.is === "away") {
      void refresh();
      return "The box did not answer: they may be forgotten or not. Try again.";
    }
    if (answer.is === "refused") return "The box refuses, and nobody was forgotten. Load the page again.";
    gone.add(id);
    draw();
    if (answer.is === "ok") kept.tell(`Forgotten: ${short(id)}`, short(id), answer.body.receipt);
    else kept.tell(`Gone already: ${short(id)}`);
    void refresh();
    return null;
  }

  function close(note: string): void {
    end();
    showSignIn(note);
  }

  function end(): void {
    ended.abort();
    clearTimeout(timer);
    kept.drop();
    told = [];
    gone.clear();
    filter.value = "";
    leave = null;
    main.replaceChildren();
  }

  leave = end;
  filter.addEventListener("input", draw);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : void refresh()), { signal: ended.signal });
  const out = button("alt", () => {
    end();
    void signOut().finally(() => location.reload());
  }, "Sign out");
  const top = el("header", "top", el("div", "", title, count), out);
  const note = el("small", "", "Whoever keeps their own key has no name here. Sign out when you leave the tablet.");
  main.replaceChildren(el("div", "desk", top, trouble, alike, everybody, note, kept.root));
  title.focus({ preventScroll: true });
  void refresh();
}

// Nothing is kept for whoever goes back to the page.
addEventListener("pagehide", () => {
  leave?.();
  main.replaceChildren();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) showSignIn();
});
showSignIn();
