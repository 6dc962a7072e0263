// Where words may stand on a map: never on one another, never on a stop, never outside.

/** A rectangle in pixels of the map. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Something to be named: its point, the radius of what is drawn there, and the size of its words. */
export interface Wish {
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly w: number;
  readonly h: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const EDGE = 4;

/** Whether two rectangles share more than an edge. */
export function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * A place for each wish, in their order; null where there is none. `taken` is kept free, `way` is covered as little as
 * can be.
 */
export function placed(wishes: readonly Wish[], bounds: Box, taken: readonly Box[], way: readonly Point[]): (Box | null)[] {
  const full: Box[] = [...taken];
  return wishes.map((wish) => {
    let best: { box: Box; cost: number } | null = null;
    for (const [i, box] of candidates(wish).entries()) {
      const inside = box.x >= bounds.x + EDGE && box.y >= bounds.y + EDGE && box.x + box.w <= bounds.x + bounds.w - EDGE && box.y + box.h <= bounds.y + bounds.h - EDGE;
      if (!inside || full.some((other) => overlaps(box, other))) continue;
      const covered = way.filter((point) => point.x > box.x && point.x < box.x + box.w && point.y > box.y && point.y < box.y + box.h).length;
      const cost = covered * 4 + i;
      if (!best || cost < best.cost) best = { box, cost };
    }
    if (best) full.push(best.box);
    return best?.box ?? null;
  });
}

function candidates({ x, y, r, w, h }: Wish): Box[] {
  if (r === 0) return [0, -1, 1].map((turn) => ({ x: x - w / 2, y: y - h / 2 + turn * h, w, h }));
  const [below, above] = [y + r + 1, y - r - 1 - h];
  const [middle, from, to] = [x - w / 2, x - r, x + r - w];
  const spots = [[x + r + 2, y - h / 2], [x - r - 2 - w, y - h / 2], [middle, below], [middle, above], [from, below], [from, above], [to, below], [to, above], [x + r, below], [x + r, above], [x - r - w, below], [x - r - w, above]] as const;
  return spots.map(([left, top]) => ({ x: left, y: top, w, h }));
}

/** Discs of one radius moved as little as needed until none covers another, and all lie within the bounds. */
export function apart<P extends Point>(points: readonly P[], radius: number, bounds: Box): Point[] {
  const moved = points.map(({ x, y }) => ({ x, y }));
  const keep = () => {
    for (const one of moved) {
      one.x = Math.min(Math.max(one.x, bounds.x + radius), bounds.x + bounds.w - radius);
      one.y = Math.min(Math.max(one.y, bounds.y + radius), bounds.y + bounds.h - radius);
    }
  };
  for (let round = 0; round < 60; round += 1) {
    let touched = false;
    keep();
    moved.forEach((a, i) => {
      moved.slice(i + 1).forEach((b, j) => {
        const [dx, dy] = [b.x - a.x, b.y - a.y];
        const distance = Math.hypot(dx, dy);
        const short = 2 * radius + 1 - distance;
        if (short <= 0) return;
        touched = true;
        // Two on one spot part in a direction of their own, so that three do not stay in a line.
        const angle = distance > 0.01 ? Math.atan2(dy, dx) : (i * 2.4 + j) % (2 * Math.PI);
        const [sx, sy] = [(Math.cos(angle) * short) / 2, (Math.sin(angle) * short) / 2];
        a.x -= sx;
        a.y -= sy;
        b.x += sx;
        b.y += sy;
      });
    });
    if (!touched) break;
  }
  keep();
  return moved;
}
