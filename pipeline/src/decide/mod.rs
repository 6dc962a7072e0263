//! Decide: identifications, and passes shown, to one visit per person per gate.

pub mod quiet;
pub mod visit;

use crate::{
    clock::{Clock, Moment},
    decide::{
        quiet::Quiet,
        visit::{Deed, Notice, Outcome, Visit},
    },
    identify::{
        identification::{Evidence, Identification, Verdict},
        passes::Shown,
    },
    infer::sighting::{Portrait, TrackId},
    metrics::{DECISIONS, FRAME_AGE_SECONDS},
    supervise::Beat,
};
use crossbeam::channel::{Receiver, Sender, never};
use std::time::{Duration, SystemTime};
use usher_models::{image::Rect, template::Score};
use uuid::{ContextV7, Timestamp, Uuid};

/// How long to wait for an identification before beating anyway.
const IDLE: Duration = Duration::from_millis(500);

/// The track of whoever was not tracked.
const NO_TRACK: u64 = u64::MAX;

/// Decides visits until `identifications` or `visits` closes. Waits where `visits` is full: a visit is lost nowhere.
/// `notices` are for the moment and `outcomes` for eyes only: both may lose. The cameras of a gate share its quiet time, so that a person whom two of
/// them see comes once.
#[expect(clippy::too_many_arguments, reason = "what a stage works with; wired in one place")]
pub fn run(
    identifications: &Receiver<Identification>,
    shown: &Receiver<Shown>,
    visits: &Sender<Visit>,
    notices: &Sender<Notice>,
    outcomes: &Sender<Outcome>,
    quiet: Quiet,
    clock: &dyn Clock,
    beat: &Beat,
) {
    let mut decider = Decider::new(quiet);
    let mut shown = shown.clone();
    loop {
        beat.beat();
        decider.take_up();
        let identification = crossbeam::select! {
            recv(identifications) -> said => match said {
                Ok(identification) => identification,
                Err(_) => return,
            },
            recv(shown) -> pass => {
                match pass {
                    // Whoever reads passes has ended; those by face go on.
                    Err(_) => shown = never(),
                    Ok(pass) => if let Some(visit) = decider.by_pass(pass, clock) && visits.send(visit).is_err() {
                        return;
                    },
                }
                continue;
            },
            default(IDLE) => continue,
        };
        let Some(Decided { notice, outcome, visit }) = decider.by_face(identification, clock) else { continue };
        if let Some(notice) = notice {
            // So many greetings wait already that this one would come too late.
            let _lost = notices.try_send(notice);
        }
        // Nobody may be looking; that is no reason to stop.
        let _lost = outcomes.try_send(outcome);
        if let Some(visit) = visit
            && visits.send(visit).is_err()
        {
            return;
        }
    }
}

/// What came of one identification.
pub struct Decided {
    /// A greeting without a name.
    pub notice: Option<Notice>,
    /// For the operator's eyes.
    pub outcome: Outcome,
    /// A visit.
    pub visit: Option<Visit>,
}

/// What decide keeps, and its steps; without thread and channels, so that the simulator drives what the gate runs.
pub struct Decider {
    quiet: Quiet,
    ids: ContextV7,
}

impl Decider {
    /// Remembers what `quiet` does.
    pub fn new(quiet: Quiet) -> Self {
        Self { quiet, ids: ContextV7::new() }
    }

    /// Takes up the quiet times that are in force.
    pub fn take_up(&mut self) {
        self.quiet.take_up();
    }

    /// What to do about `identification`; `None`: it was done before.
    pub fn by_face(&mut self, identification: Identification, clock: &dyn Clock) -> Option<Decided> {
        let deed = deed(&identification, &mut self.quiet)?;
        let gate = identification.camera.gate.as_str().to_owned();
        metrics::counter!(DECISIONS, "gate" => gate, "deed" => deed.word()).increment(1);
        let at = clock.now();
        let (camera, taken) = (&identification.camera, identification.taken);
        // One face twice in a picture is a reflection more often than somebody to greet.
        let is_one_of_two = identification.verdict == Verdict::Alike && !identification.reasons.is_claimed_twice();
        let is_noticed = is_one_of_two && self.quiet.notices(&camera.gate, taken);
        let notice = is_noticed.then(|| Notice { camera: camera.clone(), taken });
        let named = match identification.verdict {
            Verdict::Known { visitor, .. } if deed == Deed::Welcomed => Some((id(&self.ids, at.wall), visitor)),
            _ => None,
        };
        let outcome = outcome(&identification, deed, at, named.map(|(id, _)| id));
        let visit = named.map(|(id, visitor)| {
            metrics::histogram!(FRAME_AGE_SECONDS, "at" => "decision").record(at.since(taken).as_secs_f64());
            let Identification { camera, track, first, taken, pts, rect, evidence, portrait, .. } = identification;
            Visit { id, camera, track, visitor, first, taken, pts, rect, evidence, portrait }
        });
        Some(Decided { notice, outcome, visit })
    }

    /// The visit of whoever showed a pass without a face behind it, unless this gate has greeted them within the quiet time.
    pub fn by_pass(&mut self, pass: Shown, clock: &dyn Clock) -> Option<Visit> {
        let greets = self.quiet.greets(&pass.camera.gate, pass.visitor, pass.taken);
        let deed = if greets { Deed::Welcomed } else { Deed::AlreadyGreeted };
        metrics::counter!(DECISIONS, "gate" => pass.camera.gate.as_str().to_owned(), "deed" => deed.word())
            .increment(1);
        let Shown { camera, taken, pts, visitor } = pass;
        let evidence =
            Evidence { looks: 0, over: Duration::ZERO, best: None, second: None, threshold: Score(1.0), enrolled: 0 };
        greets.then(|| Visit {
            id: id(&self.ids, clock.now().wall),
            camera,
            track: TrackId(NO_TRACK),
            visitor,
            first: taken,
            taken,
            pts,
            rect: Rect::default(),
            evidence,
            portrait: Portrait::default(),
        })
    }
}

/// What the operator hears of it.
fn outcome(said: &Identification, deed: Deed, at: Moment, visit: Option<Uuid>) -> Outcome {
    Outcome {
        camera: said.camera.clone(),
        track: said.track,
        at,
        verdict: said.verdict,
        deed,
        evidence: said.evidence,
        live: said.live,
        reasons: said.reasons.clone(),
        first: said.first,
        taken: said.taken,
        judged: said.judged,
        visit,
        portrait: said.portrait.clone(),
    }
}

/// What to do about it. `None`: it was done when the verdict changed, the track has only ended since.
fn deed(identification: &Identification, quiet: &mut Quiet) -> Option<Deed> {
    match identification.verdict {
        Verdict::Unknown => identification.gone.then_some(Deed::Counted),
        Verdict::Suspect { is_greeted } => Some(if is_greeted { Deed::Doubted } else { Deed::Referred }),
        _ if identification.gone => None,
        Verdict::Alike => Some(Deed::Referred),
        Verdict::Known { visitor, .. } => {
            let greets = quiet.greets(&identification.camera.gate, visitor, identification.taken);
            Some(if greets { Deed::Welcomed } else { Deed::AlreadyGreeted })
        }
    }
}

/// Version 7 of the wall time; within one millisecond they still rise.
fn id(context: &ContextV7, wall: SystemTime) -> Uuid {
    let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(context, since.as_secs(), since.subsec_nanos()))
}
