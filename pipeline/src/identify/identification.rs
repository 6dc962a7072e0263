//! What identify says about a track, and why.

use crate::{
    capture::frame::Camera,
    clock::Moment,
    gallery::visitor::VisitorId,
    identify::reasons::Reasons,
    infer::sighting::{Portrait, TrackId},
};
use std::{sync::Arc, time::Duration};
use usher_models::{image::Rect, liveness::Live, template::Score};

/// Who a track is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// An enrolled visitor, beyond doubt.
    Known {
        /// Who.
        visitor: VisitorId,
        /// The pooled comparison score.
        score: Score,
    },
    /// Two enrolled people are too alike to tell apart here: neither is named.
    Alike,
    /// Nobody who enrolled, as far as the looks tell.
    Unknown,
    /// Somebody enrolled by the score, and looks that seem not to be of a live person, or too few to say.
    Suspect {
        /// Whether the gate greets all the same: its liveness is advisory.
        is_greeted: bool,
    },
}

/// Why: figures only.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Evidence {
    /// Looks that counted.
    pub looks: u32,
    /// From the first to the last of them.
    pub over: Duration,
    /// Pooled score of the best candidate.
    pub best: Option<Score>,
    /// Pooled score of the second different person.
    pub second: Option<Score>,
    /// What `best` had to reach.
    pub threshold: Score,
    /// People enrolled at that moment; the threshold depends on it.
    pub enrolled: usize,
}

/// What is known of one track. Sent when the verdict changes and when the track ends.
#[derive(Clone, Debug)]
pub struct Identification {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// Which track.
    pub track: TrackId,
    /// Arrival of the frame with the first usable look.
    pub first: Moment,
    /// Arrival of the frame with the last look.
    pub taken: Moment,
    /// Stream time of that frame.
    pub pts: Duration,
    /// The face there, frame pixels.
    pub rect: Rect,
    /// Who.
    pub verdict: Verdict,
    /// Why.
    pub evidence: Evidence,
    /// How live the track seems: the mean of its judged looks, once there are enough of them.
    pub live: Option<Live>,
    /// The best look, for whoever is welcomed.
    pub portrait: Portrait,
    /// Whether the track has ended.
    pub gone: bool,
    /// Why, look by look and rule by rule, for whoever asks.
    pub reasons: Arc<Reasons>,
    /// When identify said it; `None` from whoever has no clock.
    pub judged: Option<Moment>,
}
