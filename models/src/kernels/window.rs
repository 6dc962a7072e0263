//! Depthwise convolution with a kernel of any side: 7×7 over the last map of an embedder, 5×5 elsewhere.
//!
//! Over a padded copy, or over the value as it lies where there is no padding. 3×3 with padding 1 has a kernel of its own
//! ([`crate::kernels::depthwise`]).

use crate::kernels::{
    blocks::Padded,
    epilogue::Epilogue,
    simd::{LANES, Simd, Work},
    tile::{eight, eight_mut},
};

/// Sums that do not wait for each other.
const SUMS: usize = 4;

/// A depthwise convolution.
#[derive(Debug)]
pub(crate) struct Window {
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Step in both directions.
    pub(crate) stride: usize,
    /// Zeros around the picture.
    pub(crate) pad: usize,
    /// `(blocks, kernel, kernel, 8)`.
    weight: Vec<f32>,
    epilogue: Epilogue,
}

impl Window {
    /// `weight` is `(channels, 1, kernel, kernel)`. `None` where it is not.
    pub(crate) fn new(weight: &[f32], kernel: usize, stride: usize, pad: usize, epilogue: &Epilogue) -> Option<Self> {
        let (channels, taps) = (epilogue.bias.len(), kernel * kernel);
        if taps == 0 || stride == 0 || weight.len() != channels * taps {
            return None;
        }
        let epilogue = epilogue.padded();
        let mut blocked = vec![0.0; epilogue.bias.len() * taps];
        for (channel, filter) in weight.chunks_exact(taps).enumerate() {
            for (tap, value) in filter.iter().enumerate() {
                blocked[(channel / LANES * taps + tap) * LANES + channel % LANES] = *value;
            }
        }
        Some(Self { kernel, stride, pad, weight: blocked, epilogue })
    }

    /// Rows or columns of what it makes of `side`; `None` where the kernel is larger than the padded picture.
    pub(crate) fn side(&self, side: usize) -> Option<usize> {
        (side + 2 * self.pad).checked_sub(self.kernel).map(|last| last / self.stride + 1)
    }
}

/// Over `(blocks, pictures, height, width, 8)` with its padding.
pub(crate) struct Slid<'a> {
    pub(crate) op: &'a Window,
    pub(crate) input: &'a [f32],
    /// Of one picture of the input.
    pub(crate) padded: Padded,
    pub(crate) pictures: usize,
    /// Rows and columns of what is made.
    pub(crate) made: (usize, usize),
    pub(crate) out: &'a mut [f32],
}

impl Work for Slid<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { op, input, padded, pictures, made: (rows, columns), out } = self;
        let line = padded.width * LANES;
        let run = op.kernel * LANES;
        let planes = out.chunks_exact_mut(rows * columns * LANES);
        for (plane, (out, input)) in planes.zip(input.chunks_exact(padded.height * line)).enumerate() {
            let block = plane / pictures;
            let bias = simd.load(eight(&op.epilogue.bias, block));
            let slope = simd.load(eight(&op.epilogue.slope, block));
            let weight = &op.weight[block * op.kernel * run..][..op.kernel * run];
            for index in 0..rows * columns {
                let (y, x) = (index / columns * op.stride, index % columns * op.stride);
                let mut sums = [simd.splat(0.0); SUMS];
                sums[0] = bias;
                for (row, weight) in weight.chunks_exact(run).enumerate() {
                    let seen = &input[(y + row) * line + x * LANES..][..run];
                    for first in (0..op.kernel).step_by(SUMS) {
                        for (index, sum) in sums.iter_mut().enumerate() {
                            let tap = first + index;
                            if tap < op.kernel {
                                *sum = simd.mul_add(simd.load(eight(seen, tap)), simd.load(eight(weight, tap)), *sum);
                            }
                        }
                    }
                }
                let sum = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
                simd.store(simd.bend(sum, slope), eight_mut(out, index));
            }
        }
    }
}
