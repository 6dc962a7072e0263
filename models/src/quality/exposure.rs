//! Exposure: whether the face is too dark, too bright, or flat.

use crate::quality::luma::{INNER_FACE, Luma};

/// Darkest and brightest values that count as lost, as in OFIQ (BSI's reference implementation of ISO/IEC 29794-5).
const BLACK: usize = 25;
const WHITE: usize = 247;

/// How a face is exposed, from the histogram of the inner face's luma. Terms of ISO/IEC 29794-5:2025.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Exposure {
    /// Luminance mean: 0 black, 1 white. Dark skin is dark in good light too: by itself it says nothing about light.
    pub luminance_mean: f32,
    /// Under-exposure prevention: 1 less the share of pixels that are nearly black (0..=25).
    pub under_exposure_prevention: f32,
    /// Over-exposure prevention: 1 less the share of pixels that are burnt out (247..=255).
    pub over_exposure_prevention: f32,
    /// Dynamic range: entropy of the luma in bits, of 8. 0 = one shade.
    pub dynamic_range: f32,
}

/// Measures the inner face.
pub(super) fn exposure(luma: &Luma) -> Exposure {
    let (counts, pixels) = (luma.histogram(INNER_FACE), INNER_FACE.pixels() as f32);
    let share = |of: &[u32]| of.iter().sum::<u32>() as f32 / pixels;
    let (mut mean, mut bits) = (0.0, 0.0);
    for (value, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = *count as f32 / pixels;
        mean += share * value as f32;
        bits -= share * share.log2();
    }
    Exposure {
        luminance_mean: mean / 255.0,
        under_exposure_prevention: 1.0 - share(&counts[..=BLACK]),
        over_exposure_prevention: 1.0 - share(&counts[WHITE..]),
        dynamic_range: (bits / 8.0).clamp(0.0, 1.0),
    }
}
