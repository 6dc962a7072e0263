//! A clock that jumps under the outbox: rows are kept for as long as was promised, by steady time.
//!
//! A box without a battery decides visits in 1970 until somebody tells it the time. Were rows held against the new time alone, all
//! of them would be over at once, and lost. So whenever the wall clock jumps, the ends of the rows that this process took in by the
//! old time jump with it, and so do their beginnings, by which they are known at the next jump. Rows of an earlier process, whose
//! steady time is gone, stay as they are.

use crate::{
    clock::Moment,
    publish::{
        outbox::{Outbox, held},
        shelf::millis,
    },
};
use std::time::{Duration, SystemTime};

/// What clocks drift and are corrected by; no jump.
const DRIFT: i64 = 60_000;

/// The wall clock as it was last seen, and by the same clock when this process began.
pub(super) struct Believed {
    since: SystemTime,
    last: Moment,
}

impl Believed {
    pub(super) fn from(now: Moment) -> Self {
        Self { since: now.wall, last: now }
    }
}

impl Outbox {
    /// Moves the ends of what was taken in by the clock that has just jumped.
    pub(super) fn follow_clock(&self, now: Moment) {
        let mut inner = self.lock();
        let Believed { since, last } = inner.believed;
        inner.believed.last = now;
        let jump = millis(now.wall) - millis(last.wall) - now.since(last).as_millis() as i64;
        if jump.abs() <= DRIFT {
            return;
        }
        inner.believed.since = moved(since, jump);
        // A moment more: what was decided while the clock was being set.
        let (from, to) = (millis(since), millis(last.wall) + DRIFT);
        for row in inner.in_memory.values_mut() {
            if (from..=to).contains(&millis(row.decided)) {
                (row.decided, row.keep_until) = (moved(row.decided, jump), moved(row.keep_until, jump));
            }
        }
        drop(inner);
        tracing::warn!(jump_s = jump / 1000, "the clock jumped; visits that wait are kept as long as before");
        self.on_disk(move |keep, inner| {
            let moved = keep.move_rows(from, to, jump);
            held(inner).note(moved);
        });
    }
}

fn moved(at: SystemTime, by: i64) -> SystemTime {
    let far = Duration::from_millis(by.unsigned_abs());
    let moved = if by < 0 { at.checked_sub(far) } else { at.checked_add(far) };
    moved.unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{Clock, HandClock},
        gallery::visitor::VisitorId,
        publish::outbox::{Kind, Row},
    };
    use usher_config::value::Name;
    use uuid::Uuid;

    const KEEP: Duration = Duration::from_secs(3600);

    fn row(clock: &HandClock) -> Row {
        let now = clock.now().wall;
        Row {
            id: Uuid::new_v4(),
            kind: Kind::Visit,
            gate: Name::new("north").unwrap(),
            visitor: VisitorId(Uuid::new_v4()),
            topic: "t".into(),
            body: b"{}".as_slice().into(),
            decided: now,
            keep_until: now + KEEP,
            arrived: None,
        }
    }

    #[test]
    fn visits_of_a_box_that_woke_in_1970_outlive_the_moment_at_which_it_learns_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        let clock = HandClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let outbox = Outbox::open(&path, KEEP, clock.clone()).unwrap();
        outbox.append(vec![row(&clock)]);
        drop(outbox);
        clock.turn(SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        let outbox = Outbox::open(&path, KEEP, clock.clone()).unwrap();
        outbox.append(vec![row(&clock)]);
        clock.pass(Duration::from_secs(10));
        outbox.tend();
        clock.turn(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_100));
        outbox.tend();
        assert_eq!(outbox.depth(), 2, "both are kept: that of 1970 and that of before");
        clock.pass(KEEP - Duration::from_secs(60));
        outbox.tend();
        assert_eq!(outbox.depth(), 1, "the older one's hour is over");
        clock.pass(Duration::from_secs(120));
        outbox.tend();
        assert_eq!(outbox.depth(), 0, "and so is that of the other");
    }

    #[test]
    fn a_clock_set_back_and_forth_keeps_visits_as_long_as_promised() {
        let folder = tempfile::tempdir().unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = HandClock::at(start);
        let outbox = Outbox::open(&folder.path().join("outbox.db"), KEEP, clock.clone()).unwrap();
        outbox.append(vec![row(&clock)]);
        for jumped in [start + KEEP * 2, start - KEEP, start + KEEP * 30] {
            outbox.tend();
            clock.turn(jumped);
            outbox.tend();
            assert_eq!(outbox.depth(), 1);
        }
        clock.pass(KEEP);
        outbox.tend();
        assert_eq!(outbox.depth(), 0);
    }
}
