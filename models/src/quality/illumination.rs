//! Illumination uniformity: whether both cheeks have the same light.

use crate::quality::luma::{Luma, Part};

/// The cheeks between eyes and mouth, in the aligned crop; the person's right cheek is left in the picture.
const CHEEKS: [Part; 2] =
    [Part { left: 28, top: 62, right: 46, bottom: 86 }, Part { left: 66, top: 62, right: 84, bottom: 86 }];

/// Shades that are told apart: with more, two alike cheeks of 432 pixels share few of them, and side light is told less well.
const SHADES: usize = 8;

/// The intersection of the cheeks' histograms (ISO/IEC 29794-5:2025): 1 = alike, 0 = no shade in common.
///
/// A turned head shows two unlike cheeks as well, so a low value means something only where the pose is frontal.
pub(super) fn illumination_uniformity(luma: &Luma) -> f32 {
    let [right, left] = CHEEKS.map(|cheek| luma.histogram(cheek));
    let sum = |shade: &[u32]| shade.iter().sum::<u32>();
    let shades = right.chunks(256 / SHADES).zip(left.chunks(256 / SHADES));
    let common: u32 = shades.map(|(right, left)| sum(right).min(sum(left))).sum();
    common as f32 / CHEEKS[0].pixels() as f32
}
