//! The register tile: a few pixels by sixteen channels, the heart of every convolution that mixes channels.
//!
//! Values lie in blocks of eight channels, so the eight numbers of a pixel's block are neighbours. A tile reads its
//! pixels one number at a time, spread over a register, and multiplies them with eight output channels at once: nothing
//! is gathered and nothing is packed but the weights, once, when a network is placed.

use crate::kernels::simd::{LANES, Simd};

/// Most pixels of a tile. Six by sixteen channels are twelve sums, two weights and one pixel: the sixteen registers of
/// AVX2 but one.
const PIXELS: usize = 6;

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

/// Makes a stretch of neighbouring output pixels. Pixel `i` reads its taps `i · STEP` numbers further on; block `j` of its
/// output is `out[j][i · 8..]`.
#[inline(always)]
pub(crate) fn stretch<S: Simd, const N: usize, const STEP: usize, const RUN: usize>(
    simd: S,
    input: &[f32],
    panel: Panel<'_>,
    mut out: [&mut [f32]; N],
) {
    let pixels = out[0].len() / LANES;
    let tiles = pixels.div_ceil(PIXELS).max(1);
    // Tiles as equal as can be: 13 pixels are 5, 4 and 4, not 6, 6 and 1.
    let (least, longer) = (pixels / tiles, pixels % tiles);
    let mut at = 0;
    for index in 0..tiles {
        let length = least + usize::from(index < longer);
        let input = &input[(at * STEP).min(input.len())..];
        let mut rest = out.each_mut().map(|block| &mut block[at * LANES..][..length * LANES]);
        match length {
            6 => tile::<S, 6, N, STEP, RUN>(simd, input, panel, &mut rest),
            5 => tile::<S, 5, N, STEP, RUN>(simd, input, panel, &mut rest),
            4 => tile::<S, 4, N, STEP, RUN>(simd, input, panel, &mut rest),
            3 => tile::<S, 3, N, STEP, RUN>(simd, input, panel, &mut rest),
            2 => tile::<S, 2, N, STEP, RUN>(simd, input, panel, &mut rest),
            1 => tile::<S, 1, N, STEP, RUN>(simd, input, panel, &mut rest),
            _ => {}
        }
        at += length;
    }
}

#[inline(always)]
fn tile<S: Simd, const M: usize, const N: usize, const STEP: usize, const RUN: usize>(
    simd: S,
    input: &[f32],
    panel: Panel<'_>,
    out: &mut [&mut [f32]; N],
) {
    let out = out.each_mut().map(|block| &mut block.as_chunks_mut::<LANES>().0[..M]);
    let mut sums = [[simd.splat(0.0); N]; M];
    for j in 0..N {
        let bias = simd.load(eight(panel.bias, j));
        for (i, sums) in sums.iter_mut().enumerate() {
            sums[j] = if panel.is_first { bias } else { simd.load(&out[j][i]) };
        }
    }
    for (tap, weight) in panel.taps.iter().zip(panel.weight.chunks_exact(RUN * N * LANES)) {
        // One check a tap: within it every index is known when this is compiled.
        let pixels = &input[*tap..][..(M - 1) * STEP + RUN];
        for k in 0..RUN {
            let mut weights = [simd.splat(0.0); N];
            for (j, w) in weights.iter_mut().enumerate() {
                *w = simd.load(eight(weight, k * N + j));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let pixel = simd.splat(pixels[i * STEP + k]);
                for (sum, w) in sums.iter_mut().zip(weights) {
                    *sum = simd.mul_add(pixel, w, *sum);
                }
            }
        }
    }
    for j in 0..N {
        let slope = simd.load(eight(panel.slope, j));
        for (i, sums) in sums.iter().enumerate() {
            let made = if panel.is_bent { simd.bend(sums[j], slope) } else { sums[j] };
            simd.store(made, &mut out[j][i]);
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
