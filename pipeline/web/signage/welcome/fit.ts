// Making room: whatever somebody is called and however full their day is, nothing leaves its place.

const LEAST_STOPS = 2;

/** Makes a name smaller until it takes no more than `lines` lines, then lets it have one more and be cut there. Sizes in units of the screen. */
export function fitName(name: HTMLElement, largest: number, smallest: number, lines: number): void {
  name.style.setProperty("--lines", String(lines));
  // Smaller rather than broken within a word.
  name.style.overflowWrap = "normal";
  for (let size = largest; size >= smallest; size -= 0.5) {
    name.style.setProperty("--size", String(size));
    const line = Number.parseFloat(getComputedStyle(name).lineHeight);
    if (name.scrollHeight <= line * (lines + 0.25) && name.scrollWidth <= name.clientWidth + 1) return;
  }
  name.style.overflowWrap = "anywhere";
  name.style.setProperty("--lines", String(lines + 1));
}

/**
 * Makes a programme fit: closer, then closer still, then without its last stops but one (the way home stays). Returns how
 * many stops were left out.
 */
export function fitProgram(program: HTMLElement): number {
  const stops = () => [...program.querySelectorAll<HTMLElement>(".stops > li:not([hidden])")];
  const rows = () => [...program.querySelectorAll<HTMLElement>(".later > ol > li:not([hidden])")];
  for (const hidden of program.querySelectorAll<HTMLElement>("li[hidden]")) hidden.hidden = false;
  for (const wide of program.querySelectorAll<HTMLElement>("[data-wide]")) delete wide.dataset["wide"];
  for (const dense of [0, 1, 2, 3]) {
    program.dataset["dense"] = String(dense);
    if (!fits(program)) continue;
    if (dense > 0) widen(program);
    return 0;
  }
  let left = 0;
  while (!fits(program)) {
    const last = stops();
    if (last.length <= LEAST_STOPS) break;
    const out = last.at(-1)?.dataset["kind"] === "leave" && last.length > LEAST_STOPS + 1 ? last.at(-2) : last.at(-1);
    if (!out) break;
    out.hidden = true;
    left += 1;
  }
  while (!fits(program)) {
    const last = rows().at(-1);
    if (!last) break;
    last.hidden = true;
  }
  widen(program);
  return left;
}

/** Gives the room that is left to texts that were cut, the soonest first: all that should fit, less while it does not. */
function widen(program: HTMLElement): void {
  const line = program.querySelector<HTMLElement>(".line");
  const shown = [...(line?.children ?? [])].filter((one): one is HTMLElement => one instanceof HTMLElement && one.offsetHeight > 0);
  let room = (line?.clientHeight ?? 0) - Math.max(0, ...shown.map((one) => one.offsetTop + one.offsetHeight));
  const wider: HTMLElement[] = [];
  // Read first, write then: each change of mind costs a layout, and a greeting waits for it.
  for (const text of program.querySelectorAll<HTMLElement>(".stop .title b, .stop .note")) {
    const more = text.scrollHeight > text.clientHeight + 2 ? text.clientHeight : 0;
    if (more === 0 || more > room) continue;
    room -= more;
    wider.push(text);
  }
  for (const text of wider) text.dataset["wide"] = "";
  while (wider.length > 0 && !fits(program)) delete wider.pop()?.dataset["wide"];
}

/** By where things lie in the layout: what is still moving to its place does not count. */
function fits(program: HTMLElement): boolean {
  const rooms = [program, ...program.querySelectorAll<HTMLElement>(".plan, .line")];
  return rooms.every((room) => [...room.children].every((one) => !(one instanceof HTMLElement) || one.offsetTop + one.offsetHeight <= room.clientHeight + 1));
}
