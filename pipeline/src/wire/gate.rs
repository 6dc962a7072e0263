//! A gate that runs.

use crate::{
    gallery::current::Current,
    health::Health,
    publish::Published,
    supervise::{Beat, Pulse, Stop, Stopper, spawn},
    wire::{
        cameras::Cameras,
        reload::{Reloader, watch},
    },
};
use crossbeam::channel::Receiver;
use std::{path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use usher_config::value::Secret;

/// A gate, running.
pub struct Gate {
    /// Its state.
    pub health: Arc<Health>,
    /// Where the pages are, with the port that was taken.
    pub pages: std::net::SocketAddr,
    /// Where visitors enrol, with the port that was taken.
    pub station: Option<std::net::SocketAddr>,
    /// What an operator signs in with.
    pub token: Secret,
    /// Where the embedded broker listens.
    pub broker: Option<std::net::SocketAddr>,
    /// The people who asked to be known.
    pub gallery: Arc<Current>,
    pub(super) stopper: Stopper,
    pub(super) stop: Stop,
    pub(super) pulse: Pulse,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) cameras: Arc<Cameras>,
    pub(super) published: Published,
    pub(super) reloader: Option<Reloader>,
}

/// Why a running gate must end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A thread ended unasked.
    #[error("thread {0} ended unasked; the process ends so that a whole one starts")]
    Ended(String),
}

impl Gate {
    /// Looks at the configuration's file from now on, and takes up what changes in it; at once when `asked`. `told` hears when that
    /// begins (true) and ends.
    pub fn reload_from(
        &mut self,
        path: &Path,
        asked: Receiver<()>,
        now: Duration,
        told: impl Fn(bool) + Send + 'static,
    ) {
        let Some(reloader) = self.reloader.take() else { return };
        let (path, stop, beat) = (path.to_owned(), self.stop.clone(), Beat::default());
        self.pulse.listen("reload", beat.clone(), now);
        self.threads.push(spawn("reload", move || watch(&path, reloader, &asked, &stop, &beat, &told)));
    }

    /// The stages that hang now. While there are any, the watchdog goes unfed.
    pub fn hanging(&mut self, now: Duration) -> Vec<String> {
        let mut hanging = self.pulse.hanging(now);
        hanging.extend(self.cameras.hanging(now));
        hanging
    }

    /// Whether every thread still runs.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn is_whole(&self) -> Result<(), Trouble> {
        let ended = self.threads.iter().find(|thread| thread.is_finished());
        let ended = ended.map(|thread| thread.thread().name().unwrap_or("?").to_owned());
        let publish = || self.published.is_finished().then(|| "publish".to_owned());
        match ended.or_else(|| self.cameras.ended()).or_else(publish) {
            Some(name) => Err(Trouble::Ended(name)),
            None => Ok(()),
        }
    }

    /// Stops in order: cameras first, then every stage as its input closes, the sink last.
    pub fn stop(self) {
        drop(self.stopper);
        self.cameras.stop();
        for thread in self.threads {
            // A stage that panicked has aborted the process already; there is nothing to learn from the result.
            let _ended = thread.join();
        }
        drop(self.reloader);
        self.published.join();
    }
}
