//! Halving and doubling of pictures, in blocks of eight channels.

use crate::kernels::{
    simd::{LANES, Simd, Work},
    tile::{eight, eight_mut},
};

/// The greatest of each 2×2, stride 2; a last odd row or column is left out.
pub(crate) struct Halved<'a> {
    pub(crate) input: &'a [f32],
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    pub(crate) out: &'a mut [f32],
}

impl Work for Halved<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, size: (height, width), out } = self;
        let (rows, columns, line) = (height / 2, width / 2, width * LANES);
        for (index, out) in out.chunks_exact_mut(columns * LANES).enumerate() {
            let pair = &input[(index / rows * height + index % rows * 2) * line..][..2 * line];
            let (upper, lower) = pair.split_at(line);
            halved_row(simd, [upper, lower], out);
        }
    }
}

/// The row that two rows of eight channels make.
#[inline(always)]
pub(crate) fn halved_row<S: Simd>(simd: S, [upper, lower]: [&[f32]; 2], out: &mut [f32]) {
    for x in 0..out.len() / LANES {
        let above = simd.max(simd.load(eight(upper, 2 * x)), simd.load(eight(upper, 2 * x + 1)));
        let below = simd.max(simd.load(eight(lower, 2 * x)), simd.load(eight(lower, 2 * x + 1)));
        simd.store(simd.max(above, below), eight_mut(out, x));
    }
}

/// `large` plus `small`, every pixel of which is doubled in both directions.
pub(crate) struct AddedDoubled<'a> {
    pub(crate) large: &'a [f32],
    pub(crate) small: &'a [f32],
    /// Rows and columns of a large picture.
    pub(crate) size: (usize, usize),
    pub(crate) out: &'a mut [f32],
}

impl Work for AddedDoubled<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { large, small, size: (height, width), out } = self;
        let line = width * LANES;
        for (index, (out, large)) in out.chunks_exact_mut(line).zip(large.chunks_exact(line)).enumerate() {
            let row = index / height * (height / 2) + index % height / 2;
            let small = &small[row * line / 2..][..line / 2];
            for x in 0..width {
                let sum = simd.add(simd.load(eight(large, x)), simd.load(eight(small, x / 2)));
                simd.store(sum, eight_mut(out, x));
            }
        }
    }
}

/// `input * scale + shift` by channel, bent.
pub(crate) struct Scaled<'a> {
    pub(crate) input: &'a [f32],
    /// Filled up to whole blocks.
    pub(crate) scale: &'a [f32],
    /// Filled up to whole blocks.
    pub(crate) shift: &'a [f32],
    /// Filled up to whole blocks: what negative values are multiplied by.
    pub(crate) slope: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Work for Scaled<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, scale, shift, slope, out } = self;
        let plane = input.len() / (scale.len() / LANES);
        for (block, (out, input)) in out.chunks_exact_mut(plane).zip(input.chunks_exact(plane)).enumerate() {
            let (scale, shift) = (simd.load(eight(scale, block)), simd.load(eight(shift, block)));
            let slope = simd.load(eight(slope, block));
            for i in 0..plane / LANES {
                let scaled = simd.mul_add(simd.load(eight(input, i)), scale, shift);
                simd.store(simd.bend(scaled, slope), eight_mut(out, i));
            }
        }
    }
}
