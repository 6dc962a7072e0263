//! What the operator sees of decisions and cameras: the last of each.

use crate::{
    clock::Moment,
    decide::visit::{Deed, Outcome},
    infer::{sighting::TrackId, watched::Watched},
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use usher_config::value::Name;

/// Decisions shown.
const SHOWN: usize = 50;
/// Tracks whose last deed is remembered, for the colour of their box; more than are in all pictures at once.
const TRACKS: usize = 1024;
/// Over which rates are taken.
const WINDOW: Duration = Duration::from_secs(5);

/// Written by the taps, read by the routes; locks are held only to copy.
pub(super) struct Board {
    inner: Mutex<Inner>,
    changed: tokio::sync::watch::Sender<()>,
}

struct Inner {
    last: VecDeque<Numbered>,
    told: u64,
    deeds: HashMap<TrackId, Deed>,
    /// In the order in which they came, to forget the oldest.
    order: VecDeque<TrackId>,
    /// When a frame was dealt with, and how long after its arrival; no length for those found unchanged.
    pace: BTreeMap<Name, VecDeque<(Duration, Option<Duration>)>>,
}

/// An outcome and its number since start.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) outcome: Outcome,
}

/// How fast one camera's pictures are analysed.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(super) struct Pace {
    /// Frames analysed a second, to a tenth, over the last five.
    pub(super) fps: f64,
    /// Median milliseconds from a frame's arrival to the end of its analysis.
    pub(super) latency_ms: u64,
    /// Frames a second that went without the detector, since nobody was about and nothing changed.
    pub(super) unchanged_fps: f64,
}

impl Board {
    pub(super) fn new(cameras: impl Iterator<Item = Name>) -> Self {
        let pace = cameras.map(|name| (name, VecDeque::new())).collect();
        let inner = Inner { last: VecDeque::new(), told: 0, deeds: HashMap::new(), order: VecDeque::new(), pace };
        Self { inner: Mutex::new(inner), changed: tokio::sync::watch::Sender::new(()) }
    }

    /// Takes in what was decided.
    pub(super) fn decided(&self, outcome: Outcome) {
        let mut inner = self.lock();
        if inner.deeds.insert(outcome.track, outcome.deed).is_none() {
            inner.order.push_back(outcome.track);
        }
        if inner.order.len() > TRACKS
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.deeds.remove(&oldest);
        }
        inner.told += 1;
        let number = inner.told;
        inner.last.push_front(Numbered { number, outcome });
        inner.last.truncate(SHOWN);
        drop(inner);
        self.changed.send_replace(());
    }

    /// Counts a frame.
    pub(super) fn watched(&self, seen: &Watched) {
        let mut inner = self.lock();
        if let Some(pace) = inner.pace.get_mut(&seen.frame.camera.name) {
            pace.push_back((seen.done.steady, seen.analysed.then(|| seen.done.since(seen.frame.taken))));
            let from = seen.done.steady.saturating_sub(WINDOW);
            while pace.front().is_some_and(|(at, _)| *at < from) {
                pace.pop_front();
            }
        }
    }

    /// What was done last about this track.
    pub(super) fn deed(&self, track: TrackId) -> Option<Deed> {
        self.lock().deeds.get(&track).copied()
    }

    /// The last decisions, newest first.
    pub(super) fn last(&self) -> Vec<Numbered> {
        self.lock().last.iter().cloned().collect()
    }

    /// The camera's pace, while it has one.
    pub(super) fn pace(&self, camera: &Name, now: Moment) -> Option<Pace> {
        let inner = self.lock();
        let from = now.steady.saturating_sub(WINDOW);
        let seen: Vec<_> = inner.pace.get(camera)?.iter().filter(|(at, _)| *at >= from).collect();
        let (first, last) = (seen.first()?.0, seen.last()?.0);
        let span = last.saturating_sub(first).as_secs_f64();
        if span <= 0.0 {
            return None;
        }
        let mut latencies: Vec<Duration> = seen.iter().filter_map(|(_, latency)| *latency).collect();
        latencies.sort_unstable();
        let fps = (seen.len() - 1) as f64 / span;
        let share = latencies.len() as f64 / seen.len() as f64;
        let tenths = |fps: f64| (fps * 10.0).round() / 10.0;
        let latency_ms = latencies.get(latencies.len() / 2)?.as_millis() as u64;
        Some(Pace { fps: tenths(fps * share), latency_ms, unchanged_fps: tenths(fps * (1.0 - share)) })
    }

    /// Wakes whenever something was decided.
    pub(super) fn changes(&self) -> tokio::sync::watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }
}
