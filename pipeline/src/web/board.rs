//! What the operator sees of decisions and cameras: the last of each.

use crate::{
    clock::Moment,
    decide::visit::{Deed, Outcome},
    gallery::visitor::VisitorId,
    identify::identification::Verdict,
    infer::{
        sighting::{Portrait, TrackId},
        watched::Watched,
    },
    publish::{
        face::jpeg_of,
        progress::{Progress, Step},
    },
};
use axum::body::Bytes;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};
use usher_config::value::Name;
use uuid::Uuid;

/// Decisions shown in the list.
const SHOWN: usize = 50;
/// Decisions whose reasons are kept: five lists, so that a link handed on is still good some minutes later. With reasons some
/// 2 KiB each; where portraits are kept, at most 48 KiB more of each: 12 MiB.
const KEPT: usize = 256;
/// Whoever was named and is forgotten since: the nil id, which nobody is enrolled under.
const NOBODY: VisitorId = VisitorId(Uuid::nil());
/// Tracks whose last deed is remembered, for the colour of their box; more than are in all pictures at once.
const TRACKS: usize = 1024;
/// Over which rates are taken.
const WINDOW: Duration = Duration::from_secs(5);

/// Written by the taps, read by the routes; locks are held only to copy.
pub(super) struct Board {
    inner: Mutex<Inner>,
    changed: tokio::sync::watch::Sender<()>,
    keeps_portraits: AtomicBool,
}

struct Inner {
    /// Newest first.
    last: VecDeque<Numbered>,
    told: u64,
    deeds: HashMap<TrackId, Deed>,
    /// In the order in which they came, to forget the oldest.
    order: VecDeque<TrackId>,
    /// When a frame was dealt with, and how long after its arrival; no length for those found unchanged.
    pace: BTreeMap<Name, VecDeque<(Duration, Option<Duration>)>>,
}

/// An outcome, its number, and how far its visit has come. Its portrait is a JPEG here, and only where the site opted in.
#[derive(Clone)]
pub(super) struct Numbered {
    pub(super) number: u64,
    pub(super) outcome: Outcome,
    pub(super) portrait: Option<Bytes>,
    pub(super) stored: Option<Moment>,
    pub(super) acknowledged: Option<Moment>,
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
    /// Numbers count on from the second of `start`: a link from before a restart finds nothing rather than another decision.
    pub(super) fn new(cameras: impl Iterator<Item = Name>, start: SystemTime, keeps_portraits: bool) -> Self {
        let pace = cameras.map(|name| (name, VecDeque::new())).collect();
        let told = start.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let inner = Inner { last: VecDeque::new(), told, deeds: HashMap::new(), order: VecDeque::new(), pace };
        let keeps_portraits = keeps_portraits.into();
        Self { inner: Mutex::new(inner), changed: tokio::sync::watch::Sender::new(()), keeps_portraits }
    }

    /// Other cameras, and portraits kept or not: those that were are gone once they are not.
    pub(super) fn take_up(&self, cameras: impl Iterator<Item = Name>, keeps_portraits: bool) {
        self.keeps_portraits.store(keeps_portraits, Ordering::Relaxed);
        let mut inner = self.lock();
        let mut before = std::mem::take(&mut inner.pace);
        inner.pace = cameras.map(|name| (name.clone(), before.remove(&name).unwrap_or_default())).collect();
        if !keeps_portraits {
            inner.last.iter_mut().for_each(|one| one.portrait = None);
        }
        drop(inner);
        self.changed.send_replace(());
    }

    /// Takes in what was decided.
    pub(super) fn decided(&self, mut outcome: Outcome) {
        let portrait = std::mem::take(&mut outcome.portrait);
        let is_named = matches!(outcome.verdict, Verdict::Known { .. });
        let portrait = if self.keeps_portraits.load(Ordering::Relaxed) && is_named { jpeg(&portrait) } else { None };
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
        inner.last.push_front(Numbered { number, outcome, portrait, stored: None, acknowledged: None });
        inner.last.truncate(KEPT);
        drop(inner);
        self.changed.send_replace(());
    }

    /// Takes in how far a visit has come.
    pub(super) fn progressed(&self, told: Progress) {
        let mut inner = self.lock();
        let Some(of) = inner.last.iter_mut().find(|one| one.outcome.visit == Some(told.visit)) else { return };
        match told.step {
            Step::Stored => of.stored = Some(told.at),
            Step::Acknowledged => of.acknowledged = Some(told.at),
        }
    }

    /// Takes id and portrait off whatever was decided about somebody who is not enrolled any more.
    pub(super) fn forget(&self, is_enrolled: impl Fn(VisitorId) -> bool) {
        for one in &mut self.lock().last {
            if let Verdict::Known { visitor, .. } = &mut one.outcome.verdict
                && *visitor != NOBODY
                && !is_enrolled(*visitor)
            {
                *visitor = NOBODY;
                one.portrait = None;
            }
        }
    }

