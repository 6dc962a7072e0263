//! The shortcut of a residual block, in the pass of the convolution that it is added to.
//!
//! Sums begin with what stands in the output (`Panel::is_first`), so bias and shortcut are put there right before: a few
//! kilobytes at a time, which the tile finds in the first-level cache.

use crate::kernels::{
    simd::{LANES, Simd},
    tile::{eight, eight_mut},
};
use std::ops::Range;

/// Writes `bias + residual` for the pixels `range` of as many output blocks as `bias` has. Blocks of `residual` and of `out`
/// lie `plane` floats apart.
#[inline(always)]
pub(crate) fn begin<S: Simd>(
    simd: S,
    bias: &[f32],
    residual: &[f32],
    out: &mut [f32],
    plane: usize,
    range: Range<usize>,
) {
    for block in 0..bias.len() / LANES {
        let bias = simd.load(eight(bias, block));
        let lot = block * plane + range.start * LANES..block * plane + range.end * LANES;
        let (residual, out) = (&residual[lot.clone()], &mut out[lot]);
        for pixel in 0..range.len() {
            simd.store(simd.add(bias, simd.load(eight(residual, pixel))), eight_mut(out, pixel));
        }
    }
}
