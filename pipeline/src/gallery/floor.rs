//! The time floor: how late it is at least, whatever the box's clock says.
//!
//! A box without a battery wakes in 1970, and a clock that is set back would keep everybody longer than they agreed to. So the
//! store remembers the latest time it was sure of, and counts on from there by steady time. A clock that jumps ahead is
//! believed at once for recognising nobody too long, but only after a while for erasing: an hour's mistake must not forget a
//! whole venue.

use crate::clock::Moment;
use std::time::{Duration, SystemTime};

/// A jump ahead that lasts this long is no mistake.
const BELIEVED_AFTER: Duration = Duration::from_secs(10 * 60);

/// What clocks drift and are corrected by; no jump.
const DRIFT: Duration = Duration::from_secs(60);

/// A floor that is so much ahead of the clock is one that a clock of the far future left behind: nobody can enrol sensibly.
pub(crate) const FAR: Duration = Duration::from_secs(24 * 3600);

/// What staff do about that.
pub const MEND: &str =
    "set the clock; if it is right, stop the gate, forget everybody, and run `usher audit lower-floor`";

/// How often the floor is written down.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// The floor, counting.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// What was sure, and the steady time then.
    sure: (SystemTime, Duration),
    /// Since when (steady) the wall clock has been far ahead.
    ahead_since: Option<Duration>,
    /// Steady time of the last writing.
    written: Option<Duration>,
}

impl Floor {
    /// Counts on from the `stored` floor; without one, from the clock.
    pub fn new(stored: Option<SystemTime>, now: Moment) -> Self {
        Self { sure: (stored.unwrap_or(now.wall), now.steady), ahead_since: None, written: None }
    }

    /// The latest that it may be: nobody whose time is over by it is recognised.
    pub fn latest(&self, now: Moment) -> SystemTime {
        now.wall.max(self.counted(now))
    }

    /// How far it is ahead of the clock, where that is more than a day.
    pub fn far_ahead(&self, now: Moment) -> Option<Duration> {
        self.counted(now).duration_since(now.wall).ok().filter(|ahead| *ahead > FAR)
    }

    /// The time that is sure: whoever's time is over by it is erased.
    pub fn sure(&mut self, now: Moment) -> SystemTime {
        let counted = self.counted(now);
        if now.wall <= counted + DRIFT {
            self.ahead_since = None;
            self.sure = (counted.max(now.wall), now.steady);
        } else {
            let since = *self.ahead_since.get_or_insert(now.steady);
            if now.steady.saturating_sub(since) >= BELIEVED_AFTER {
                self.ahead_since = None;
                self.sure = (now.wall, now.steady);
            }
        }
        self.counted(now)
    }

    /// The floor to be written down, when it is time for that.
    pub fn to_write(&mut self, now: Moment) -> Option<SystemTime> {
        let due = self.written.is_none_or(|written| now.steady.saturating_sub(written) >= WRITTEN_EVERY);
        due.then(|| {
            self.written = Some(now.steady);
            self.sure(now)
        })
    }

    fn counted(&self, now: Moment) -> SystemTime {
        let (sure, at) = self.sure;
        sure + now.steady.saturating_sub(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall_s: u64, steady_s: u64) -> Moment {
        Moment { wall: SystemTime::UNIX_EPOCH + Duration::from_secs(wall_s), steady: Duration::from_secs(steady_s) }
    }

    fn wall(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_box_that_wakes_in_1970_counts_on_from_what_it_knew() {
        let mut floor = Floor::new(Some(wall(1_000_000)), at(5, 0));
        assert_eq!(floor.latest(at(5, 0)), wall(1_000_000));
        assert_eq!(floor.sure(at(3_605, 3_600)), wall(1_003_600));
        assert_eq!(floor.latest(at(3_605, 3_600)), wall(1_003_600));
    }

    #[test]
    fn a_clock_set_back_keeps_nobody_longer() {
        let mut floor = Floor::new(None, at(1_000_000, 0));
        assert_eq!(floor.sure(at(1_000_010, 10)), wall(1_000_010));
        assert_eq!(floor.sure(at(996_420, 20)), wall(1_000_020));
        assert_eq!(floor.latest(at(996_420, 20)), wall(1_000_020));
    }

    #[test]
    fn a_jump_ahead_hides_at_once_and_erases_only_when_it_lasts() {
        let mut floor = Floor::new(None, at(1_000_000, 0));
        assert_eq!(floor.latest(at(1_003_610, 10)), wall(1_003_610));
        assert_eq!(floor.sure(at(1_003_610, 10)), wall(1_000_010));
        // Mended before it was believed: nothing happened.
        assert_eq!(floor.sure(at(1_000_100, 100)), wall(1_000_100));
        for steady in [110, 400, 700] {
            assert_eq!(floor.sure(at(1_003_600 + steady, steady)), wall(1_000_000 + steady));
        }
        assert_eq!(floor.sure(at(1_004_310, 710)), wall(1_004_310));
    }

    #[test]
    fn a_far_future_that_was_believed_is_told() {
        let mut floor = Floor::new(None, at(1_000_000, 0));
        let year = 365 * 24 * 3600;
        floor.sure(at(1_000_000 + year, 10));
        assert_eq!(floor.far_ahead(at(1_000_020, 20)), None, "not believed yet");
        floor.sure(at(1_000_700 + year, 710));
        assert_eq!(floor.far_ahead(at(1_000_800 + year, 810)), None, "the clock is as far");
        assert_eq!(floor.far_ahead(at(1_000_900, 910)), Some(Duration::from_secs(year)));
        let hours = Floor::new(Some(wall(1_000_000 + 20 * 3600)), at(1_000_000, 0));
        assert_eq!(hours.far_ahead(at(1_000_000, 0)), None, "that passes by itself");
    }

    #[test]
    fn it_is_written_down_once_a_minute() {
        let mut floor = Floor::new(None, at(100, 0));
        assert_eq!(floor.to_write(at(100, 0)), Some(wall(100)));
        assert_eq!(floor.to_write(at(130, 30)), None);
        assert_eq!(floor.to_write(at(160, 60)), Some(wall(160)));
    }
}
