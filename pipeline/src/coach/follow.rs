//! Following: the gate's own detector, tracker and measures over one camera's frames, and no embedder.

use crate::{
    capture::frame::Frame,
    coach::walk::Glimpse,
    infer::track::{TrackIds, Tracker},
};
use usher_models::{align::aligned, detect::Detector, error::ModelError, quality::measure, resample::letterbox};

/// Follows everybody before one camera, and measures every face in every frame.
pub struct Follower {
    detector: Box<dyn Detector>,
    tracker: Tracker,
}

impl Follower {
    /// With the gate's detector.
    pub fn new(detector: Box<dyn Detector>) -> Self {
        Self { detector, tracker: Tracker::new(TrackIds::default()) }
    }

    /// What `frame` shows of everybody who is followed.
    ///
    /// # Errors
    /// When the network fails.
    pub fn follow(&mut self, frame: &Frame) -> Result<Vec<Glimpse>, ModelError> {
        let (view, size) = (frame.picture.view(), frame.picture.size());
        let (picture, fit) = letterbox(&view, self.detector.input());
        let found = self.detector.detect(&[picture])?;
        let faces: Vec<_> = found.iter().flatten().map(|face| fit.to_frame(face)).collect();
        self.tracker.follow(&faces, frame.taken);
        let believed = self.tracker.seen_at(frame.taken).filter(|track| track.is_believed());
        let glimpse = |track: &crate::infer::track::Track| Glimpse {
            track: track.id,
            at: frame.taken.steady,
            face: track.face,
            size,
            is_in_zone: frame.camera.zone.holds(track.face.rect.centre(), size),
            quality: Some(measure(&track.face, &aligned(&view, &track.face.landmarks))),
        };
        Ok(believed.map(glimpse).collect())
    }
}