    /// The decision of this number, while it is kept.
    pub(super) fn numbered(&self, number: u64) -> Option<Numbered> {
        self.lock().last.iter().find(|one| one.number == number).cloned()
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
        self.lock().last.iter().take(SHOWN).cloned().collect()
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

fn jpeg(portrait: &Portrait) -> Option<Bytes> {
    jpeg_of(portrait).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        capture::frame::{Camera, Zone},
        identify::{
            identification::Evidence,
            liveness::Judged,
            reasons::{Log, Reasons},
        },
    };
    use std::sync::Arc;
    use usher_config::decide::Liveness;
    use usher_models::template::Score;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn reasons(verdict: Verdict) -> Reasons {
        Log::default().reasons(verdict, &Judged::default(), Liveness::Off)
    }

    fn at(ms: u64) -> Moment {
        Moment { steady: Duration::from_millis(ms), wall: START + Duration::from_millis(ms) }
    }

    fn outcome(track: u64, verdict: Verdict) -> Outcome {
        let name = |text: &str| Name::new(text).unwrap();
        let is_known = matches!(verdict, Verdict::Known { .. });
        Outcome {
            camera: Arc::new(Camera {
                name: name("cam"),
                gate: name("gate"),
                zone: Zone::default(),
                liveness: Liveness::Off,
                identifies: true,
            }),
            track: TrackId(track),
            at: at(track),
            verdict,
            deed: if is_known { Deed::Welcomed } else { Deed::Counted },
            evidence: Evidence {
                looks: 3,
                over: Duration::ZERO,
                best: None,
                second: None,
                threshold: Score(0.4),
                enrolled: 1,
            },
            live: None,
            reasons: Arc::new(reasons(verdict)),
            first: at(track),
            taken: at(track),
            judged: None,
            visit: is_known.then(|| Uuid::from_u128(u128::from(track))),
            portrait: Portrait { width: 8, height: 8, rgb: vec![9; 8 * 8 * 3].into() },
        }
    }

    fn known(n: u128) -> Verdict {
        Verdict::Known { visitor: VisitorId(Uuid::from_u128(n)), score: Score(0.7) }
    }

    #[test]
    fn portraits_are_kept_of_whoever_was_named_where_the_site_opted_in_and_of_nobody_else() {
        for keeps in [false, true] {
            let board = Board::new(std::iter::empty(), START, keeps);
            for (track, verdict) in [known(7), Verdict::Unknown, Verdict::Alike, Verdict::Suspect { is_greeted: true }]
                .into_iter()
                .enumerate()
            {
                board.decided(outcome(track as u64, verdict));
            }
            let kept: Vec<_> = board.last().iter().rev().map(|one| one.portrait.is_some()).collect();
            assert_eq!(kept, [keeps, false, false, false]);
            assert!(board.last().iter().all(|one| one.outcome.portrait.rgb.is_empty()), "raw pixels are not kept");
        }
    }

    #[test]
    fn whoever_is_forgotten_loses_id_and_portrait_and_nobody_else_does() {
        let board = Board::new(std::iter::empty(), START, true);
        board.decided(outcome(1, known(1)));
        board.decided(outcome(2, known(2)));
        board.forget(|visitor| visitor != VisitorId(Uuid::from_u128(1)));
        let [two, one] = board.last().try_into().ok().unwrap();
        assert!(two.outcome.verdict == known(2) && two.portrait.is_some());
        assert!(one.outcome.verdict == known(0) && one.portrait.is_none());
    }

    #[test]
    fn reasons_are_bounded_and_numbers_are_of_this_start() {
        let board = Board::new(std::iter::empty(), START + Duration::from_secs(1_000), false);
        (0..300).for_each(|track| board.decided(outcome(track, Verdict::Unknown)));
        assert!(board.numbered(1_000 + 300 - KEPT as u64).is_none(), "the oldest gave way");
        assert_eq!(board.numbered(1_000 + 300 - KEPT as u64 + 1).unwrap().outcome.track, TrackId(300 - KEPT as u64));
        assert!(board.numbered(7).is_none(), "a number of an earlier start");
        assert_eq!(board.last().len(), SHOWN);
    }

    #[test]
    fn a_visits_way_is_known_as_far_as_it_came() {
        let board = Board::new(std::iter::empty(), START, false);
        board.decided(outcome(1, known(1)));
        let told = |visit, step, ms| Progress { visit: Uuid::from_u128(visit), step, at: at(ms) };
        board.progressed(told(1, Step::Stored, 30));
        board.progressed(told(9, Step::Stored, 40));
        assert_eq!((board.last()[0].stored, board.last()[0].acknowledged), (Some(at(30)), None));
        board.progressed(told(1, Step::Acknowledged, 50));
        assert_eq!(board.last()[0].acknowledged, Some(at(50)));
    }
}
