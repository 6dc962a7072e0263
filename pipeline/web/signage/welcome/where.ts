// Where a stop is that came without a position: by its venue's name, as the site's map has it.
import type { Site } from "../box.ts";
import type { Day, Stop } from "../day.ts";
import type { LonLat } from "../read.ts";

/** A day whose stops have the positions that the site knows. */
export function located(day: Day, site: Site | null): Day {
  if (!site) return day;
  return { ...day, stops: day.stops.map((stop) => (stop.at || stop.kind !== "session" ? stop : { ...stop, at: placeOf(stop, site) })) };
}

function placeOf(stop: Stop, site: Site): LonLat | null {
  const venue = stop.place.split(" · ")[0];
  if (!venue) return null;
  const place = site.places.find((one) => one.name === venue);
  if (place) return place.at;
  const outline = site.areas.find((one) => one.name === venue)?.outline;
  if (!outline) return null;
  const middle = (which: 0 | 1) => {
    const all = outline.map((point) => point[which]);
    return (Math.min(...all) + Math.max(...all)) / 2;
  };
  return [middle(0), middle(1)];
}
