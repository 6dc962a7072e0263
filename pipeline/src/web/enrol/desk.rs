//! The desk: the one thread that sees pictures and writes the store.
//!
//! Requests wait in a short queue; when it is full, the page asks again in a moment. So a burst at the tablets never takes more
//! than one core from the gate.

use crate::{
    clock::Clock,
    gallery::{
        audit::deed::Why,
        decoder::Decoder,
        enrol::{EnrolError, Enroller, Wish},
        enrolment::Issued,
        file::StoreError,
        floor::Floor,
        keeper::PART,
        pass::PassSecret,
        picture::{Picture, PictureError},
        search::Enrolled,
        store::Store,
        visitor::VisitorId,
    },
    health::Health,
    metrics::{ENROLMENTS, SKIPPED},
    supervise::{Beat, Stop, spawn},
    web::enrol::{
        answers::{Listed, Look},
        look,
    },
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use tokio::sync::oneshot;
use tracing::warn;
use zeroize::Zeroizing;

/// Requests that may wait: about a second's work.
const WAITING: usize = 4;

/// How long to wait for a request before beating anyway.
const IDLE: Duration = Duration::from_millis(500);

/// How long whoever asks waits: more than four enrolments before theirs take, less than the page's 25 seconds.
const ANSWERS: Duration = Duration::from_secs(20);

/// Why somebody was not enrolled.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A view, from 0, is no picture.
    Picture(usize, PictureError),
    /// Anything else.
    Enrol(EnrolError),
}

/// What is kept of whoever has a pass.
pub(super) struct Opened {
    pub(super) person: Enrolled,
    pub(super) receipt: Value,
}

/// What the desk is asked.
enum Ask {
    Look(Vec<u8>, oneshot::Sender<Result<Look, PictureError>>),
    Enrol(Box<Wish>, Vec<Zeroizing<Vec<u8>>>, oneshot::Sender<Result<Issued, Refusal>>),
    Open(PassSecret, oneshot::Sender<Result<Option<Opened>, StoreError>>),
    ForgetBy(PassSecret, oneshot::Sender<Result<Option<Value>, StoreError>>),
    Forget(VisitorId, oneshot::Sender<Result<Value, StoreError>>),
    List(oneshot::Sender<Result<Vec<Listed>, StoreError>>),
}

/// Why the desk does not answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Busy {
    /// Others are being served.
    Others,
    /// The disk does not answer.
    Hangs,
    /// The disk is known to fail.
    Disk,
}

/// Asks the desk.
#[derive(Clone)]
pub(super) struct Desk {
    asks: Sender<Ask>,
    health: Arc<Health>,
}

impl Desk {
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        self.asks.try_send(ask(answer)).map_err(|_| Busy::Others)?;
        match tokio::time::timeout(ANSWERS, answered).await {
            Ok(answer) => answer.map_err(|_| Busy::Others),
            Err(_) => Err(Busy::Hangs),
        }
    }

    /// Looks at a picture; nothing of it is kept.
    pub(super) async fn look(&self, picture: Vec<u8>) -> Result<Result<Look, PictureError>, Busy> {
        self.ask(|answer| Ask::Look(picture, answer)).await
    }

    /// Enrols somebody; nobody while the disk is known to fail: no consent is taken that may not be kept.
    pub(super) async fn enrol(
        &self,
        wish: Wish,
        views: Vec<Zeroizing<Vec<u8>>>,
    ) -> Result<Result<Issued, Refusal>, Busy> {
        if self.health.disk().contains_key(PART) {
            return Err(Busy::Disk);
        }
        self.ask(|answer| Ask::Enrol(Box::new(wish), views, answer)).await
    }

    /// What is kept of whoever has this pass.
    pub(super) async fn open(&self, pass: PassSecret) -> Result<Result<Option<Opened>, StoreError>, Busy> {
        self.ask(|answer| Ask::Open(pass, answer)).await
    }

    /// Forgets whoever has this pass.
    pub(super) async fn forget_by(&self, pass: PassSecret) -> Result<Result<Option<Value>, StoreError>, Busy> {
        self.ask(|answer| Ask::ForgetBy(pass, answer)).await
    }

    /// Forgets somebody, by staff.
    pub(super) async fn forget(&self, id: VisitorId) -> Result<Result<Value, StoreError>, Busy> {
        self.ask(|answer| Ask::Forget(id, answer)).await
    }

    /// Everybody, for staff.
    pub(super) async fn list(&self) -> Result<Result<Vec<Listed>, StoreError>, Busy> {
        self.ask(Ask::List).await
    }
}

