//! Decide: identifications to one visit per person per gate.

pub mod quiet;
pub mod visit;

use crate::{
    clock::{Clock, Moment},
    decide::{
        quiet::Quiet,
        visit::{Deed, Notice, Outcome, Visit},
    },
    identify::identification::{Identification, Verdict},
    metrics::DECISIONS,
    supervise::Beat,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, SystemTime};
use uuid::{ContextV7, Timestamp, Uuid};

/// How long to wait for an identification before beating anyway.
const IDLE: Duration = Duration::from_millis(500);

/// Decides visits until `identifications` or `visits` closes. Waits where `visits` is full: a visit is lost nowhere.
/// `notices` are for the moment and `outcomes` for eyes only: both may lose. The cameras of a gate share its quiet time, so that a person whom two of
/// them see comes once.
pub fn run(
    identifications: &Receiver<Identification>,
    visits: &Sender<Visit>,
    notices: &Sender<Notice>,
    outcomes: &Sender<Outcome>,
    mut quiet: Quiet,
    clock: &dyn Clock,
    beat: &Beat,
) {
    let ids = ContextV7::new();
    loop {
        beat.beat();
        let identification = match identifications.recv_timeout(IDLE) {
            Ok(identification) => identification,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(deed) = deed(&identification, &mut quiet) else { continue };
        let gate = identification.camera.gate.as_str().to_owned();
        metrics::counter!(DECISIONS, "gate" => gate, "deed" => deed.word()).increment(1);
        let at = clock.now();
        let (camera, taken) = (&identification.camera, identification.taken);
        // One face twice in a picture is a reflection more often than somebody to greet.
        let is_one_of_two = identification.verdict == Verdict::Alike && !identification.reasons.is_claimed_twice();
        if is_one_of_two && quiet.notices(&camera.gate, taken) {
            // So many greetings wait already that this one would come too late.
            let _lost = notices.try_send(Notice { camera: camera.clone(), taken });
        }
        let visit = match identification.verdict {
            Verdict::Known { visitor, .. } if deed == Deed::Welcomed => Some((id(&ids, at.wall), visitor)),
            _ => None,
        };
        // Nobody may be looking; that is no reason to stop.
        let _lost = outcomes.try_send(outcome(&identification, deed, at, visit.map(|(id, _)| id)));
        if let Some((id, visitor)) = visit {
            let Identification { camera, track, first, taken, pts, rect, evidence, portrait, .. } = identification;
            let visit = Visit { id, camera, track, visitor, first, taken, pts, rect, evidence, portrait };
            if visits.send(visit).is_err() {
                return;
            }
        }
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
