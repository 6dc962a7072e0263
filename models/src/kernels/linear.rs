//! A fully connected layer over a value in blocks.
//!
//! At a batch of one it reads every weight once and does little with it: memory is what it waits for. Weights are kept
//! in half precision, which halves the wait; sums are in single precision.

use crate::kernels::{
    blocks::blocks,
    simd::{LANES, Simd, Work},
    tile::{eight, eight_mut},
};
use half::f16;

/// Blocks of outputs that are summed up at once: four sums that do not wait for each other.
const WIDE: usize = 4;

/// A fully connected layer.
#[derive(Debug)]
pub(crate) struct Linear {
    /// Outputs, not filled up.
    pub(crate) outputs: usize,
    /// Channels of the input.
    pub(crate) channels: usize,
    /// Pixels of the input.
    pub(crate) pixels: usize,
    /// Panel after panel of 32 outputs: `(blocks, pixels, 8, 32)`, half precision.
    weight: Vec<u16>,
    /// Filled up to whole panels.
    bias: Vec<f32>,
}

impl Linear {
    /// `weight` is `(outputs, channels · pixels)`, the input flattened from `(channels, pixels)`. `None` where shapes do not
    /// fit, or a weight is too large for half precision.
    pub(crate) fn new(weight: &[f32], bias: &[f32], channels: usize) -> Option<Self> {
        let outputs = bias.len();
        let inputs = weight.len().checked_div(outputs)?;
        let pixels = inputs.checked_div(channels)?;
        let is_large = |v: &f32| !f16::from_f32(*v).is_finite();
        if outputs * channels * pixels != weight.len() || weight.iter().any(is_large) {
            return None;
        }
        let wide = WIDE * LANES;
        let panels = outputs.div_ceil(wide);
        let mut packed = Vec::with_capacity(panels * wide * blocks(channels) * LANES * pixels);
        for first in (0..panels).map(|panel| panel * wide) {
            for block in 0..blocks(channels) {
                for pixel in 0..pixels {
                    for channel in block * LANES..(block + 1) * LANES {
                        packed.extend((first..first + wide).map(|output| {
                            let is_there = output < outputs && channel < channels;
                            let v = if is_there { weight[output * inputs + channel * pixels + pixel] } else { 0.0 };
                            f16::from_f32(v).to_bits()
                        }));
                    }
                }
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(panels * wide, 0.0);
        Some(Self { outputs, channels, pixels, weight: packed, bias })
    }
}

/// Of `(blocks, pictures, pixels, 8)` makes `(pictures, outputs)`.
pub(crate) struct Connected<'a> {
    pub(crate) op: &'a Linear,
    pub(crate) input: &'a [f32],
    pub(crate) pictures: usize,
    pub(crate) out: &'a mut [f32],
}

impl Work for Connected<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let mut first = 0;
        while first < self.pictures {
            // Three pictures by four blocks of outputs fill the registers.
            let some = (self.pictures - first).min(3);
            match some {
                3 => self.some::<S, 3>(simd, first),
                2 => self.some::<S, 2>(simd, first),
                _ => self.some::<S, 1>(simd, first),
            }
            first += some;
        }
    }
}

impl Connected<'_> {
    #[inline(always)]
    fn some<S: Simd, const M: usize>(&mut self, simd: S, first: usize) {
        let op = self.op;
        let run = op.pixels * LANES;
        let depth = blocks(op.channels) * run;
        for (panel, weight) in op.weight.chunks_exact(depth * WIDE * LANES).enumerate() {
            let outputs = panel * WIDE * LANES;
            let mut sums = [[simd.splat(0.0); WIDE]; M];
            for sums in &mut sums {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.load(eight(&op.bias, panel * WIDE + j));
                }
            }
            for (block, weight) in weight.chunks_exact(run * WIDE * LANES).enumerate() {
                let mut inputs = [&self.input[..0]; M];
                for (i, input) in inputs.iter_mut().enumerate() {
                    *input = &self.input[(block * self.pictures + first + i) * run..][..run];
                }
                for (k, weight) in weight.as_chunks::<{ WIDE * LANES }>().0.iter().enumerate() {
                    let mut weights = [simd.splat(0.0); WIDE];
                    for (w, eight) in weights.iter_mut().zip(weight.as_chunks::<LANES>().0) {
                        *w = simd.widen(eight);
                    }
                    for (sums, input) in sums.iter_mut().zip(inputs) {
                        let value = simd.splat(input[k]);
                        for (sum, w) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add(value, w, *sum);
                        }
                    }
                }
            }
            for (i, sums) in sums.iter().enumerate() {
                let mut made = [0.0; WIDE * LANES];
                for (j, sum) in sums.iter().enumerate() {
                    simd.store(*sum, eight_mut(&mut made, j));
                }
                let some = (op.outputs - outputs).min(WIDE * LANES);
                self.out[(first + i) * op.outputs + outputs..][..some].copy_from_slice(&made[..some]);
            }
        }
    }
}
