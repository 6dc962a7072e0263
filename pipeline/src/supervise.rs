//! Threads by name, and how they stop together.
//!
//! Stop means: the [`Stop`] that cameras and sinks hold is released, senders are dropped, and every stage returns when
//! its input closes, left to right. A thread that ends unasked ends the process in order; its supervisor (systemd)
//! starts it again, and the outbox makes that safe.

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Held by whoever must notice that the process is stopping.
#[derive(Clone)]
pub struct Stop {
    closed: Receiver<()>,
}

/// Held by whoever may stop the process; dropping it is stopping.
pub struct Stopper {
    _open: Sender<()>,
}

/// A stopper and what it stops.
pub fn stop() -> (Stopper, Stop) {
    // Nothing is ever sent; the channel's end is the message, so one place is plenty.
    let (open, closed) = bounded(1);
    (Stopper { _open: open }, Stop { closed })
}

impl Stop {
    /// Waits for `most` or for the stop, whichever comes first; true when stopping.
    pub fn wait(&self, most: Duration) -> bool {
        matches!(self.closed.recv_timeout(most), Err(RecvTimeoutError::Disconnected))
    }

    /// Whether the process is stopping.
    pub fn is_stopping(&self) -> bool {
        self.wait(Duration::ZERO)
    }

    /// Waits until the process is stopping.
    pub fn wait_for_it(&self) {
        let _closed = self.closed.recv();
    }
}

/// Starts a thread with a name that `top -H` and panics show.
///
/// # Panics
/// When the system has no thread to give; there is nothing to go on with then.
#[expect(clippy::disallowed_methods, reason = "this is the one place that starts threads")]
pub fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::Builder::new().name(name.to_owned()).spawn(run).expect("the system has a thread to give")
}

/// One stage's sign of life; the watchdog is fed only while every beat is young.
#[derive(Clone, Default)]
pub struct Beat {
    count: Arc<AtomicU64>,
    excused: Arc<AtomicBool>,
}

/// While it is held, a stage may stand without hanging: see [`Beat::excused`].
pub struct Excused(Arc<AtomicBool>);

impl Drop for Excused {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Beat {
    /// The stage has gone round once more, with work or without.
    pub fn beat(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// The stage waits for a disk, and nobody at a gate waits for the stage. A disk that hangs is told by health; ending the
    /// process would mend nothing and close the gate.
    pub fn excused(&self) -> Excused {
        self.excused.store(true, Ordering::Release);
        Excused(self.excused.clone())
    }

    /// How often so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// A stage that has not gone round for this long hangs. Longer than the longest honest round (a disk that writes
/// slowly, a crowd to embed), shorter than the unit's `WatchdogSec`.
pub const HANGS: Duration = Duration::from_secs(5);

/// Every stage's beat, and when it was last heard.
#[derive(Default)]
pub struct Pulse {
    stages: Vec<(String, Beat, u64, Duration)>,
}

impl Pulse {
    /// Listens to `beat` of the stage called `name` as well.
    pub fn listen(&mut self, name: impl Into<String>, beat: Beat, now: Duration) {
        self.stages.push((name.into(), beat, 0, now));
    }

    /// Listens to a stage no more.
    pub fn forget(&mut self, name: &str) {
        self.stages.retain(|(listened, ..)| listened != name);
    }

    /// The stages that hang at steady time `now`. To be asked about once a second.
    pub fn hanging(&mut self, now: Duration) -> Vec<String> {
        for (_, beat, count, heard) in &mut self.stages {
            if beat.count() != *count || beat.excused.load(Ordering::Acquire) {
                (*count, *heard) = (beat.count(), now);
            }
        }
        let hangs = |heard: &Duration| now.saturating_sub(*heard) > HANGS;
        self.stages.iter().filter(|(.., heard)| hangs(heard)).map(|(name, ..)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_goes_round_does_not_hang_and_one_that_stands_is_named() {
        let (mut pulse, walks, stands) = (Pulse::default(), Beat::default(), Beat::default());
        pulse.listen("walks", walks.clone(), Duration::ZERO);
        pulse.listen("stands", stands.clone(), Duration::ZERO);
        stands.beat();
        for second in 1..=6 {
            walks.beat();
            let hanging = pulse.hanging(Duration::from_secs(second));
            assert!(hanging.is_empty(), "nobody stands for more than five seconds yet");
        }
        walks.beat();
        assert_eq!(pulse.hanging(Duration::from_secs(7)), ["stands"]);
        stands.beat();
        assert!(pulse.hanging(Duration::from_secs(8)).is_empty());
    }

    #[test]
    fn a_stage_that_waits_for_a_disk_does_not_hang_until_it_has_it() {
        let (mut pulse, waits) = (Pulse::default(), Beat::default());
        pulse.listen("waits", waits.clone(), Duration::ZERO);
        let excused = waits.excused();
        assert!(pulse.hanging(Duration::from_secs(60)).is_empty());
        drop(excused);
        assert!(pulse.hanging(Duration::from_secs(64)).is_empty());
        assert_eq!(pulse.hanging(Duration::from_secs(66)), ["waits"]);
    }

    #[test]
    fn dropping_the_stopper_is_heard_by_everybody() {
        let (stopper, stop) = stop();
        let other = stop.clone();
        assert!(!stop.is_stopping());
        drop(stopper);
        assert!(stop.is_stopping() && other.wait(Duration::from_secs(3600)));
    }
}