/// Starts thread `enrol`.
pub(super) fn start(
    store: Store,
    enroller: Enroller,
    decoder: Decoder,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    stop: Stop,
    beat: Beat,
) -> (Desk, JoinHandle<()>) {
    let (asks, asked) = bounded(WAITING);
    let floor = Floor::new(store.floor().ok().flatten(), clock.now());
    let desk = Desk { asks, health: health.clone() };
    let mut clerk = Clerk { store, enroller, decoder, clock, health, floor, like: HashMap::new(), beat };
    let thread = spawn("enrol", move || clerk.work(&asked, &stop));
    (desk, thread)
}

struct Clerk {
    store: Store,
    enroller: Enroller,
    decoder: Decoder,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    floor: Floor,
    /// Whose face is like that of somebody enrolled before; for staff, until this process ends.
    like: HashMap<VisitorId, Vec<VisitorId>>,
    beat: Beat,
}

impl Clerk {
    fn work(&mut self, asked: &Receiver<Ask>, stop: &Stop) {
        while !stop.is_stopping() {
            self.beat.beat();
            // Nobody may wait for the answer any more; that is no reason to stop.
            let _nobody_waits = match asked.recv_timeout(IDLE) {
                Ok(Ask::Look(picture, answer)) => answer.send(self.look(&picture)).is_ok(),
                Ok(Ask::Enrol(wish, views, answer)) => match answer.send(self.enrol(&wish, &views)) {
                    Err(Ok(issued)) => self.take_back(&issued),
                    _ => true,
                },
                Ok(Ask::Open(pass, answer)) => answer.send(self.open(&pass)).is_ok(),
                Ok(Ask::ForgetBy(pass, answer)) => answer.send(self.forget_by(&pass)).is_ok(),
                Ok(Ask::Forget(id, answer)) => answer.send(self.forget(id)).is_ok(),
                Ok(Ask::List(answer)) => answer.send(self.list()).is_ok(),
                Err(RecvTimeoutError::Timeout) => {
                    // A child lives for as long as pictures come: the next visitor's are for a new one.
                    self.decoder.renew();
                    true
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
        }
    }

    fn now(&self) -> SystemTime {
        self.floor.latest(self.clock.now())
    }

    fn look(&mut self, picture: &[u8]) -> Result<Look, PictureError> {
        let picture = self.decoder.decode(picture)?;
        let seen = self.enroller.look(&picture).unwrap_or_else(|error| {
            warn!(%error, "a look of the enrolment page failed");
            Vec::new()
        });
        Ok(look::look(&seen, picture.size()))
    }

    fn enrol(&mut self, wish: &Wish, views: &[Zeroizing<Vec<u8>>]) -> Result<Issued, Refusal> {
        let picture = |(view, bytes): (usize, &Zeroizing<Vec<u8>>)| {
            // Each may take almost as long as a stage may be silent.
            self.beat.beat();
            self.decoder.decode(bytes).map_err(|error| Refusal::Picture(view, error))
        };
        let pictures: Vec<Picture> = views.iter().enumerate().map(picture).collect::<Result<_, _>>()?;
        self.beat.beat();
        self.decoder.renew();
        let now = self.now();
        let excused = self.beat.excused();
        let store = self.store.reopen_if_replaced().map_err(EnrolError::from);
        let enrolled = store.and_then(|_| self.enroller.enrol(&mut self.store, wish, &pictures, now));
        drop(excused);
        if let Err(EnrolError::Store(error)) = &enrolled {
            self.tell(error);
        }
        let enrolled = enrolled.map_err(Refusal::Enrol);
        match &enrolled {
            Ok(issued) => {
                metrics::counter!(ENROLMENTS, "outcome" => "enrolled").increment(1);
                if !issued.like.is_empty() {
                    warn!(visitor = %issued.visitor, like = ?issued.like, "a face like that of somebody enrolled before; staff see both, and where the box holds both keys the gate names neither");
                    metrics::counter!(ENROLMENTS, "outcome" => "like_another").increment(1);
                    self.like.insert(issued.visitor, issued.like.clone());
                }
            }
            Err(_) => metrics::counter!(ENROLMENTS, "outcome" => "refused").increment(1),
        }
        enrolled
    }

    /// The page went before the pass was made: nobody could ever ask for what is kept, or to be forgotten.
    fn take_back(&mut self, issued: &Issued) -> bool {
        let now = self.now();
        let _excused = self.beat.excused();
        if let Err(error) = self.store.forget(issued.visitor, Why::Unclaimed, now) {
            self.tell(&error);
            warn!(%error, visitor = %issued.visitor, "a pass that reached nobody could not be taken back");
        }
        false
    }

    /// Health says that the disk fails; the keeper takes it back.
    fn tell(&self, error: &StoreError) {
        if error.is_disk() {
            self.health.set_disk(PART, Some(error.to_string()));
        }
    }

    fn open(&mut self, pass: &PassSecret) -> Result<Option<Opened>, StoreError> {
        self.store.reopen_if_replaced()?;
        let now = self.now();
        let Some(person) = self.store.unlock(pass)?.filter(|person| person.visitor.expires > now) else {
            metrics::counter!(SKIPPED, "stage" => "enrol", "reason" => "unknown_pass").increment(1);
            return Ok(None);
        };
        Ok(self.store.receipt(pass)?.map(|receipt| Opened { person, receipt }))
    }

    fn forget_by(&mut self, pass: &PassSecret) -> Result<Option<Value>, StoreError> {
        let _excused = self.beat.excused();
        self.store.reopen_if_replaced()?;
        let now = self.now();
        self.store.forget_by(pass, now).inspect_err(|error| self.tell(error))
    }

    fn forget(&mut self, id: VisitorId) -> Result<Value, StoreError> {
        let _excused = self.beat.excused();
        self.store.reopen_if_replaced()?;
        let now = self.now();
        self.store.forget(id, Why::Staff, now).inspect_err(|error| self.tell(error))?;
        Ok(self.store.erasure(id, now, "staff"))
    }

    /// Lets go of whoever is not enrolled any more.
    fn tidy(&mut self) {
        let store = &self.store;
        // Whoever cannot be asked about stays, until it can be.
        let is_kept = |id: &VisitorId| store.holds(*id).unwrap_or(true);
        self.like.retain(|id, _| is_kept(id));
        self.like.values_mut().for_each(|like| like.retain(is_kept));
        self.like.retain(|_, like| !like.is_empty());
    }

    fn list(&mut self) -> Result<Vec<Listed>, StoreError> {
        self.store.reopen_if_replaced()?;
        self.tidy();
        let loaded = self.store.load_all()?;
        let mut listed: Vec<_> = loaded
            .people
            .into_iter()
            .map(|person| Listed {
                id: person.visitor.id,
                name: Some(person.visitor.name),
                expires_at: Some(crate::web::state::written(person.visitor.expires)),
                like: self.like.get(&person.visitor.id).cloned().unwrap_or_default(),
            })
            .collect();
        // Whoever keeps their key can still be told to be like somebody.
        let known: Vec<_> = listed.iter().map(|one| one.id).collect();
        let locked = self.like.iter().filter(|(id, _)| !known.contains(id));
        listed.extend(locked.map(|(id, like)| Listed { id: *id, name: None, expires_at: None, like: like.clone() }));
        Ok(listed)
    }
}
