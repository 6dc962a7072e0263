//! The tray: everything that waits for the broker.
//!
//! Visits wait in the [`Outbox`]; greetings and faces wait here, in memory, until they are acknowledged or expire;
//! of a retained state only the newest waits. The thread `publish` lays things in, `sink-mqtt` takes them out.

use crate::{
    clock::Moment,
    gallery::visitor::VisitorId,
    metrics::{EXPIRED, SKIPPED},
    publish::outbox::Outbox,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// Greetings and faces that may wait: more than a gate decides within their seconds; 64 x 64 KiB of faces = 4 MiB.
const PERISHABLES: usize = 64;

/// The kind of faces.
pub(crate) const FACE: &str = "face";

/// Something that is for the moment only.
#[derive(Clone)]
pub(crate) struct Perishable {
    /// Its name in metrics: `greeting`, `face` or `notice`.
    pub(crate) kind: &'static str,
    pub(crate) topic: String,
    pub(crate) body: Arc<[u8]>,
    pub(crate) decided: Moment,
    /// Steady time from `decided`.
    pub(crate) good_for: Duration,
    /// Who is named or shown in it. It goes to nobody once they are forgotten.
    pub(crate) of: Option<VisitorId>,
}

impl Perishable {
    fn is_good(&self, now: Moment) -> bool {
        now.since(self.decided) < self.good_for
    }
}

struct State {
    body: Arc<[u8]>,
    told: bool,
}

pub(crate) struct Tray {
    pub(crate) outbox: Arc<Outbox>,
    perishables: Mutex<VecDeque<Perishable>>,
    states: Mutex<BTreeMap<String, State>>,
    closing: AtomicBool,
    /// Rung whenever something new lies here.
    pub(crate) bell: Notify,
}

impl Tray {
    pub(crate) fn over(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            perishables: Mutex::new(VecDeque::new()),
            states: Mutex::new(BTreeMap::new()),
            closing: AtomicBool::new(false),
            bell: Notify::new(),
        }
    }

    /// Lays `perishable` in; the oldest gives way when too many wait.
    pub(crate) fn lay(&self, perishable: Perishable) {
        let mut waiting = self.perishables.lock().expect("no holder of this lock panics");
        waiting.push_back(perishable);
        if waiting.len() > PERISHABLES {
            waiting.pop_front();
            metrics::counter!(SKIPPED, "stage" => "publish", "reason" => "too many greetings").increment(1);
        }
        drop(waiting);
        self.bell.notify_one();
    }

    /// Puts back, before all others, what was sent over a connection that broke.
    pub(crate) fn lay_back(&self, perishables: impl DoubleEndedIterator<Item = Perishable>) {
        let mut waiting = self.perishables.lock().expect("no holder of this lock panics");
        perishables.rev().for_each(|perishable| waiting.push_front(perishable));
    }

    /// The oldest that is still good; faces, which are large, only where `also_faces`: on a slow link they would hold up whatever
    /// comes after them.
    pub(crate) fn take(&self, now: Moment, also_faces: bool) -> Option<Perishable> {
        let mut waiting = self.perishables.lock().expect("no holder of this lock panics");
        drop_expired(&mut waiting, now);
        let next = waiting.iter().position(|perishable| also_faces || perishable.kind != FACE)?;
        waiting.remove(next)
    }

    /// Drops and counts what has expired.
    pub(crate) fn sweep(&self, now: Moment) {
        drop_expired(&mut self.perishables.lock().expect("no holder of this lock panics"), now);
    }

    /// Whether nothing perishable waits.
    pub(crate) fn is_swept(&self) -> bool {
        self.perishables() == 0
    }

    /// Greetings, faces and notices that wait.
    pub(crate) fn perishables(&self) -> usize {
        self.perishables.lock().expect("no holder of this lock panics").len()
    }

    /// Sets the retained state of `topic`; told again only when it changed.
    pub(crate) fn set_state(&self, topic: &str, body: Vec<u8>) {
        let state = State { body: body.into(), told: false };
        self.states.lock().expect("no holder of this lock panics").insert(topic.to_owned(), state);
        self.bell.notify_one();
    }

    /// A state that has not been told, now taken as told.
    pub(crate) fn next_state(&self) -> Option<(String, Arc<[u8]>)> {
        let mut states = self.states.lock().expect("no holder of this lock panics");
        let (topic, state) = states.iter_mut().find(|(_, state)| !state.told)?;
        state.told = true;
        Some((topic.clone(), state.body.clone()))
    }

    /// A new connection: everything retained is told again.
    pub(crate) fn forget_told(&self) {
        self.states.lock().expect("no holder of this lock panics").values_mut().for_each(|state| state.told = false);
    }

    /// Nothing more will come.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.bell.notify_one();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

fn drop_expired(waiting: &mut VecDeque<Perishable>, now: Moment) {
    waiting.retain(|perishable| {
        let good = perishable.is_good(now);
        if !good {
            metrics::counter!(EXPIRED, "kind" => perishable.kind).increment(1);
        }
        good
    });
}
