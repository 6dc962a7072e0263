// Gates for the flow page's tests: a day of counts, a queue, a fan, sessions and advice, all made here and seeded.

const MINUTE = 60_000;

/** A generator of numbers from 0 to 1, the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const fan = (median, spread = 0.3) => ({ median, low80: median * (1 - spread), high80: median * (1 + spread), low95: median * (1 - 1.6 * spread), high95: median * (1 + 1.7 * spread) });
const estimate = (value) => ({ value, low: value * 0.85, high: value * 1.2 });

/** People a minute at a moment that is so many minutes from now: two waves, one of them still to come. */
const rate = (minutes, size) => size * (0.25 + 1.5 * Math.exp(-(((minutes + 150) / 45) ** 2)) + 2 * Math.exp(-(((minutes - 35) / 40) ** 2)));

/**
 * A gate as the box tells of it. `size` is how busy it is, `gap` from and to how many minutes ago nobody saw, `wait` the wait
 * in seconds now, `lanes` none where no queue is measured.
 */
export function gate(name, { size = 8, wait = 200, limit = 600, lanes = 3, gap = null, counting = "whole", lost = [], advice = [], seed = 7, rests_on = "both", forecast = true, left = true } = {}) {
  const chance = seeded(seed);
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  const at = new Date().toISOString();
  const past = [];
  let inside = 0;
  for (let ago = 24 * 60; ago >= 1; ago -= 1) {
    const isGone = gap !== null && ago <= gap[0] && ago > gap[1];
    const mean = rate(-ago, size);
    const entered = Math.max(0, Math.round(mean + (chance() + chance() + chance() - 1.5) * 1.6 * Math.sqrt(mean)));
    const out = Math.round(mean * 0.2 * chance());
    inside += entered - out;
    const waits = wait * (0.3 + 0.7 * Math.min(rate(-ago, 1) / rate(0, 1), 1.6)) * (0.92 + 0.16 * chance());
    past.push({ at: (now - ago * MINUTE) / 1000, ...(isGone ? {} : { entered, ...(left ? { left: out } : {}), ...(lanes ? { queue: (waits * size) / 80, wait: waits } : {}) }) });
  }
  const last = past.at(-1);
  const flow = {
    v: 1,
    site: "arena",
    gate: name,
    at,
    counting,
    lost_cameras: lost,
    ...(last.entered === undefined ? {} : { entered_last_minute: last.entered, ...(left ? { left_last_minute: last.left } : {}) }),
    entered_total: inside + 500,
    left_total: 500,
    ...(left ? { inside } : {}),
    ...(lanes && last.entered !== undefined ? { queue: { length: estimate((wait * size) / 80), wait_seconds: estimate(wait), service_per_minute: estimate(size * 1.1), lanes_open: lanes } } : {}),
    ...(limit ? { limit_seconds: limit } : {}),
    advice,
  };
  const horizon = (minutes) => ({ minutes, arrivals: fan(rate(minutes, size), 0.15 + minutes / 200), ...(lanes ? { queue: fan((wait * size * (1 + minutes / 80)) / 80), wait_seconds: fan(wait * (1 + minutes / 80), 0.2 + minutes / 200) } : {}) });
  const first = Math.ceil(now / (15 * MINUTE)) * 15;
  const day = Array.from({ length: 40 }, (_, i) => ({ at: new Date((first + i * 15) * MINUTE).toISOString(), arrivals: fan(15 * rate(first + i * 15 - now / MINUTE, size), 0.45) }));
  const grades = [5, 15, 30, 60].map((minutes, i) => ({ minutes, forecasts: 120 - i, mean_absolute_error: 1.2 + i / 2, mase: 0.62 + i / 40, coverage80: 0.8 - i / 100, ...(i < 3 ? { coverage95: 0.945 } : {}) }));
  return { do: "gate", flow, past, forecast: forecast ? { v: 1, site: "arena", gate: name, at, horizons: [5, 15, 30, 60].map(horizon), day, grades, rests_on } : null };
}

/** A session that begins in so many minutes. */
export function session(title, minutes, lasts, venue = "Main Stadium", at = null) {
  const time = (plus) => new Date(Math.ceil(Date.now() / MINUTE) * MINUTE + plus * MINUTE).toISOString();
  return { title, venue, gate: at, starts: time(minutes), ends: time(minutes + lasts) };
}

export const ADVICE = {
  over: { cause: "wait", kind: "over", wait_seconds: 760, text: "One waits 13 minutes here, over the limit of 10." },
  soon: { cause: "wait", kind: "over_soon", minutes: 12, text: "The wait will be over 10 minutes in 12 minutes." },
  open: { cause: "lanes", kind: "open_lanes", lanes: 2, text: "Open 2 lanes: the wait stays below 7 minutes." },
  close: { cause: "lanes", kind: "close_lanes", lanes: 1, text: "1 lane can close: the wait stays below 2 minutes." },
  steer: { cause: "steer", kind: "steer", gate: "gate-b", wait_seconds: 240, text: "Send visitors to Gate B: 4 minutes there." },
  lost: { cause: "cameras", kind: "camera_lost", text: "gate-e-2 does not see: the counts are too low." },
};

/** Six gates of an evening on which two sessions begin. */
export function evening() {
  return [
    gate("gate-a", { size: 14, wait: 760, lanes: 4, advice: [ADVICE.over, ADVICE.open, ADVICE.steer], seed: 1 }),
    gate("gate-b", { size: 7, wait: 240, lanes: 3, seed: 2 }),
    gate("gate-c", { size: 11, wait: 430, lanes: 3, gap: [38, 21], advice: [ADVICE.soon], seed: 3 }),
    gate("gate-d", { size: 3, wait: 5, lanes: 2, advice: [ADVICE.close], seed: 4 }),
    gate("gate-e", { size: 6, wait: 180, lanes: 2, counting: "partial", lost: ["gate-e-2"], advice: [ADVICE.lost], seed: 5, rests_on: "programme" }),
    gate("gate-f", { size: 5, lanes: 0, limit: 0, gap: [25, 0], counting: "none", lost: ["gate-f-1"], seed: 6, left: false, rests_on: "live_only" }),
  ];
}

export const SESSIONS = [session("Women's 100 m, heats", 40, 95), session("Mixed doubles", -180, 130, "Exhibition Hall 1"), session("Men's pole vault, final", 40, 150), session("Judo, −63 kg", 95, 60, "Dojo", "gate-a"), session("Swimming, finals", 240, 120, "Aquatics Centre", "gate-d")];
