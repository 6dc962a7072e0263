//! Slots of a week, by the venue's clocks.
//!
//! Seasons follow clocks, not the sun: when these change, an hour's slots are met twice or not at all.

use jiff::{Timestamp, tz::TimeZone};

/// Days of a week.
pub(crate) const DAYS: usize = 7;

/// A week in slots of some minutes.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    /// Minutes of a slot; a day has a whole number of them.
    slot_min: u32,
}

/// A time as the calendar sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// Days since some day, by the clocks.
    pub(crate) day: i64,
    /// Day of the week, from 0.
    pub(crate) weekday: usize,
    /// Slots since midnight, with parts: where a step's middle lies among the slots' middles.
    pub(crate) within: f64,
    /// The slot it is in, of the day.
    pub(crate) slot: usize,
}

impl Calendar {
    /// Slots as long as a step, though never shorter than a quarter of an hour.
    pub(crate) fn new(zone: TimeZone, step_s: i64) -> Self {
        let minutes = u32::try_from((step_s + 59) / 60).unwrap_or(1440).clamp(15, 1440);
        let slot_min = (minutes..=1440).find(|minutes| 1440 % minutes == 0).unwrap_or(1440);
        Self { zone, slot_min }
    }

    /// Slots of a day.
    pub(crate) fn day(&self) -> usize {
        1440 / self.slot_min as usize
    }

    /// Minutes of a slot.
    pub(crate) fn slot_min(&self) -> u32 {
        self.slot_min
    }

    /// Where a step of `step_s` seconds that begins at `at_s` (Unix seconds) lies.
    pub(crate) fn place(&self, at_s: i64, step_s: i64) -> Place {
        let at = Timestamp::from_second(at_s).unwrap_or(Timestamp::UNIX_EPOCH);
        let at_s = at.as_second() + i64::from(self.zone.to_offset(at).seconds());
        let (day, second) = (at_s.div_euclid(86_400), at_s.rem_euclid(86_400));
        let slot_s = f64::from(self.slot_min) * 60.0;
        let slot = (second as f64 / slot_s) as usize;
        // Day 0 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        Place { day, weekday, slot, within: (second as f64 + 0.5 * step_s as f64) / slot_s - 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_the_clocks_when_they_change() {
        let berlin = Calendar::new(TimeZone::get("Europe/Berlin").unwrap(), 300);
        assert_eq!((berlin.day(), berlin.slot_min()), (96, 15));
        let place = |at: &str| berlin.place(at.parse::<Timestamp>().unwrap().as_second(), 900);
        let (before, after) = (place("2026-03-28T11:00:00Z"), place("2026-03-29T10:00:00Z"));
        assert_eq!((before.slot, before.weekday), (48, 5));
        assert_eq!((after.slot, after.weekday, after.day - before.day), (48, 6, 1));
        assert_eq!(place("2026-10-25T00:30:00Z"), place("2026-10-25T01:30:00Z"));
    }

    #[test]
    fn a_day_has_whole_slots_whatever_the_step() {
        for step_s in [1, 60, 420, 1800, 2000, 3600, 40_000, 86_400] {
            let calendar = Calendar::new(TimeZone::UTC, step_s);
            assert_eq!(calendar.day() * calendar.slot_min() as usize, 1440);
            assert!(calendar.place(86_399, step_s).slot < calendar.day());
        }
    }
}
