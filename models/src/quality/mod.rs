//! How usable one look at a face is: the components of ISO/IEC 29794-5 that can be told from one aligned crop.
//!
//! All of them are read from the crop that the embedder is given, most from one histogram of its inner face, so that a look
//! costs no more than before. None is a unified quality score; see `docs/accuracy.md` for what each was found to tell.

mod exposure;
mod illumination;
mod luma;
mod occlusion;
mod pose;
mod sharpness;

pub use exposure::Exposure;
pub use pose::Head;

use crate::{face::Face, image::Rgb};
use luma::Luma;

/// What is measured of one look (terms of ISO/IEC 29794-5).
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Quality {
    /// The detector's confidence, 0..=1.
    pub confidence: f32,
    /// Distance between the eyes, frame pixels.
    pub inter_eye_px: f32,
    /// 1 = facing the camera, 0 = profile or worse.
    pub pose: f32,
    /// Where the head is turned, degrees.
    pub head: Head,
    /// 0 = blurred beyond use, 1 = sharp.
    pub sharpness: f32,
    /// Sharpness from left to right, 0..=1: lost by what moves sideways while the shutter is open.
    pub sharpness_sideways: f32,
    /// Sharpness downwards, 0..=1: lost by what moves up or down.
    pub sharpness_upright: f32,
    /// Too dark, too bright or flat.
    pub exposure: Exposure,
    /// 1 = both cheeks have the same light, 0 = no shade in common.
    pub illumination_uniformity: f32,
    /// 1 = both eyes are seen, 0 = one of them is covered.
    pub eyes_visible: f32,
    /// 1 = the mouth is seen, 0 = it is covered.
    pub mouth_occlusion_prevention: f32,
}

/// Distance between the eyes at which a look is worth half of a large one.
const HALF_INTER_EYE_PX: f32 = 12.0;

/// Measures a look: `face` in frame pixels, `crop` its aligned crop (112×112; of anything else the pixels say nothing).
///
/// - **pose** from where the nose lies between the eyes and the corners of the mouth: to the side of their middle by
///   more than .6 of the inter-eye distance is a profile; above or below its place by as much is a lifted or bowed head;
/// - **sharpness** from the Laplacian of the crop's luma over the inner face: σ / (σ + 10).
///
/// See `docs/accuracy.md` for what the constants were fitted to. Must not be used as a threshold of its own.
pub fn measure(face: &Face, crop: &Rgb) -> Quality {
    let share = |v: f32| if v.is_finite() { v.clamp(0.0, 1.0) } else { 0.0 };
    let inter_eye_px = face.inter_eye_px();
    let of_landmarks = Quality {
        confidence: share(face.confidence),
        inter_eye_px: if inter_eye_px.is_finite() { inter_eye_px } else { 0.0 },
        pose: share(pose::frontal(face)),
        head: Head::of(face),
        ..Quality::default()
    };
    let Some(luma) = Luma::of(crop) else { return of_landmarks };
    let (sharp, seen) = (sharpness::sharpness(&luma), occlusion::visible(&luma));
    Quality {
        sharpness: share(sharp.all),
        sharpness_sideways: share(sharp.sideways),
        sharpness_upright: share(sharp.upright),
        exposure: exposure::exposure(&luma),
        illumination_uniformity: share(illumination::illumination_uniformity(&luma)),
        eyes_visible: share(seen.eyes),
        mouth_occlusion_prevention: share(seen.mouth),
        ..of_landmarks
    }
}

impl Quality {
    /// Nothing was measured.
    pub const NOTHING: Self = Self {
        confidence: 0.0,
        inter_eye_px: 0.0,
        pose: 0.0,
        head: Head { yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0 },
        sharpness: 0.0,
        sharpness_sideways: 0.0,
        sharpness_upright: 0.0,
        exposure: Exposure {
            luminance_mean: 0.0,
            under_exposure_prevention: 0.0,
            over_exposure_prevention: 0.0,
            dynamic_range: 0.0,
        },
        illumination_uniformity: 0.0,
        eyes_visible: 0.0,
        mouth_occlusion_prevention: 0.0,
    };

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

    /// A face's shades without a face: skin, darker eyes and mouth, both in the light that `gain` gives at each column.
    fn drawn(gain: impl Fn(usize) -> f32, eyes: f32, mouth: f32) -> Rgb {
        let value = |at: usize| {
            let (x, y) = (at % 112, at / 112 % 112);
            let is_eye = (50..54).contains(&y) && ((34..43).contains(&x) || (70..79).contains(&x));
            let is_mouth = (92..95).contains(&y) && (44..68).contains(&x);
            let shade = 150.0 + 30.0 * ((x * 7 + y * 13) % 17) as f32 / 17.0;
            let (dark, line) = (if is_eye { eyes } else { 0.0 }, if is_mouth { mouth } else { 0.0 });
            ((shade - dark - line) * gain(x)).clamp(0.0, 255.0)
        };
        Rgb { size: Size { width: 112, height: 112 }, data: (0..3 * 112 * 112).map(value).collect() }
    }

    #[test]
    fn each_fault_lowers_its_own_component() {
        let of = |crop: Rgb| measure(&look(0.0, 1.0), &crop);
        let good = of(drawn(|_| 1.0, 110.0, 110.0));
        assert!(good.eyes_visible > 0.5 && good.mouth_occlusion_prevention > 0.3, "{good:?}");
        assert!(good.illumination_uniformity > 0.9 && good.exposure.over_exposure_prevention > 0.99, "{good:?}");
        let dark = of(drawn(|_| 0.1, 110.0, 110.0)).exposure;
        assert!(dark.luminance_mean < 0.1 && dark.under_exposure_prevention < 0.1, "{dark:?}");
        assert!(dark.dynamic_range < good.exposure.dynamic_range);
        assert!(of(drawn(|_| 1.8, 110.0, 110.0)).exposure.over_exposure_prevention < 0.1);
        let side = of(drawn(|x| if x < 56 { 1.0 } else { 0.3 }, 110.0, 110.0));
        assert!(side.illumination_uniformity < 0.1, "{side:?}");
        let covered = of(drawn(|_| 1.0, 0.0, 0.0));
        assert!(covered.eyes_visible < good.eyes_visible / 2.0, "{covered:?}");
        assert!(covered.mouth_occlusion_prevention < good.mouth_occlusion_prevention / 1.5, "{covered:?}");
    }

    #[test]
    fn what_moves_sideways_loses_its_upright_edges_only() {
        // Stripes across and along: of a chequerboard both directions would go.
        let stripes = |i: usize| (60 * (i % 112 / 3 % 2) + 60 * (i / 112 % 112 / 3 % 2)) as f32;
        let still = Rgb { size: Size { width: 112, height: 112 }, data: (0..3 * 112 * 112).map(stripes).collect() };
        let mut moved = still.clone();
        for (line, from) in moved.data.chunks_exact_mut(112).zip(still.data.chunks_exact(112)) {
            for x in 4..108 {
                line[x] = from[x - 4..=x + 4].iter().sum::<f32>() / 9.0;
            }
        }
        let (still, moved) = (measure(&look(0.0, 1.0), &still), measure(&look(0.0, 1.0), &moved));
        let kept = |of: fn(&Quality) -> f32| of(&moved) / of(&still);
        assert!(kept(|q| q.sharpness_sideways) < 0.8 && kept(|q| q.sharpness_upright) > 0.95, "{moved:?}");
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
