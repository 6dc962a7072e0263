//! The coach of every camera while the gate runs: the last walks, from what infer shows to eyes anyway.
//!
//! Frames are looked at as often as the gate needs, not as often as they come, so nothing is said here of the stream.
//! Figures only, in memory only.

use crate::{
    coach::{
        advice::advice,
        figures::Figures,
        report::{Place, Row, Told, rows, told},
        walk::{Glimpse, Walk, Walking, Wanted},
    },
    infer::watched::Watched,
    web::{Shared, routes::Asker},
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};
use usher_config::value::Name;

/// Walks that figures are taken of: the last ones, so that a change shows soon.
const WALKS: usize = 12;

/// Every camera's coach; written by the taps, read by the routes.
pub(super) struct Coaches {
    wanted: Mutex<Wanted>,
    cameras: Mutex<BTreeMap<Name, Coach>>,
}

#[derive(Default)]
struct Coach {
    walking: Walking,
    walks: VecDeque<Walk>,
    before: Option<Figures>,
}

/// What is said of one camera.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct CoachNow {
    walks: u32,
    limits: Vec<Told>,
    rows: Vec<Row>,
}

impl Coaches {
    pub(super) fn new(cameras: impl Iterator<Item = Name>, wanted: Wanted) -> Self {
        Self { wanted: Mutex::new(wanted), cameras: Mutex::new(cameras.map(|name| (name, Coach::default())).collect()) }
    }

    /// Other cameras, and other looks wanted; a camera that stays keeps its walks.
    pub(super) fn take_up(&self, cameras: impl Iterator<Item = Name>, wanted: Wanted) {
        *self.wanted.lock().expect("no holder of this lock panics") = wanted;
        let mut kept = self.lock();
        let mut before = std::mem::take(&mut *kept);
        *kept = cameras.map(|name| (name.clone(), before.remove(&name).unwrap_or_default())).collect();
    }

    fn wanted(&self) -> Wanted {
        *self.wanted.lock().expect("no holder of this lock panics")
    }

    /// Takes in a frame.
    pub(super) fn watched(&self, seen: &Watched) {
        let (frame, size) = (&seen.frame, seen.frame.picture.size());
        let wanted = self.wanted();
        let mut cameras = self.lock();
        let Some(coach) = cameras.get_mut(&frame.camera.name) else { return };
        for person in &seen.people {
            coach.walking.see(Glimpse {
                track: person.track,
                at: frame.taken.steady,
                face: person.face,
                size,
                is_in_zone: person.in_zone,
                quality: person.quality,
            });
        }
        coach.walks.extend(coach.walking.over(frame.taken.steady, &wanted));
        let old = coach.walks.len().saturating_sub(WALKS);
        coach.walks.drain(..old);
    }

    fn now(&self) -> BTreeMap<Name, CoachNow> {
        let wanted = self.wanted();
        let of = |(name, coach): (&Name, &Coach)| {
            let figures = coach.figures();
            let limits = if figures.walks == 0 { Vec::new() } else { advice(&figures, &wanted) };
            let limits = limits.iter().map(|limit| told(limit, &figures, &Place::default())).collect();
            let rows = rows(&figures, coach.before.as_ref());
            (name.clone(), CoachNow { walks: figures.walks, limits, rows })
        };
        self.lock().iter().map(of).collect()
    }

    /// Begins anew; what there was is *before* from now on. False: there is no such camera.
    fn begin_anew(&self, camera: &str) -> bool {
        let mut cameras = self.lock();
        let Some(coach) = Name::new(camera).and_then(|name| cameras.get_mut(&name)) else { return false };
        let figures = coach.figures();
        let before = if figures.walks == 0 { coach.before.take() } else { Some(figures) };
        *coach = Coach { before, ..Coach::default() };
        true
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Coach>> {
        self.cameras.lock().expect("no holder of this lock panics")
    }
}

impl Coach {
    fn figures(&self) -> Figures {
        let walks: Vec<Walk> = self.walks.iter().cloned().collect();
        Figures::of(&walks, None)
    }
}

/// `/api/coach`: what limits each camera, and its figures. Nobody's name, picture or time.
pub(super) async fn coach(State(shared): State<Arc<Shared>>) -> Json<BTreeMap<Name, CoachNow>> {
    Json(shared.coaches.now())
}

/// `POST /api/coach/CAMERA`: begin anew. For whoever may see the camera.
pub(super) async fn begin_anew(
    State(shared): State<Arc<Shared>>,
    Path(camera): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !Asker::of(&headers).may_see_pictures(&shared) {
        return (StatusCode::UNAUTHORIZED, "sign in on the operator's page first").into_response();
    }
    if shared.coaches.begin_anew(&camera) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }.into_response()
}
