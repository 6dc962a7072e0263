//! The clock: the only file that asks what time it is.
//!
//! Everything that needs the time is handed a [`Clock`], so that tests and the simulator turn it by hand. Steady time
//! is compared, wall time is published; the two are never mixed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Since the clock was made; never goes back. For comparing.
    pub steady: Duration,
    /// What a watch shows; may jump. For publishing.
    pub wall: SystemTime,
}

impl Moment {
    /// Steady time from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(&self, earlier: Moment) -> Duration {
        self.steady.saturating_sub(earlier.steady)
    }
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// The machine's own clock.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose steady time begins here.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn start() -> Arc<Self> {
        Arc::new(Self { start: Instant::now() })
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> Moment {
        Moment { steady: self.start.elapsed(), wall: SystemTime::now() }
    }
}

/// A clock that is turned by hand: for tests and simulation.
pub struct HandClock {
    now: Mutex<Moment>,
}

impl HandClock {
    /// A clock that shows `wall` and stands still.
    pub fn at(wall: SystemTime) -> Arc<Self> {
        Arc::new(Self { now: Mutex::new(Moment { steady: Duration::ZERO, wall }) })
    }

    /// Lets `by` pass on both clocks.
    pub fn pass(&self, by: Duration) {
        let mut now = self.now.lock().expect("no holder of this lock panics");
        now.steady += by;
        now.wall += by;
    }

    /// Sets the wall clock, as a jump does; no time passes.
    pub fn turn(&self, wall: SystemTime) {
        self.now.lock().expect("no holder of this lock panics").wall = wall;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        *self.now.lock().expect("no holder of this lock panics")
    }
}
