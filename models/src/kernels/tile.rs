//! The register tile: a few pixels by sixteen channels, the heart of every convolution that mixes channels.
//!
//! Values lie in blocks of eight channels, so the eight numbers of a pixel's block are neighbours. A tile reads its
//! pixels one number at a time, spread over a register, and multiplies them with as many output channels at once: nothing
//! is gathered and nothing is packed but the weights, once, when a network is placed.

use crate::kernels::simd::{LANES, Simd, wide::Wide};
use std::marker::PhantomData;

/// What a stretch of output pixels is made of, for `N` blocks of output channels.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// Where each tap lies in the input, counted from the first pixel of the stretch. A tap is `RUN` numbers.
    pub(crate) taps: &'a [usize],
    /// `(taps, RUN, N · 8)`.
    pub(crate) weight: &'a [f32],
    /// `(N · 8)`.
    pub(crate) bias: &'a [f32],
    /// `(N · 8)`: what negative values are multiplied by.
    pub(crate) slope: &'a [f32],
    /// Whether these are the first taps: sums begin with the bias. Otherwise with what stands in the output.
    pub(crate) is_first: bool,
    /// Whether the sums are bent by the slope: after the last taps, where there is an activation.
    pub(crate) is_bent: bool,
}

/// Work on neighbouring pixels that is done tile by tile.
pub(crate) trait Tiles {
    /// The `M` pixels from `at` on. Mark implementations `#[inline(always)]`.
    fn tile<const M: usize>(&mut self, at: usize);
}

/// Does the work on `pixels` pixels.
#[inline(always)]
pub(crate) fn tiled<S: Simd>(pixels: usize, mut work: impl Tiles) {
    let tiles = pixels.div_ceil(S::PIXELS).max(1);
    // Tiles as equal as can be: 13 pixels are 5, 4 and 4, not 6, 6 and 1.
    let (least, longer) = (pixels / tiles, pixels % tiles);
    let mut at = 0;
    for index in 0..tiles {
        let length = least + usize::from(index < longer);
        match length {
            // Where registers are few, these are not even compiled.
            8 if const { S::PIXELS > 7 } => work.tile::<8>(at),
            7 if const { S::PIXELS > 6 } => work.tile::<7>(at),
            6 => work.tile::<6>(at),
            5 => work.tile::<5>(at),
            4 => work.tile::<4>(at),
            3 => work.tile::<3>(at),
            2 => work.tile::<2>(at),
            1 => work.tile::<1>(at),
            _ => {}
        }
        at += length;
    }
}

/// Makes a stretch of neighbouring output pixels. Pixel `i` reads its taps `i · STEP` numbers further on; block `j` of its
/// output is `out[j][i · 8..]`.
#[inline(always)]
pub(crate) fn stretch<S: Simd, B: Wide<S, N>, const N: usize, const STEP: usize, const RUN: usize>(
    simd: S,
    input: &[f32],
    panel: Panel<'_>,
    out: [&mut [f32]; N],
) {
    tiled::<S>(out[0].len() / LANES, Stretch::<S, B, N, STEP, RUN> { simd, input, panel, out, blocks: PhantomData });
}

struct Stretch<'a, S, B, const N: usize, const STEP: usize, const RUN: usize> {
    simd: S,
    input: &'a [f32],
    panel: Panel<'a>,
    out: [&'a mut [f32]; N],
    blocks: PhantomData<B>,
}

impl<S: Simd, B: Wide<S, N>, const N: usize, const STEP: usize, const RUN: usize> Tiles
    for Stretch<'_, S, B, N, STEP, RUN>
{
    #[inline(always)]
    fn tile<const M: usize>(&mut self, at: usize) {
        let (simd, panel) = (self.simd, self.panel);
        let input = &self.input[(at * STEP).min(self.input.len())..];
        let out = self.out.each_mut().map(|block| &mut block.as_chunks_mut::<LANES>().0[at..][..M]);
        let mut begun = [[simd.splat(0.0); N]; M];
        for j in 0..N {
            let bias = simd.load(eight(panel.bias, j));
            for (i, begun) in begun.iter_mut().enumerate() {
                begun[j] = if panel.is_first { bias } else { simd.load(&out[j][i]) };
            }
        }
        let mut sums = [B::splat(simd, 0.0); M];
        for (sum, begun) in sums.iter_mut().zip(begun) {
            *sum = B::joined(simd, begun);
        }
        for (tap, weight) in panel.taps.iter().zip(panel.weight.chunks_exact(RUN * N * LANES)) {
            // One check a tap: within it every index is known when this is compiled.
            let pixels = &input[*tap..][..(M - 1) * STEP + RUN];
            let weight = &weight.as_chunks::<LANES>().0.as_chunks::<N>().0[..RUN];
            for k in 0..RUN {
                let weights = B::load(simd, &weight[k]);
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = B::mul_add(simd, B::splat(simd, pixels[i * STEP + k]), weights, *sum);
                }
            }
        }
        let mut made = [[simd.splat(0.0); N]; M];
        for (made, sum) in made.iter_mut().zip(sums) {
            *made = B::parted(simd, sum);
        }
        for j in 0..N {
            let slope = simd.load(eight(panel.slope, j));
            for (i, made) in made.iter().enumerate() {
                let made = if panel.is_bent { simd.bend(made[j], slope) } else { made[j] };
                simd.store(made, &mut out[j][i]);
            }
        }
    }
}

/// Block `index` of numbers in blocks of eight.
#[inline(always)]
pub(crate) fn eight(numbers: &[f32], index: usize) -> &[f32; LANES] {
    numbers[index * LANES..][..LANES].try_into().expect("eight numbers are eight numbers")
}

/// The same, to write to.
#[inline(always)]
pub(crate) fn eight_mut(numbers: &mut [f32], index: usize) -> &mut [f32; LANES] {
    (&mut numbers[index * LANES..][..LANES]).try_into().expect("eight numbers are eight numbers")
}
