//! How usable one look at a face is.

/// What is measured of one look (terms of ISO/IEC 29794-5).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Quality {
    /// The detector's confidence, 0..=1.
    pub confidence: f32,
    /// Distance between the eyes, frame pixels.
    pub inter_eye_px: f32,
    /// 1 = facing the camera, 0 = profile or worse.
    pub pose: f32,
    /// 0 = blurred beyond use, 1 = sharp.
    pub sharpness: f32,
}
