//! Every track at every camera, and who claims to be whom.
//!
//! One person cannot be two tracks at one camera at one time, nor one track two people. Whoever was named first keeps
//! the name; before that, the better claim does. Once a track was named it is never named otherwise: what speaks against
//! it later is kept quiet, since the screen has already spoken.

use crate::{
    capture::frame::Camera,
    clock::Moment,
    gallery::{
        search::{Candidate, Gallery},
        visitor::VisitorId,
    },
    identify::{
        drift::{Drift, SHARE},
        evidence::{Looks, judge},
        identification::{Evidence, Identification, Verdict},
        liveness::Judged,
        reasons::{Log, Reasons},
        threshold::Law,
    },
    infer::sighting::{Portrait, Probe, Settled, TrackId},
    metrics::SKIPPED,
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use usher_config::{decide::Liveness, identify::Rules, value::Name};
use usher_models::{image::Rect, liveness::Live, template::Score};

/// A track that was not seen for this long has ended, whether or not anybody said so. Trackers give up after a second.
const FORGET_AFTER: Duration = Duration::from_secs(30);

/// Most tracks remembered: far more than cameras can show, so that nothing grows without end.
const MOST_TRACKS: usize = 4096;

/// Most claims of ended tracks remembered.
const MOST_CLAIMS: usize = 1024;

/// The tracks of all cameras.
pub struct Tracks {
    rules: Rules,
    law: Law,
    tracks: HashMap<TrackId, Track>,
    /// Names that ended tracks had, and when they had them.
    ended: VecDeque<Claim>,
    drift: Drift,
}

struct Track {
    camera: Arc<Camera>,
    first: Moment,
    taken: Moment,
    pts: Duration,
    rect: Rect,
    looks: Looks,
    portrait: Portrait,
    portrait_weight: f32,
    leader: Option<Candidate>,
    verdict: Verdict,
    evidence: Evidence,
    /// The highest threshold that the looks have reached so far, with anybody.
    borne: Option<Score>,
    settled: Settled,
    judged: Judged,
    /// Whether the last looks left open which of two it is.
    is_doubtful: bool,
    log: Log,
    /// Why the verdict is what it is, as of the moment when it last changed.
    reasons: Option<Arc<Reasons>>,
}

struct Claim {
    camera: Arc<Camera>,
    visitor: VisitorId,
    first: Moment,
    last: Moment,
}

impl Tracks {
    /// No tracks yet.
    pub fn new(rules: Rules, law: Law) -> Self {
        Self { rules, law, tracks: HashMap::new(), ended: VecDeque::new(), drift: Drift::default() }
    }

    /// Goes by other rules and cameras from now on. Whoever is not named yet is forgotten at a camera that was removed, belongs to
    /// another gate or identifies nobody any more: what was found of them there must name nobody now.
    pub fn take_up(&mut self, rules: Rules, cameras: &BTreeMap<Name, Arc<Camera>>) {
        self.rules = rules;
        self.tracks.retain(|_, track| {
            let now = cameras.get(&track.camera.name).filter(|now| now.gate == track.camera.gate);
            let may_stay = now.is_some_and(|now| now.identifies || !track.camera.identifies);
            if let Some(now) = now {
                track.camera = now.clone();
            }
            may_stay || matches!(track.verdict, Verdict::Known { .. })
        });
    }

    /// Tracks remembered now.
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// How near those come who were never named.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Takes one look in. An identification when it changed the verdict.
    pub fn look(&mut self, probe: Probe, gallery: &Gallery) -> Option<Identification> {
        let (id, weight) = (probe.track, probe.quality.weight());
        let track = self.tracks.entry(id).or_insert_with(|| Track::seen(&probe));
        track.taken = probe.taken;
        track.pts = probe.pts;
        track.rect = probe.rect;
        if weight > track.portrait_weight {
            track.portrait = probe.portrait;
            track.portrait_weight = weight;
        }
        if matches!(track.verdict, Verdict::Known { .. }) {
            return None;
        }
        if !track.looks.add(probe.taken, weight, probe.template, self.rules.apart) {
            track.log.refuse();
            return None;
        }
        track.log.note(&track.looks, probe.taken, probe.embedded, probe.quality);
        let led = track.leader.map(|candidate| candidate.visitor);
        let judged = match judge(&track.looks, led, gallery, &self.law, &self.rules) {
            Ok(judged) => judged,
            Err(_) => {
                metrics::counter!(SKIPPED, "stage" => "identify", "reason" => "model").increment(1);
                return None;
            }
        };
        track.leader = judged.leader;
        track.evidence = judged.evidence;
        if let Some(borne) = judged.borne {
            track.borne = Some(track.borne.map_or(borne, |before| if borne > before { borne } else { before }));
        }
        let leads = judged.leader.is_some_and(|leader| leader.score >= judged.evidence.threshold);
        if leads && track.camera.liveness != Liveness::Off {
            track.settled.claim();
        }
        track.is_doubtful = judged.verdict == Verdict::Alike;
        let (found, threshold) = (judged.verdict, judged.evidence.threshold);
        track.log.judged(judged, &self.rules);
        let verdict = match found {
            Verdict::Known { visitor, score } => self.settled(id, visitor, score, threshold),
            other => other,
        };
        let track = self.tracks.get_mut(&id).expect("it was put there above");
        track.log.claimed(found, verdict);
        let verdict = track.judged.let_through(verdict, track.camera.liveness);
        // More looks may tell two people apart. Whoever has as many again as a name needs has been waited for.
        if track.is_doubtful && track.looks.counted() < 2 * self.rules.looks {
            return None;
        }
        // Alike is doubt that was shown; it ends with a name or with the track, not with a shrug in between.
        if verdict == Verdict::Unknown || std::mem::discriminant(&verdict) == std::mem::discriminant(&track.verdict) {
            return None;
        }
        Some(track.turned(id, verdict))
    }

    /// Takes in how live the track seems at one moment. An identification when that gives a name which waited for it, or
    /// when somebody named seems not to be live.
    pub fn live(&mut self, id: TrackId, live: Live) -> Option<Identification> {
        let track = self.tracks.get_mut(&id)?;
        track.judged.add(live);
        if matches!(track.verdict, Verdict::Known { .. }) {
            return track.doubted(id, false);
        }
        let (Some(found @ Verdict::Known { visitor, score }), true) = (track.judged.held, track.judged.is_live())
        else {
            return None;
        };
        let threshold = track.evidence.threshold;
        let verdict = self.settled(id, visitor, score, threshold);
        let track = self.tracks.get_mut(&id)?;
        track.log.claimed(found, verdict);
        track.judged.held = None;
        (verdict != Verdict::Unknown && verdict != track.verdict).then(|| track.turned(id, verdict))
    }

    /// A named track is still there: nobody else at that camera can be the same person now.
    pub fn seen(&mut self, id: TrackId, taken: Moment, rect: Rect) {
        if let Some(track) = self.tracks.get_mut(&id) {
            track.taken = taken;
            track.rect = rect;
        }
    }

    /// The verdict that `id` is `visitor`, weighed against the other tracks of that camera at that time.
    fn settled(&self, id: TrackId, visitor: VisitorId, score: Score, threshold: Score) -> Verdict {
        let mine = &self.tracks[&id];
        let together = |camera: &Arc<Camera>, first: Moment, last: Moment| {
            camera.name == mine.camera.name && first.steady <= mine.taken.steady && mine.first.steady <= last.steady
        };
        if self.ended.iter().any(|claim| claim.visitor == visitor && together(&claim.camera, claim.first, claim.last)) {
            return Verdict::Alike;
        }
        let mut verdict = Verdict::Known { visitor, score };
        let others = self.tracks.iter().filter(|(other, _)| **other != id).map(|(_, other)| other);
        for other in others.filter(|other| together(&other.camera, other.first, other.taken)) {
            match (other.verdict, other.leader) {
                (Verdict::Known { visitor: named, .. }, _) if named == visitor => return Verdict::Alike,
                (Verdict::Known { .. }, _) => {}
                // Not named yet, but the better claim: it goes first.
                (_, Some(rival)) if rival.visitor == visitor && rival.score >= threshold && rival.score > score => {
                    verdict = Verdict::Unknown;
                }
                _ => {}
            }
        }
        verdict
    }

    /// The track has ended. `None` when no look at it was ever usable.
    pub fn gone(&mut self, id: TrackId) -> Option<Identification> {
        let mut track = self.tracks.remove(&id)?;
        if let Verdict::Known { visitor, .. } = track.verdict {
            self.ended.truncate(MOST_CLAIMS - 1);
            let (camera, first, last) = (track.camera.clone(), track.first, track.taken);
            self.ended.push_front(Claim { camera, visitor, first, last });
        }
        if track.verdict == Verdict::Unknown && track.is_doubtful {
            return Some(track.turned(id, Verdict::Alike));
        }
        let is_unnamed = track.verdict == Verdict::Unknown && track.judged.held.is_none();
        if is_unnamed && track.looks.counted() >= self.rules.looks && track.evidence.enrolled > 0 {
            let near = self.law.threshold(SHARE, track.evidence.enrolled);
            self.drift.ended(track.borne.is_some_and(|borne| borne >= near));
        }
        if let Some(doubted) = track.doubted(id, true) {
            return Some(doubted);
        }
        if track.judged.held.is_some() {
            track.verdict = Verdict::Suspect { is_greeted: false };
            track.reasons = None;
        }
        Some(track.identification(id, true))
    }

    /// Ends every track that nobody has seen for long, and the oldest where there are too many.
    pub fn expire(&mut self, now: Moment) -> Vec<Identification> {
        self.ended.retain(|claim| now.since(claim.last) < FORGET_AFTER);
        let silent = |track: &Track| now.since(track.taken) >= FORGET_AFTER;
        let mut over: Vec<_> = self.tracks.iter().filter(|(_, track)| silent(track)).map(|(id, _)| *id).collect();
        if self.tracks.len() - over.len() > MOST_TRACKS {
            let mut ages: Vec<_> = self.tracks.iter().map(|(id, track)| (track.taken, *id)).collect();
            ages.sort();
            over = ages.into_iter().map(|(_, id)| id).take(self.tracks.len() - MOST_TRACKS).collect();
        }
        over.into_iter().filter_map(|id| self.gone(id)).collect()
    }
}

impl Track {
    /// The verdict has changed.
    fn turned(&mut self, id: TrackId, verdict: Verdict) -> Identification {
        self.verdict = verdict;
        self.reasons = Some(Arc::new(self.told(verdict)));
        if matches!(verdict, Verdict::Known { .. }) {
            self.looks.wipe();
            self.settled.settle();
        }
        self.identification(id, false)
    }

    /// Whoever was named seems not to be live, and that was not said yet.
    fn doubted(&mut self, track: TrackId, gone: bool) -> Option<Identification> {
        let is_named = matches!(self.verdict, Verdict::Known { .. });
        let verdict = Verdict::Suspect { is_greeted: true };
        (is_named && self.judged.is_to_doubt()).then(|| Identification {
            verdict,
            reasons: Arc::new(self.told(verdict)),
            portrait: Portrait::default(),
            ..self.identification(track, gone)
        })
    }

    /// Why the verdict is this one.
    fn told(&self, verdict: Verdict) -> Reasons {
        self.log.reasons(verdict, &self.judged, self.camera.liveness)
    }

    fn seen(probe: &Probe) -> Self {
        Self {
            camera: probe.camera.clone(),
            first: probe.taken,
            taken: probe.taken,
            pts: probe.pts,
            rect: probe.rect,
            looks: Looks::default(),
            portrait: Portrait::default(),
            portrait_weight: -1.0,
            leader: None,
            verdict: Verdict::Unknown,
            settled: probe.settled.clone(),
            judged: Judged::default(),
            is_doubtful: false,
            log: Log::default(),
            reasons: None,
            evidence: Evidence {
                looks: 0,
                over: Duration::ZERO,
                best: None,
                second: None,
                threshold: Score(1.0),
                enrolled: 0,
            },
            borne: None,
        }
    }

    fn identification(&self, track: TrackId, gone: bool) -> Identification {
        // A face travels on only with the name of whoever asked to be known.
        let known = matches!(self.verdict, Verdict::Known { .. });
        Identification {
            camera: self.camera.clone(),
            track,
            first: self.first,
            taken: self.taken,
            pts: self.pts,
            rect: self.rect,
            verdict: self.verdict,
            evidence: self.evidence,
            live: self.judged.mean(),
            portrait: if known { self.portrait.clone() } else { Portrait::default() },
            gone,
            reasons: self.reasons.clone().unwrap_or_else(|| Arc::new(self.told(self.verdict))),
            judged: None,
        }
    }
}
