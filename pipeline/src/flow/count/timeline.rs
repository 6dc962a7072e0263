//! Minutes of steady time with names from the wall.
//!
//! What is counted is counted by steady time; the wall's time only names the minute. While the two agree within
//! `AGREE`, minutes follow each other without a seam, however the wall is slewed. Where the wall jumps, the
//! minute then open is the last of the old time, and a part of one leads to the next whole minute of the new.

use crate::clock::Moment;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The wall may be off by this much before it has jumped: more than it is slewed by in a minute.
const AGREE: SignedDuration = SignedDuration::from_secs(3);
/// A minute is stretched by no more than this so that its name stays true.
const STRETCH: SignedDuration = SignedDuration::from_millis(200);
const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A minute, or the part of one in which counting began or the wall jumped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Its name: when it begins by the wall, a whole minute.
    pub at: Timestamp,
    /// Steady time of its begin.
    pub begin: Duration,
    /// Steady time of its end.
    pub end: Duration,
    /// Whether it is the whole minute.
    pub whole: bool,
}

/// The wall's time; before 1970 or beyond what a calendar holds it is nothing that could name a minute.
fn wall(moment: Moment) -> Timestamp {
    Timestamp::try_from(moment.wall).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The whole minute that `at` is in.
pub fn minute_of(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

/// The bin of a moment that begins now: to the next whole minute by the wall.
fn part(begin: Duration, at: Timestamp) -> Bin {
    let minute = minute_of(at);
    let passed = at.duration_since(minute);
    let rest = MINUTE - passed;
    let end = begin + Duration::try_from(rest).unwrap_or_default().max(Duration::from_millis(1));
    Bin { at: minute, begin, end, whole: passed.is_zero() }
}

impl Bin {
    /// The first bin of a process.
    pub fn first(now: Moment) -> Self {
        part(now.steady, wall(now))
    }

    /// The bin after this one; `now` is at its begin or later.
    pub fn next(&self, now: Moment) -> Self {
        let begin = self.end;
        let since = SignedDuration::try_from(now.steady.saturating_sub(begin)).unwrap_or_default();
        let meant = self.at.checked_add(MINUTE).unwrap_or(self.at);
        let said = wall(now).checked_sub(since).unwrap_or(meant);
        let ahead = said.duration_since(meant);
        if ahead.abs() > AGREE {
            return part(begin, said);
        }
        let length = MINUTE - ahead.clamp(-STRETCH, STRETCH);
        Self { at: meant, begin, end: begin + Duration::try_from(length).unwrap_or_default(), whole: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::SystemTime;

    fn moment(steady_ms: u64, wall_ms: u64) -> Moment {
        Moment {
            steady: Duration::from_millis(steady_ms),
            wall: SystemTime::UNIX_EPOCH + Duration::from_millis(wall_ms),
        }
    }

    #[test]
    fn counting_begins_with_a_part_of_a_minute() {
        let first = Bin::first(moment(5_000, 90_000));
        assert_eq!((first.at.as_second(), first.end, first.whole), (60, Duration::from_secs(35), false));
        let next = first.next(moment(35_000, 120_000));
        assert_eq!((next.at.as_second(), next.end, next.whole), (120, Duration::from_secs(95), true));
    }

    #[test]
    fn a_wall_that_jumps_back_makes_a_part_of_a_minute_and_goes_on_from_there() {
        let bin = Bin::first(moment(0, 600_000));
        let jumped = bin.next(moment(61_000, 330_000 + 1_000));
        assert_eq!((jumped.at.as_second(), jumped.whole, jumped.end), (300, false, Duration::from_secs(90)));
        assert_eq!(jumped.next(moment(90_000, 360_000)).at.as_second(), 360);
    }

    proptest! {
        /// Bins touch; whatever the wall does, none is longer than a minute and a stretch, and a whole one is not shorter.
        #[test]
        fn bins_touch_and_none_is_too_long(jumps in prop::collection::vec(-100_000i64..100_000, 1..50)) {
            let (mut wall, mut bin) = (10_000_000i64, Bin::first(moment(0, 10_000_000)));
            for jump in jumps {
                wall += i64::try_from((bin.end - bin.begin).as_millis()).unwrap() + jump.max(-wall / 2);
                let now = moment(u64::try_from(bin.end.as_millis()).unwrap(), u64::try_from(wall).unwrap());
                let next = bin.next(now);
                prop_assert_eq!(next.begin, bin.end);
                let length = next.end - next.begin;
                prop_assert!(length <= Duration::from_millis(60_200) && !length.is_zero());
                prop_assert!(!next.whole || length >= Duration::from_millis(59_800));
                prop_assert_eq!(next.at.as_second() % 60, 0);
                bin = next;
            }
        }

        /// A wall that is slewed never loses a minute.
        #[test]
        fn a_slewed_wall_names_every_minute_once(slew_ms in -30i64..30) {
            let mut bin = Bin::first(moment(0, 6_000_000));
            for minute in 1..2000i64 {
                let steady = i64::try_from(bin.end.as_millis()).unwrap();
                let next = bin.next(moment(steady as u64, (6_000_000 + steady + slew_ms * minute) as u64));
                prop_assert_eq!(next.at.as_second(), 6_000 + 60 * minute);
                bin = next;
            }
        }
    }
}
