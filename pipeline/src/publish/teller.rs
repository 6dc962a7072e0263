//! The teller: from decided visits to what waits for the broker.
//!
//! A visit lies on disk before anything is said of it. Greetings and faces are for the moment and wait in memory.

use crate::{
    clock::{Clock, Moment},
    decide::visit::{Notice, Visit},
    flow::board::Board,
    health::Health,
    publish::{
        Changes,
        outbox::{Row, blank::Forgotten},
        progress::{Progress, Step},
        report::Told,
        tray::Tray,
        welcome::Welcomer,
    },
    supervise::Beat,
};
use crossbeam::{
    channel::{Receiver, Sender, never},
    select,
};
use std::{sync::Arc, time::Duration};

/// How often health is looked at and the outbox tended.
pub const ROUND: Duration = Duration::from_millis(500);
/// Visits stored in one commit at most.
pub const BATCH: usize = 64;

/// What the thread `publish` keeps, and its steps; without thread and channels, so that the simulator drives what the gate
/// runs.
pub struct Teller {
    pub(crate) welcomer: Welcomer,
    pub(crate) forgotten: Forgotten,
    pub(crate) changes: Changes,
    pub(crate) flow: Arc<Board>,
    pub(crate) tray: Arc<Tray>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: Option<Sender<Progress>>,
    pub(crate) told: Told,
}

impl Teller {
    /// The thread: until the senders of `visits` are dropped.
    pub(crate) fn run(mut self, visits: &Receiver<Visit>, mut notices: Receiver<Notice>, beat: &Beat) {
        self.look_round();
        let mut looked = self.clock.now();
        loop {
            select! {
                recv(visits) -> visit => match visit {
                    Ok(visit) => {
                        let batch: Vec<Visit> = std::iter::once(visit).chain(visits.try_iter()).take(BATCH).collect();
                        self.take_in(&batch);
                    }
                    Err(_) => break,
                },
                recv(notices) -> notice => match notice {
                    Ok(notice) => self.notice(&notice),
                    Err(_) => notices = never(),
                },
                default(ROUND) => {}
            }
            let now: Moment = self.clock.now();
            if now.since(looked) >= ROUND {
                self.look_round();
                looked = now;
            }
            beat.beat();
        }
        self.tray.close();
    }

    /// Greets without a name.
    pub fn notice(&self, notice: &Notice) {
        self.tray.lay(self.welcomer.notice(notice));
    }

    /// Stores `visits` in one commit, then greets, then shows faces.
    pub fn take_in(&self, visits: &[Visit]) {
        let mut rows: Vec<Row> = visits.iter().map(|visit| self.welcomer.row(visit)).collect();
        // A disk that struggles keeps visits waiting for seconds; whoever was forgotten meanwhile is nobody in them.
        let gone = (self.forgotten)(&rows.iter().map(|row| row.visitor).collect::<Vec<_>>());
        rows.iter_mut().filter(|row| gone.contains(&row.visitor)).for_each(Row::blank);
        self.tray.outbox.append(rows);
        self.tell_outbox();
        let stored = self.clock.now();
        self.tray.bell.notify_one();
        self.say_stored(visits, stored);
        // Greetings before faces: a name is readable while its picture is still being made.
        let greeted: Vec<&Visit> = visits.iter().filter(|visit| self.greet(visit)).collect();
        for visit in greeted {
            if let Some(face) = self.welcomer.face(visit) {
                self.tray.lay(face);
            }
        }
    }

    /// How many visits wait, and what keeps them from the disk.
    fn tell_outbox(&self) {
        self.health.set_outbox(self.tray.outbox.depth());
        self.health.set_disk("outbox", self.tray.outbox.trouble_told());
    }

    fn say_stored(&self, visits: &[Visit], at: Moment) {
        let Some(progress) = &self.progress else { return };
        // While the disk fails, visits wait in memory: nothing is stored.
        if self.tray.outbox.trouble().is_some() {
            return;
        }
        for visit in visits {
            let _the_tap_may_lose = progress.try_send(Progress { visit: visit.id, step: Step::Stored, at });
        }
    }

    fn greet(&self, visit: &Visit) -> bool {
        let greeting = self.welcomer.greeting(visit);
        let is_known = greeting.is_some();
        greeting.into_iter().for_each(|greeting| self.tray.lay(greeting));
        is_known
    }

    /// Housekeeping, every [`ROUND`]: tends the outbox, blanks whoever was forgotten, tells what has changed.
    pub fn look_round(&mut self) {
        self.tray.outbox.tend();
        self.tray.outbox.blank(&self.forgotten);
        self.tell_outbox();
        let now = self.clock.now().wall;
        self.welcomer.reporter.tell(&self.health, &self.tray, now, &mut self.told);
        self.welcomer.reporter.tell_changes((self.changes)(now), &self.tray, now, &mut self.told);
        self.welcomer.reporter.tell_flow(&self.flow, &self.tray, &mut self.told);
    }
}
