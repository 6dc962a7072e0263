// Lists that change under the reader's hands: what stays is not touched, so that focus and open questions stay.

/** Makes `parent` hold exactly these, in this order; none that stays is taken out. */
export function settle(parent: Element, wanted: Element[]): void {
  const staying = new Set(wanted);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  wanted.forEach((element, i) => {
    const there = parent.children[i];
    if (there !== element) parent.insertBefore(element, there ?? null);
  });
}

/** Things by a key: made where there was none, dropped where none is wanted any more. */
export function keyed<T>(make: (key: string) => T): (keys: string[]) => T[] {
  let had = new Map<string, T>();
  return (keys) => {
    const now = new Map(keys.map((key) => [key, had.get(key) ?? make(key)]));
    had = now;
    return [...now.values()];
  };
}
