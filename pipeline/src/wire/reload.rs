//! Another configuration taken up while the gate runs.
//!
//! It is read whole first, and held against what a running gate may take up; what waits for a restart keeps its old value and is
//! named. Whoever identifies from now on is written to the audit log before anything else is done. Then what must end ends, the new
//! configuration is put in force for every stage at once, what is new starts, and it is told as done when every stage goes by it. A
//! camera that did not change keeps its thread, its connection and whom it follows.

mod file;
mod watch;

pub(super) use watch::watch;

use crate::{
    clock::Clock,
    gallery::{file::StoreError, store::Store},
    health::Health,
    in_force::InForce,
    publish::reins::Reins,
    supervise::{Beat, Stop},
    web::{Frame, enrol::Offers},
    wire::{cameras::Cameras, difference::Difference, settings},
};
use std::{sync::Arc, time::Duration};
use tracing::info;
use usher_config::{
    Config,
    reload::{Held, held},
    value::Name,
};

/// How often it is looked whether every stage goes by what is in force.
const GLANCE: Duration = Duration::from_millis(20);

/// What takes up another configuration.
pub(super) struct Reloader {
    pub(super) in_force: Arc<InForce>,
    pub(super) cameras: Arc<Cameras>,
    pub(super) health: Arc<Health>,
    pub(super) reins: Reins,
    pub(super) pages: Frame,
    pub(super) offers: Option<Offers>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// Workers that infer, and how many there could be for enough cameras.
    pub(super) workers: (usize, usize),
    /// Whether networks that judge liveness are open.
    pub(super) judges: bool,
}

/// What came of a configuration.
#[derive(Clone, Debug, PartialEq)]
struct Taken {
    /// What differed, and is in force now.
    difference: Difference,
    /// Keys that wait for a restart.
    waiting: Vec<String>,
}

impl Reloader {
    /// Takes up `read`. Where this fails, nothing has changed.
    ///
    /// # Errors
    /// When somebody identifies from now on, and the audit log cannot be written.
    fn take_up(&mut self, read: &Config, stop: &Stop, beat: &Beat) -> Result<Taken, StoreError> {
        let before = self.in_force.load();
        let Held { config, waiting } = held(&before.config, read, self.judges);
        let difference = Difference::between(&before.config, &config);
        if difference.is_empty() {
            return Ok(Taken { difference, waiting });
        }
        if !difference.identifying.is_empty() {
            let now = self.store.latest(self.clock.now())?;
            self.store.note_identification(&difference.identifying, now)?;
        }
        let Difference { added, removed, reconnected, .. } = &difference;
        self.cameras.end(removed.iter().chain(reconnected), stop, beat);
        removed.iter().for_each(|name| self.health.forget_camera(name));
        let now = self.in_force.put(config);
        self.reins.take_up(now.config.publish.clone(), settings::longest_quiet(&now.config));
        self.pages.show(|pages| settings::show(pages, &now));
        self.offers.iter().for_each(|offers| offers.take_up(&now.config));
        self.cameras.start(added.iter().chain(reconnected), &now);
        while !self.in_force.is_taken_up() && !stop.wait(GLANCE) {
            beat.beat();
        }
        say(&difference);
        Ok(Taken { difference, waiting })
    }

    /// Why a restart would be good, though nothing waits for it: cameras were added, and workers are opened at start.
    fn crowded(&self) -> Option<String> {
        let (open, most) = self.workers;
        let cameras = self.cameras.seated();
        (cameras.min(most) > open).then(|| format!("{cameras} cameras share the workers of {open}"))
    }
}

/// Logs what differs, by names alone.
fn say(difference: &Difference) {
    let names = |of: &[Name]| of.iter().map(Name::as_str).collect::<Vec<_>>().join(" ");
    let Difference { added, removed, reconnected, retold, gates, sections, .. } = difference;
    info!(
        added = names(added),
        removed = names(removed),
        reconnected = names(reconnected),
        changed = names(retold),
        gates = names(gates),
        sections = sections.join(" "),
        "the configuration changed and is in force"
    );
}
