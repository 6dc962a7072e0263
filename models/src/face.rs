//! A face as a detector finds it.

use crate::image::{Point, Rect};

/// One face in one picture. All positions are pixels of the picture that was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// Upright box around the face.
    pub rect: Rect,
    /// Right eye, left eye, nose tip, right and left corner of the mouth, as the person has them
    /// (the right eye is left in the picture).
    pub landmarks: [Point; 5],
    /// The detector's own belief, 0..=1. Not a probability.
    pub confidence: f32,
}

impl Face {
    /// Distance between the eyes in pixels (ISO/IEC 29794-5: inter-eye distance).
    pub fn inter_eye_px(&self) -> f32 {
        let [right, left, ..] = self.landmarks;
        (left.x - right.x).hypot(left.y - right.y)
    }
}
