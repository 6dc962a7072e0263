//! Occlusion: whether eyes and mouth are seen.
//!
//! An open or closed eye has dark and light within a few pixels, and a mouth is a dark line or red lips between skin; what
//! covers them is mostly of one shade. So contrast is what is looked for, in terms of the light on the cheeks. Of sunglasses
//! and bands drawn over the eyes six in seven are told, of drawn masks nine in ten, and one good picture in 600 is taken for
//! covered (`docs/accuracy.md`). Patterned cloth, a hand with its creases, or lenses that mirror the room can pass: use it for
//! a hint, never as proof that a face is uncovered. OFIQ has a segmentation network for this; we have none.

use crate::quality::luma::{Luma, Part};

/// Around each eye of the ArcFace template: lids and brow's shadow, inside the lens of a pair of glasses.
const EYES: [Part; 2] =
    [Part { left: 30, top: 47, right: 47, bottom: 58 }, Part { left: 66, top: 47, right: 83, bottom: 58 }];
/// The mouth of the template, from the upper lip to the hollow above the chin.
const MOUTH: Part = Part { left: 44, top: 84, right: 68, bottom: 102 };
/// Skin in the same light.
const CHEEKS: [Part; 2] =
    [Part { left: 29, top: 66, right: 46, bottom: 83 }, Part { left: 67, top: 66, right: 84, bottom: 83 }];
/// Contrast of the eyes, and of the mouth, of the median of 1,241 good pictures.
const OF_EYES: f32 = 0.48;
const OF_MOUTH: f32 = 0.217;

/// What is seen, 0..=1: the contrast there is, of that of an uncovered face.
pub(super) struct Visible {
    pub(super) eyes: f32,
    pub(super) mouth: f32,
}

/// Looks at both eyes and the mouth.
pub(super) fn visible(luma: &Luma) -> Visible {
    let [right, left] = CHEEKS.map(|cheek| luma.histogram(cheek));
    let both: [u32; 256] = std::array::from_fn(|value| right[value] + left[value]);
    let skin = quantile(&both, 0.5).max(4.0);
    let contrast = |eye: Part| {
        let counts = luma.histogram(eye);
        (quantile(&counts, 0.9) - quantile(&counts, 0.1)) / skin
    };
    let [right, left] = EYES.map(contrast);
    Visible { eyes: right.min(left) / OF_EYES, mouth: lines(luma) / skin / OF_MOUTH }
}

/// The mean change from two rows above to two rows below, in grey levels.
fn lines(luma: &Luma) -> f32 {
    let mut sum = 0.0;
    for y in MOUTH.top..MOUTH.bottom {
        let (above, below) = (luma.row(y - 2), luma.row(y + 2));
        sum += (MOUTH.left..MOUTH.right).map(|x| (below[x] - above[x]).abs()).sum::<f32>();
    }
    sum / MOUTH.pixels() as f32
}

/// The value that `share` of the pixels do not exceed.
fn quantile(counts: &[u32; 256], share: f32) -> f32 {
    let wanted = share * counts.iter().sum::<u32>() as f32;
    let mut below = 0;
    let found = counts.iter().position(|count| {
        below += count;
        below as f32 >= wanted
    });
    found.unwrap_or(255) as f32
}
