//! Passes shown to a gate's camera: who asks to be known today, or to be greeted without a face.
//!
//! A pass that has a face behind it unlocks their template until the event day ends; the gate then knows them by face, and it
//! is the face that greets: a photographed pass names nobody. A pass without a face is greeted when it is shown. Whatever else
//! is in a symbol is dropped unread.

use crate::{
    capture::frame::{Camera, Frame},
    clock::{Clock, Moment},
    gallery::{current::Current, file::StoreError, floor::Floor, pass::PassSecret, store::Store, visitor::VisitorId},
    metrics::{PASSES, SKIPPED, STAGE_SECONDS},
    supervise::Beat,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tracing::warn;
use usher_models::{image::Planes, symbol::Reader};

/// How long to wait for a frame before beating anyway.
const IDLE: Duration = Duration::from_millis(500);

/// A symbol that stays in the picture is looked up this often.
const AGAIN: Duration = Duration::from_secs(2);

/// Symbols remembered.
const MOST: usize = 256;

/// Somebody showed a pass without a face behind it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// To which camera.
    pub camera: Arc<Camera>,
    /// When the frame arrived.
    pub taken: Moment,
    /// Stream time of that frame.
    pub pts: Duration,
    /// Whose pass it is.
    pub visitor: VisitorId,
}

/// What a pass was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Good {
    /// For nothing: nobody's, or over.
    Nothing,
    /// Their face is known from now on.
    Unlocked,
    /// They are greeted by it.
    Greeted(VisitorId),
}

/// Reads the passes in `frames` until they end. Ends early only when nobody listens any more.
pub fn run(
    frames: &Receiver<Arc<Frame>>,
    shown: &Sender<Shown>,
    store: Store,
    current: &Current,
    clock: &dyn Clock,
    beat: &Beat,
) {
    let mut passes = Passes::new(store, clock.now());
    let mut reader = Reader::new();
    loop {
        beat.beat();
        let frame = match frames.recv_timeout(IDLE) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let begun = clock.now();
        let view = frame.picture.view();
        let (Planes::Nv12 { luma, .. } | Planes::I420 { luma, .. }) = view.planes else { continue };
        let codes = reader.read(luma, view.size);
        metrics::histogram!(STAGE_SECONDS, "stage" => "pass").record(clock.now().since(begun).as_secs_f64());
        for code in codes {
            let Some(visitor) = passes.step(&code.text, current, clock.now()) else { continue };
            let shown_pass = Shown { camera: frame.camera.clone(), taken: frame.taken, pts: frame.pts, visitor };
            if shown.send(shown_pass).is_err() {
                return;
            }
        }
    }
}

/// Whose pass a symbol is; without frames and thread, so that the simulator drives what the gate runs.
pub struct Passes {
    store: Store,
    floor: Floor,
    /// When each tag was last looked up, steady time. Tags only: no secret is remembered.
    seen: HashMap<[u8; 16], Duration>,
}

impl Passes {
    /// No pass was shown yet.
    pub fn new(store: Store, now: Moment) -> Self {
        let floor = Floor::new(store.floor().ok().flatten(), now);
        Self { store, floor, seen: HashMap::new() }
    }

    /// Takes in the text of a symbol that a camera saw at `now`: unlocks the face behind it, or answers with whoever is
    /// greeted without one.
    pub fn step(&mut self, text: &str, current: &Current, now: Moment) -> Option<VisitorId> {
        match self.look_up(&PassSecret::of(text)?, current, self.floor.latest(now), now) {
            Good::Greeted(visitor) => Some(visitor),
            Good::Unlocked | Good::Nothing => None,
        }
    }

    fn look_up(&mut self, pass: &PassSecret, current: &Current, wall: SystemTime, now: Moment) -> Good {
        if self.seen.len() >= MOST {
            self.seen.retain(|_, last| now.steady.saturating_sub(*last) < AGAIN);
        }
        if self.seen.get(&pass.tag()).is_some_and(|last| now.steady.saturating_sub(*last) < AGAIN) {
            return Good::Nothing;
        }
        self.seen.insert(pass.tag(), now.steady);
        let good = self.unlock(pass, current, wall).unwrap_or_else(|error| {
            warn!(%error, "a pass could not be looked up");
            Good::Nothing
        });
        let outcome = match good {
            Good::Nothing => "unknown",
            Good::Unlocked => "unlocked",
            Good::Greeted(_) => "greeted",
        };
        metrics::counter!(PASSES, "outcome" => outcome).increment(1);
        if good == Good::Nothing {
            metrics::counter!(SKIPPED, "stage" => "identify", "reason" => "unknown_pass").increment(1);
        }
        good
    }

    fn unlock(&mut self, pass: &PassSecret, current: &Current, wall: SystemTime) -> Result<Good, StoreError> {
        self.store.reopen_if_replaced()?;
        let person = self.store.unlock(pass)?.filter(|person| person.visitor.expires > wall);
        Ok(match person {
            None => Good::Nothing,
            Some(person) => {
                let (visitor, is_faceless) = (person.visitor.id, person.templates.is_empty());
                current.unlock(person, wall);
                if is_faceless { Good::Greeted(visitor) } else { Good::Unlocked }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::HandClock,
        gallery::{
            consent::Consent,
            enrolment::{Enrolment, Issued},
            key::BoxKey,
            search::Gallery,
            visitor::Custody,
        },
    };
    use usher_models::template::{ModelId, Template};

    fn model() -> ModelId {
        ModelId("m".into())
    }

    fn enrol(store: &mut Store, face: bool, custody: Custody, now: SystemTime) -> Issued {
        let templates = if face { vec![Template::new(model(), vec![0.6, 0.8]).unwrap()] } else { Vec::new() };
        let expires = now + Duration::from_secs(3600);
        let new = Enrolment::new("Ada", "Judo", Consent::at_desk("test", "1", "0"), now, expires);
        store.enrol(&Enrolment { templates, custody, ..new }).unwrap()
    }

    #[test]
    fn a_pass_unlocks_a_face_or_greets_without_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = HandClock::at(start);
        let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
        let face = enrol(&mut store, true, Custody::Visitor, start);
        let faceless = enrol(&mut store, false, Custody::Visitor, start);
        assert_eq!(store.load_all().unwrap().locked, 2);
        let current = Current::new(Gallery::empty(model()));
        let mut passes = Passes::new(store, clock.now());
        let mut look_up = |pass: &PassSecret| passes.look_up(pass, &current, clock.now().wall, clock.now());

        assert_eq!(look_up(&PassSecret::random()), Good::Nothing);
        assert_eq!(look_up(&face.pass), Good::Unlocked);
        assert_eq!(look_up(&face.pass), Good::Nothing, "the same symbol in the next frame");
        assert_eq!(look_up(&faceless.pass), Good::Greeted(faceless.visitor));
        assert_eq!(current.visitor(faceless.visitor).unwrap().name, "Ada", "at once, before the next snapshot");
        clock.pass(AGAIN);
        assert_eq!(look_up(&faceless.pass), Good::Greeted(faceless.visitor));
        clock.pass(Duration::from_secs(3600));
        assert_eq!(look_up(&face.pass), Good::Nothing, "their time is over");
    }
}
