//! Hints: what is wrong with a picture's light, or covers the face, and what to do about it, in words.
//!
//! Each bar is the value that one good picture in 150 or fewer falls below (docs/accuracy.md, "What a picture's
//! quality tells"): a hint sends somebody back to the camera, so it must seldom be wrong.

use std::fmt;
use usher_models::quality::Quality;

const LUMINANCE_MEAN: f32 = 0.25;
const DYNAMIC_RANGE: f32 = 0.76;
const OVER_EXPOSURE_PREVENTION: f32 = 0.93;
/// A turned head has unlike cheeks in any light: ask for a frontal one first.
const UNIFORMITY: f32 = 0.005;
const VISIBLE: f32 = 0.25;

/// What a person can mend at once. Told of one picture or, live, of what a camera sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// Too little light.
    Dark,
    /// Too much.
    Bright,
    /// Light from one side.
    SideLit,
    /// Sunglasses, hair, a hand.
    EyesCovered,
    /// A mask, a scarf, a hand.
    MouthCovered,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Self; 5] = [Self::Dark, Self::Bright, Self::SideLit, Self::EyesCovered, Self::MouthCovered];

    /// The first thing to mend, if anything.
    pub fn of(quality: &Quality) -> Option<Self> {
        let exposure = &quality.exposure;
        // Dark skin is dark in good light too, but has all its shades then: both must be missing.
        let is_dark = exposure.luminance_mean < LUMINANCE_MEAN && exposure.dynamic_range < DYNAMIC_RANGE;
        let is_bright = exposure.over_exposure_prevention < OVER_EXPOSURE_PREVENTION;
        let is_side_lit = quality.illumination_uniformity < UNIFORMITY;
        let found = [
            (is_dark, Self::Dark),
            (is_bright, Self::Bright),
            (is_side_lit, Self::SideLit),
            (quality.eyes_visible < VISIBLE, Self::EyesCovered),
            (quality.mouth_occlusion_prevention < VISIBLE, Self::MouthCovered),
        ];
        found.into_iter().find_map(|(is_so, hint)| is_so.then_some(hint))
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dark => "is too dark; take it with more light on the face, none behind it",
            Self::Bright => "is washed out; take it out of the sun or the lamp, or with a shorter exposure",
            Self::SideLit => "has light from one side only; turn towards the light and take it again",
            Self::EyesCovered => "shows no eyes; take off sunglasses and put hair and hands aside",
            Self::MouthCovered => "shows no mouth; take off mask or scarf and put hands aside",
        })
    }
}
