//! How usable one look at a face is.

use crate::{face::Face, image::Rgb};

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

/// Distance between the eyes at which a look is worth half of a large one.
const HALF_INTER_EYE_PX: f32 = 12.0;
/// Standard deviation of the Laplacian at which an aligned crop is half sharp, 8-bit luma.
const HALF_LAPLACIAN: f32 = 10.0;

/// Measures a look: `face` in frame pixels, `crop` its aligned crop.
///
/// - **pose** from where the nose lies between the eyes and the corners of the mouth: to the side of their middle by
///   more than .6 of the inter-eye distance is a profile; above or below its place by as much is a lifted or bowed head;
/// - **sharpness** from the Laplacian of the crop's luma over the inner face: σ / (σ + 10).
///
/// See `docs/accuracy.md` for what the constants were fitted to. Must not be used as a threshold of its own.
pub fn measure(face: &Face, crop: &Rgb) -> Quality {
    let finite = |v: f32| if v.is_finite() { v } else { 0.0 };
    Quality {
        confidence: finite(face.confidence).clamp(0.0, 1.0),
        inter_eye_px: finite(face.inter_eye_px()),
        pose: finite(pose(face)).clamp(0.0, 1.0),
        sharpness: finite(sharpness(crop)).clamp(0.0, 1.0),
    }
}

impl Quality {
    /// What this look counts for when several looks of one visit are pooled, 0..=1.
    ///
    /// `confidence · e² / (e² + 12²) · (.1 + .9 · pose) · sharpness`, where `e` is the inter-eye distance. A product,
    /// because one bad property spoils a look whatever the others are. Only ratios between looks mean anything.
    pub fn weight(&self) -> f32 {
        let size = self.inter_eye_px * self.inter_eye_px;
        let size = size / (size + HALF_INTER_EYE_PX * HALF_INTER_EYE_PX);
        (self.confidence * size * (0.1 + 0.9 * self.pose) * self.sharpness).clamp(0.0, 1.0)
    }
}

/// How far the nose is from where it is in a frontal face, in units of the inter-eye distance; 1 = in place.
fn pose(face: &Face) -> f32 {
    let [right, left, nose, mouth_right, mouth_left] = face.landmarks;
    let eyes = ((right.x + left.x) / 2.0, (right.y + left.y) / 2.0);
    let mouth = ((mouth_right.x + mouth_left.x) / 2.0, (mouth_right.y + mouth_left.y) / 2.0);
    // Axes of the face in the picture: downwards from eyes to mouth, and along the eyes.
    let (down, along) = ((mouth.0 - eyes.0, mouth.1 - eyes.1), (left.x - right.x, left.y - right.y));
    let (height, width) = (down.0.hypot(down.1), along.0.hypot(along.1));
    if !(height > 1e-3 && width > 1e-3) {
        return 0.0;
    }
    let middle = ((eyes.0 + mouth.0) / 2.0, (eyes.1 + mouth.1) / 2.0);
    let from_middle = (nose.x - middle.0, nose.y - middle.1);
    // The ArcFace template has the nose at .50 of the way and 1.16 of inter-eye distance between eyes and mouth.
    let sideways = (from_middle.0 * down.1 - from_middle.1 * down.0).abs() / height / width.max(height / 1.16);
    let updown = (from_middle.0 * down.0 + from_middle.1 * down.1).abs() / height / width.max(height / 1.16);
    // A turned head also brings the eyes together: .5 of the usual proportion is a profile.
    let narrow = ((1.16 * width / height - 0.5) / 0.5).clamp(0.0, 1.0);
    (1.0 - sideways / 0.6).clamp(0.0, 1.0) * (1.0 - updown / 0.6).clamp(0.0, 1.0) * narrow
}

/// From the Laplacian over the inner face, where hair and background are not.
fn sharpness(crop: &Rgb) -> f32 {
    let (w, h) = (crop.size.width as usize, crop.size.height as usize);
    let pixels = w * h;
    if w < 8 || h < 8 || crop.data.len() != 3 * pixels {
        return 0.0;
    }
    let luma = |x: usize, y: usize| {
        let at = |c: usize| crop.data[c * pixels + y * w + x];
        0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2)
    };
    let (mut sum, mut squares, mut n) = (0f64, 0f64, 0f64);
    for y in h / 4..h * 9 / 10 {
        for x in w / 4..w * 3 / 4 {
            let edge = luma(x - 1, y) + luma(x + 1, y) + luma(x, y - 1) + luma(x, y + 1) - 4.0 * luma(x, y);
            sum += f64::from(edge);
            squares += f64::from(edge) * f64::from(edge);
            n += 1.0;
        }
    }
    let deviation = (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt() as f32;
    deviation / (deviation + HALF_LAPLACIAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        align::TEMPLATE,
        image::{Point, Rect, Size},
    };

    fn look(turn: f32, inter_eye_scale: f32) -> Face {
        let mut landmarks = TEMPLATE.map(|p| Point { x: p.x * inter_eye_scale, y: p.y * inter_eye_scale });
        landmarks[2].x += turn * 35.0 * inter_eye_scale;
        Face { rect: Rect::default(), landmarks, confidence: 0.9 }
    }

    fn crop(contrast: f32) -> Rgb {
        let data = (0..3 * 112 * 112).map(|i| if (i % 112 / 3 + i / 112 % 112 / 3) % 2 == 0 { contrast } else { 0.0 });
        Rgb { size: Size { width: 112, height: 112 }, data: data.collect() }
    }

    #[test]
    fn a_frontal_large_sharp_look_outweighs_every_worse_one() {
        let best = measure(&look(0.0, 1.0), &crop(120.0));
        assert!(best.pose > 0.9 && best.sharpness > 0.6, "{best:?}");
        for worse in [
            measure(&look(0.3, 1.0), &crop(120.0)),
            measure(&look(0.0, 0.4), &crop(120.0)),
            measure(&look(0.0, 1.0), &crop(5.0)),
        ] {
            assert!(worse.weight() < 0.8 * best.weight(), "{worse:?}");
        }
    }

    #[test]
    fn a_profile_is_no_pose() {
        assert_eq!(measure(&look(0.7, 1.0), &crop(50.0)).pose, 0.0);
    }

    #[test]
    fn nonsense_is_worth_nothing_and_does_not_panic() {
        let mut face = look(0.0, 1.0);
        face.landmarks[0].x = f32::NAN;
        face.confidence = f32::NAN;
        let empty = Rgb { size: Size { width: 0, height: 0 }, data: Vec::new() };
        assert_eq!(measure(&face, &empty).weight(), 0.0);
    }
}
