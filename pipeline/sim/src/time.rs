//! Time of a simulated day: one true time, a wall clock that jumps, a steady clock for each process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use usher::clock::{Clock, Moment};

/// When every day begins: a Monday in November 2026, 08:00 UTC.
pub(crate) const MORNING: Duration = Duration::from_secs(1_795_334_400);

/// The true time, and how far the wall clock is off.
#[derive(Default)]
pub(crate) struct Time {
    nanos: AtomicU64,
    off_ms: AtomicI64,
}

impl Time {
    /// Since the day began.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, now: Duration) {
        self.nanos.store(now.as_nanos() as u64, Ordering::Relaxed);
    }

    /// What the wall clock shows more than it should, milliseconds.
    pub(crate) fn off_ms(&self) -> i64 {
        self.off_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn jump(&self, off_ms: i64) {
        self.off_ms.store(off_ms, Ordering::Relaxed);
    }

    /// What the wall clock shows.
    pub(crate) fn wall(&self) -> SystemTime {
        let (right, off) = (true_wall(self.now()), self.off_ms());
        let by = Duration::from_millis(off.unsigned_abs());
        if off < 0 { right - by } else { right + by }
    }
}

/// What a wall clock should show at the true time `now`.
pub(crate) fn true_wall(now: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + MORNING + now
}

/// The clock of one process: steady time since it was born.
pub(crate) struct Hands {
    pub(crate) time: Arc<Time>,
    pub(crate) born: Duration,
}

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment { steady: self.time.now().saturating_sub(self.born), wall: self.time.wall() }
    }
}
