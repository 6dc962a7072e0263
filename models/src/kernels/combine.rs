//! Values with values: sums, gates, joins, and the mean that a gate is made of. In blocks of eight channels.

use crate::kernels::{
    blocks::blocks,
    simd::{LANES, Simd, Work},
    tile::{eight, eight_mut},
};

/// `a + b`, bent.
pub(crate) struct Added<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
    /// Filled up to whole blocks: what negative sums are multiplied by.
    pub(crate) slope: &'a [f32],
    pub(crate) out: &'a mut [f32],
}

impl Work for Added<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { a, b, slope, out } = self;
        let plane = out.len() / (slope.len() / LANES);
        for (block, out) in out.chunks_exact_mut(plane).enumerate() {
            let slope = simd.load(eight(slope, block));
            let (a, b) = (&a[block * plane..][..plane], &b[block * plane..][..plane]);
            for i in 0..plane / LANES {
                let sum = simd.add(simd.load(eight(a, i)), simd.load(eight(b, i)));
                simd.store(simd.bend(sum, slope), eight_mut(out, i));
            }
        }
    }
}

/// The mean of all pixels of each channel of each picture: `(blocks, pictures, pixels, 8)` to `(blocks, pictures, 8)`.
pub(crate) struct Averaged<'a> {
    pub(crate) input: &'a [f32],
    /// Of one picture.
    pub(crate) pixels: usize,
    pub(crate) out: &'a mut [f32],
}

impl Work for Averaged<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, pixels, out } = self;
        let share = simd.splat(1.0 / pixels as f32);
        for (picture, input) in input.chunks_exact(pixels * LANES).enumerate() {
            // Four sums that do not wait for each other.
            let mut sums = [simd.splat(0.0); 4];
            for first in (0..pixels).step_by(sums.len()) {
                for (index, sum) in sums.iter_mut().enumerate() {
                    if first + index < pixels {
                        *sum = simd.add(*sum, simd.load(eight(input, first + index)));
                    }
                }
            }
            let sum = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
            simd.store(simd.mul_add(sum, share, simd.splat(0.0)), eight_mut(out, picture));
        }
    }
}

/// `input · by + plus`, `by` being one number a channel of each picture: `(blocks, pictures, 8)`.
pub(crate) struct Gated<'a> {
    pub(crate) input: &'a [f32],
    pub(crate) by: &'a [f32],
    pub(crate) plus: Option<&'a [f32]>,
    /// Of one picture.
    pub(crate) pixels: usize,
    pub(crate) out: &'a mut [f32],
}

impl Work for Gated<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { input, by, plus, pixels, out } = self;
        let run = pixels * LANES;
        for (picture, (out, input)) in out.chunks_exact_mut(run).zip(input.chunks_exact(run)).enumerate() {
            let by = simd.load(eight(by, picture));
            match plus {
                Some(plus) => {
                    let plus = &plus[picture * run..][..run];
                    for i in 0..pixels {
                        let made = simd.mul_add(simd.load(eight(input, i)), by, simd.load(eight(plus, i)));
                        simd.store(made, eight_mut(out, i));
                    }
                }
                None => {
                    for i in 0..pixels {
                        let made = simd.mul_add(simd.load(eight(input, i)), by, simd.splat(0.0));
                        simd.store(made, eight_mut(out, i));
                    }
                }
            }
        }
    }
}

/// `1 / (1 + e^-x)`, number by number: meant for the few numbers of a gate.
pub(crate) fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

/// The channels of several values one after the other; each with their number. `run` is all pixels of a batch.
pub(crate) fn join(values: &[(&[f32], usize)], run: usize, out: &mut [f32]) {
    let plane = run * LANES;
    let mut first = 0;
    for (value, channels) in values {
        if first % LANES == 0 {
            let length = blocks(*channels) * plane;
            out[first / LANES * plane..][..length].copy_from_slice(&value[..length]);
        } else {
            for channel in 0..*channels {
                let from = &value[channel / LANES * plane..][..plane];
                let into = &mut out[(first + channel) / LANES * plane..][..plane];
                for (into, from) in into.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks::<LANES>().0) {
                    into[(first + channel) % LANES] = from[channel % LANES];
                }
            }
            // What fills the last block up may hold what an earlier value left there.
            for channel in first + channels..blocks(first + channels) * LANES {
                let into = &mut out[channel / LANES * plane..][..plane];
                into.as_chunks_mut::<LANES>().0.iter_mut().for_each(|eight| eight[channel % LANES] = 0.0);
            }
        }
        first += channels;
    }
}
