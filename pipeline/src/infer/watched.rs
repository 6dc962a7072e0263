//! What infer saw in one frame, for the operator's eyes and for counting.

use crate::infer::sighting::TrackId;
use crate::{capture::frame::Frame, clock::Moment};
use std::sync::Arc;
use usher_models::{face::Face, image::Rect, quality::Quality};

/// One frame that infer has dealt with. Taps may lose it.
#[derive(Clone)]
pub struct Watched {
    /// The frame.
    pub frame: Arc<Frame>,
    /// Everybody tracked in it.
    pub people: Vec<Person>,
    /// Whether the detector saw it; if not, nobody was about and nothing had changed.
    pub analysed: bool,
    /// When it was dealt with.
    pub done: Moment,
}

/// One tracked person.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Which track.
    pub track: TrackId,
    /// Frame pixels.
    pub rect: Rect,
    /// The same with its landmarks.
    pub face: Face,
    /// What was measured of the face's pixels, where a look was due in this frame.
    pub quality: Option<Quality>,
    /// Whether in the camera's opt-in zone; outside, nobody is embedded.
    pub in_zone: bool,
    /// Looks taken so far.
    pub looks: u32,
}
