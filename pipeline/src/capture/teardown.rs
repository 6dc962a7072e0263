//! Bringing old pipelines down, each on a thread of its own.
//!
//! A pipeline whose camera or driver hangs may take minutes to reach NULL, or never. Whoever wants the camera back must
//! not wait for that, so the deed runs apart, under a deadline that only counts and says so.

use crate::clock::{Clock, Moment};
use crate::{metrics::CAMERA_TEARDOWN_OVERRUN, supervise};
use crossbeam::channel::{Receiver, RecvTimeoutError, TryRecvError, bounded};
use std::{sync::Arc, time::Duration};
use tracing::warn;
use usher_config::value::Name;

/// How long a pipeline may take to come down before it is counted as hanging.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// The pipelines of one camera that are on their way down.
pub(crate) struct Teardowns {
    camera: Name,
    clock: Arc<dyn Clock>,
    going: Vec<Going>,
}

struct Going {
    since: Moment,
    done: Receiver<()>,
    overran: bool,
}

impl Teardowns {
    pub(crate) fn new(camera: Name, clock: Arc<dyn Clock>) -> Self {
        Self { camera, clock, going: Vec::new() }
    }

    /// Starts `close` on a thread of its own.
    pub(crate) fn begin(&mut self, close: impl FnOnce() + Send + 'static) {
        // Nothing is ever sent; the sender's end is the message.
        let (alive, done) = bounded::<()>(1);
        // Not joined: a thread that hangs would hold whoever joins it.
        let _detached = supervise::spawn(&format!("down-{}", self.camera), move || {
            close();
            drop(alive);
        });
        self.going.push(Going { since: self.clock.now(), done, overran: false });
    }

    /// Forgets those that are down; counts and logs, once each, those that have overrun. Never waits.
    pub(crate) fn look(&mut self) {
        let now = self.clock.now();
        self.going.retain(|going| matches!(going.done.try_recv(), Err(TryRecvError::Empty)));
        for going in self.going.iter_mut().filter(|going| !going.overran && now.since(going.since) > DEADLINE) {
            going.overran = true;
            metrics::counter!(CAMERA_TEARDOWN_OVERRUN, "camera" => self.camera.to_string()).increment(1);
            warn!(camera = %self.camera, "an old pipeline hangs on its way down and is left behind");
        }
    }

    /// How many are past the deadline and still hang.
    pub(crate) fn hanging(&self) -> usize {
        self.going.iter().filter(|going| going.overran).count()
    }

    /// Waits up to `patience` in all for those that are still on their way: for an orderly end of the process.
    pub(crate) fn finish(self, patience: Duration) {
        let start = self.clock.now();
        for going in &self.going {
            let left = patience.saturating_sub(self.clock.now().since(start));
            if let Err(RecvTimeoutError::Timeout) = going.done.recv_timeout(left) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::HandClock;
    use std::time::SystemTime;

    #[test]
    fn a_pipeline_that_hangs_on_its_way_down_holds_nobody_and_is_counted_once() {
        let clock = HandClock::at(SystemTime::UNIX_EPOCH);
        let mut teardowns = Teardowns::new(Name::new("gate").unwrap(), clock.clone());
        let (release, hang) = bounded::<()>(1);
        let (ended, end) = bounded::<()>(1);
        teardowns.begin(move || {
            // Hangs until the test lets go; a real thread really blocked.
            let _released = hang.recv();
            drop(ended);
        });
        teardowns.look();
        assert_eq!(teardowns.hanging(), 0);
        clock.pass(DEADLINE + Duration::from_millis(1));
        teardowns.look();
        teardowns.look();
        assert_eq!(teardowns.hanging(), 1);
        // The camera goes on: another pipeline comes and goes beside the one that hangs.
        let (gone, went) = bounded::<()>(1);
        teardowns.begin(move || drop(gone));
        assert!(went.recv().is_err());
        drop(release);
        assert!(end.recv().is_err());
        teardowns.finish(Duration::from_secs(20));
    }
}
