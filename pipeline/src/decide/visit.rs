//! A visit: somebody known came to a gate.

use crate::{
    capture::frame::Camera,
    clock::Moment,
    gallery::visitor::VisitorId,
    identify::{
        identification::{Evidence, Verdict},
        reasons::Reasons,
    },
    infer::sighting::{Portrait, TrackId},
};
use std::{sync::Arc, time::Duration};
use usher_models::{image::Rect, liveness::Live};
use uuid::Uuid;

/// A decided visit; once made it is lost nowhere.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Version 7: sorts by time, tells duplicates.
    pub id: Uuid,
    /// The camera, and through it the gate.
    pub camera: Arc<Camera>,
    /// Which track.
    pub track: TrackId,
    /// Who.
    pub visitor: VisitorId,
    /// Arrival of the frame with the first usable look.
    pub first: Moment,
    /// Arrival of the frame that settled it.
    pub taken: Moment,
    /// Stream time of that frame.
    pub pts: Duration,
    /// The face there, frame pixels.
    pub rect: Rect,
    /// Why.
    pub evidence: Evidence,
    /// The picture to show.
    pub portrait: Portrait,
}

/// Somebody who enrolled came, and a name would be a guess: the screen greets without one. For the moment only.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The camera, and through it the gate.
    pub camera: Arc<Camera>,
    /// Arrival of the frame that settled it.
    pub taken: Moment,
}

/// What was decided about a track, for the operator's eyes. Names nobody.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// Which track.
    pub track: TrackId,
    /// When.
    pub at: Moment,
    /// What identify said.
    pub verdict: Verdict,
    /// What was done about it.
    pub deed: Deed,
    /// Why.
    pub evidence: Evidence,
    /// How live the looks seem together, where that was judged.
    pub live: Option<Live>,
    /// Why, look by look and rule by rule.
    pub reasons: Arc<Reasons>,
    /// Arrival of the frame with the first usable look.
    pub first: Moment,
    /// Arrival of the frame with the last look.
    pub taken: Moment,
    /// When identify said it.
    pub judged: Option<Moment>,
    /// The visit that came of it.
    pub visit: Option<Uuid>,
    /// The picture that the screen shows of whoever was named; of anybody else none. Not to be kept unless the site opted in.
    pub portrait: Portrait,
}

/// What was done about a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// A visit was decided; the screen greets.
    Welcomed,
    /// Known, but this gate has greeted them within the quiet time.
    AlreadyGreeted,
    /// Nobody is named: two enrolled people are too alike, and the screen greets without a name; or two tracks claim one
    /// person, or liveness is required and the looks did not seem live, and a person sees to it.
    Referred,
    /// Named, and the looks seem not to be of a live person; liveness is advisory.
    Doubted,
    /// Nobody who enrolled: counted, nothing else.
    Counted,
}

impl Deed {
    /// The word for it in metrics and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Welcomed => "welcomed",
            Self::AlreadyGreeted => "already_greeted",
            Self::Referred => "referred",
            Self::Doubted => "doubted",
            Self::Counted => "counted",
        }
    }
}
