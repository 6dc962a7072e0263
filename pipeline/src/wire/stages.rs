//! The stages as they are started.

use crate::supervise::{Beat, Pulse, spawn};
use std::{thread::JoinHandle, time::Duration};

/// Threads and their signs of life.
pub(super) struct Stages {
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) pulse: Pulse,
    now: Duration,
}

impl Stages {
    /// None yet, at steady time `now`.
    pub(super) fn at(now: Duration) -> Self {
        Self { threads: Vec::new(), pulse: Pulse::default(), now }
    }

    /// Starts a stage that beats, on a thread of its name.
    pub(super) fn start(&mut self, name: &str, run: impl FnOnce(&Beat) + Send + 'static) {
        let beat = self.beat(name);
        self.threads.push(spawn(name, move || run(&beat)));
    }

    /// A beat that is listened to, for a stage that starts its own thread.
    pub(super) fn beat(&mut self, name: &str) -> Beat {
        let beat = Beat::default();
        self.listen(name, beat.clone());
        beat
    }

    /// Listens to a beat.
    pub(super) fn listen(&mut self, name: &str, beat: Beat) {
        self.pulse.listen(name, beat, self.now);
    }
}
