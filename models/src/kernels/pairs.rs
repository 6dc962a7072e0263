//! 1×1 convolutions in whole numbers of sixteen bits, two channels at a time.
//!
//! x86-64 multiplies sixteen pairs of 16-bit numbers and adds neighbours in one instruction: twice the products of a fused
//! multiply-add. Every pixel is scaled to a length of [`LENGTH`], every output's weights to [`WEIGHTS`] at most: by the
//! inequality of Cauchy and Schwarz no sum, nor any part of one, then leaves 32 bits, whatever the picture. Nothing
//! saturates, nothing wraps; the error is that of rounding, half a unit of each number.

use crate::kernels::{
    blocks::blocks,
    epilogue::Epilogue,
    residual::begin,
    simd::{
        LANES, Simd, Work,
        wide::{Apart, Wide},
    },
    tile::{Tiles, eight, tiled},
};
use std::marker::PhantomData;

/// The length of a pixel, as a vector of its channels. No channel is longer: each fits sixteen bits.
const LENGTH: f32 = 32_000.0;
/// The greatest length of an output's weights. Rounding may add half a unit to each of [`DEEPEST`] numbers, 50 to a
/// length: the product of both is still less than 2³¹.
const WEIGHTS: f32 = 66_900.0;
/// Most inputs.
const DEEPEST: usize = 10_000;
/// Pixels of a shorter length are as good as zero.
const LEAST: f32 = 1e-15;
/// Pairs of channels in a block.
const PAIRS: usize = LANES / 2;
/// Weights of at most so many bytes stay in a second-level cache from lot to lot.
const LIGHT: usize = 128 * 1024;

/// A 1×1 convolution with its weights in panels.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// Input channels.
    pub(crate) inputs: usize,
    /// Bias and slope, a multiple of eight long.
    epilogue: Epilogue,
    /// Whether it has an activation.
    bends: bool,
    /// Panel after panel of sixteen output channels, perhaps a last one of eight: `(blocks, 4, channels)`, each the weights
    /// of two neighbouring inputs.
    panels: Vec<i32>,
    /// What a weight of 1 counts for, by output.
    scales: Vec<f32>,
}

/// Pixels in whole numbers, kept from run to run for their room.
#[derive(Debug, Default)]
pub(crate) struct Quantised {
    /// `(blocks, pixels, 4)`, each two neighbouring channels.
    numbers: Vec<i32>,
    /// What 1 counts for, by pixel.
    scales: Vec<f32>,
    /// Squares, summed by pixel and lane; then what a pixel is multiplied by.
    squares: Vec<f32>,
}

/// Pixels to read or write: eight channels of neighbours lie side by side, blocks of channels `apart`.
#[derive(Clone, Copy)]
pub(crate) struct Pixels<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) apart: usize,
    pub(crate) count: usize,
}

impl Pairs {
    /// `weight` is `(outputs, inputs)`. `None` where it is of another length, or not finite.
    pub(crate) fn new(weight: &[f32], inputs: usize, epilogue: &Epilogue) -> Option<Self> {
        let outputs = epilogue.bias.len();
        if !(1..=DEEPEST).contains(&inputs) || weight.len() != outputs * inputs || !weight.iter().all(|w| w.is_finite())
        {
            return None;
        }
        let epilogue = epilogue.padded();
        let mut scales = vec![0.0; epilogue.bias.len()];
        let mut whole = vec![0i16; outputs * inputs];
        for ((scale, weight), whole) in
            scales.iter_mut().zip(weight.chunks_exact(inputs)).zip(whole.chunks_exact_mut(inputs))
        {
            let length = weight.iter().map(|w| w * w).sum::<f32>().sqrt();
            let most = weight.iter().fold(0f32, |most, w| most.max(w.abs()));
            *scale = (length / WEIGHTS).max(most / f32::from(i16::MAX)).max(f32::MIN_POSITIVE);
            for (whole, w) in whole.iter_mut().zip(weight) {
                *whole = (w / *scale).round() as i16;
            }
        }
        let of = |output: usize, input: usize| {
            if output < outputs && input < inputs { whole[output * inputs + input] } else { 0 }
        };
        let mut panels = Vec::new();
        let mut first = 0;
        while first < outputs {
            let wide = if outputs - first > LANES { 2 * LANES } else { LANES };
            for input in (0..blocks(inputs) * LANES).step_by(2) {
                panels.extend((first..first + wide).map(|output| pair(of(output, input), of(output, input + 1))));
            }
            first += wide;
        }
        let bends = epilogue.bends();
        Some(Self { inputs, epilogue, bends, panels, scales })
    }

    /// Whether all weights fit beside a few rows of pixels in a second-level cache.
    pub(crate) fn is_light(&self) -> bool {
        size_of_val(&self.panels[..]) <= LIGHT / 2
    }

    /// Blocks of output channels.
    pub(crate) fn blocks(&self) -> usize {
        self.scales.len() / LANES
    }

    /// Pixels that are best done together.
    pub(crate) fn lot(&self) -> usize {
        if size_of_val(&self.panels[..]) <= LIGHT { 48 } else { 256 }
    }

    /// Every output of `pixels`; those of block `b` to `out[b · apart..]`. `residual` lies as `out` does and is added before
    /// the activation.
    #[inline(always)]
    pub(crate) fn run<S: Simd>(
        &self,
        simd: S,
        pixels: Pixels<'_>,
        residual: Option<&[f32]>,
        kept: &mut Quantised,
        (out, apart): (&mut [f32], usize),
    ) {
        kept.take(simd, pixels, blocks(self.inputs));
        let line = pixels.count * LANES;
        let depth = blocks(self.inputs) * PAIRS;
        for panel in 0..self.blocks().div_ceil(2) {
            let first = 2 * panel;
            let wide = (self.blocks() - first).min(2);
            let weight = &self.panels[first * LANES * depth..][..wide * LANES * depth];
            let channels = first * LANES..(first + wide) * LANES;
            let panel = Panel {
                weight,
                scale: &self.scales[channels.clone()],
                bias: &self.epilogue.bias[channels.clone()],
                slope: &self.epilogue.slope[channels],
                is_begun: residual.is_some(),
                bends: self.bends,
            };
            let out = &mut out[first * apart..];
            if let Some(residual) = residual {
                begin(simd, panel.bias, &residual[first * apart..], out, apart, 0..pixels.count);
            }
            if wide == 2 {
                let (one, two) = out.split_at_mut(apart);
                let out = [&mut one[..line], &mut two[..line]];
                tiled::<S>(
                    pixels.count,
                    Stretch::<S, S::Two, 2> { simd, pixels: kept, panel, out, blocks: PhantomData },
                );
            } else {
                let out = [&mut out[..line]];
                tiled::<S>(
                    pixels.count,
                    Stretch::<S, Apart, 1> { simd, pixels: kept, panel, out, blocks: PhantomData },
                );
            }
        }
    }
}

/// [`Pairs::run`] over `pixels` pixels, of however many pictures: `(blocks, pixels, 8)` to the same.
pub(crate) struct Paired<'a> {
    pub(crate) op: &'a Pairs,
    pub(crate) input: &'a [f32],
    pub(crate) pixels: usize,
    /// As long as `out`, added before the activation.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) kept: &'a mut Quantised,
    pub(crate) out: &'a mut [f32],
}

impl Work for Paired<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { op, input, pixels, residual, kept, out } = self;
        let apart = pixels * LANES;
        for from in (0..pixels).step_by(op.lot()) {
            let count = op.lot().min(pixels - from);
            let some = Pixels { data: &input[from * LANES..], apart, count };
            let residual = residual.map(|residual| &residual[from * LANES..]);
            op.run(simd, some, residual, kept, (&mut out[from * LANES..], apart));
        }
    }
}

/// Two numbers in one, the first in the lower half.
fn pair(low: i16, high: i16) -> i32 {
    i32::from(low) & 0xffff | i32::from(high) << 16
}

impl Quantised {
    /// Takes all channels of `pixels`, scaled pixel by pixel.
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, pixels: Pixels<'_>, deep: usize) {
        let line = pixels.count * LANES;
        self.squares.clear();
        self.squares.resize(line, 0.0);
        self.numbers.resize(deep * pixels.count * PAIRS, 0);
        self.scales.resize(pixels.count, 0.0);
        let squares = self.squares.as_chunks_mut::<LANES>().0;
        for block in 0..deep {
            let from = pixels.data[block * pixels.apart..][..line].as_chunks::<LANES>().0;
            for (squares, eight) in squares.iter_mut().zip(from) {
                let eight = simd.load(eight);
                simd.store(simd.mul_add(eight, eight, simd.load(squares)), squares);
            }
        }
        for (scale, squares) in self.scales.iter_mut().zip(squares) {
            let length = simd.sum(simd.load(squares)).sqrt().max(LEAST);
            *scale = length / LENGTH;
            *squares = [LENGTH / length; LANES];
        }
        for (block, numbers) in self.numbers.chunks_exact_mut(pixels.count * PAIRS).enumerate() {
            let from = pixels.data[block * pixels.apart..][..line].as_chunks::<LANES>().0;
            let times = self.squares.as_chunks::<LANES>().0;
            for ((numbers, eight), times) in numbers.as_chunks_mut::<PAIRS>().0.iter_mut().zip(from).zip(times) {
                simd.narrow(simd.load(eight), simd.load(times), numbers);
            }
        }
    }
}

/// What `N` blocks of output channels are made of.
#[derive(Clone, Copy)]
struct Panel<'a> {
    /// `(pairs of channels, N · 8)`.
    weight: &'a [i32],
    /// `(N · 8)`, as those that follow.
    scale: &'a [f32],
    bias: &'a [f32],
    slope: &'a [f32],
    /// Whether bias and residual stand in the output.
    is_begun: bool,
    bends: bool,
}

/// `N` blocks of output channels of neighbouring pixels.
struct Stretch<'a, S, B, const N: usize> {
    simd: S,
    pixels: &'a Quantised,
    panel: Panel<'a>,
    out: [&'a mut [f32]; N],
    blocks: PhantomData<B>,
}

impl<S: Simd, B: Wide<S, N>, const N: usize> Tiles for Stretch<'_, S, B, N> {
    #[inline(always)]
    fn tile<const M: usize>(&mut self, at: usize) {
        let (simd, pixels, panel) = (self.simd, self.pixels, self.panel);
        let out = self.out.each_mut().map(|block| &mut block.as_chunks_mut::<LANES>().0[at..][..M]);
        let mut sums = [B::splat_whole(simd, 0); M];
        let blocks = pixels.numbers.chunks_exact(pixels.scales.len() * PAIRS);
        for (block, weight) in blocks.zip(panel.weight.chunks_exact(PAIRS * N * LANES)) {
            let weight = &weight.as_chunks::<LANES>().0.as_chunks::<N>().0[..PAIRS];
            let numbers = &block.as_chunks::<PAIRS>().0[at..][..M];
            for k in 0..PAIRS {
                let weights = B::load_whole(simd, &weight[k]);
                for i in 0..M {
                    sums[i] = B::add_pairs(simd, B::splat_whole(simd, numbers[i][k]), weights, sums[i]);
                }
            }
        }
        let mut parted = [[simd.splat_whole(0); N]; M];
        for (parted, sum) in parted.iter_mut().zip(sums) {
            *parted = B::parted_whole(simd, sum);
        }
        let scales = &pixels.scales[at..][..M];
        for j in 0..N {
            let scale = simd.load(eight(panel.scale, j));
            let (bias, slope) = (simd.load(eight(panel.bias, j)), simd.load(eight(panel.slope, j)));
            let nothing = simd.splat(0.0);
            for i in 0..M {
                let sum = simd.mul_add(simd.float(parted[i][j]), simd.splat(scales[i]), nothing);
                let bias = if panel.is_begun { simd.load(&out[j][i]) } else { bias };
                let made = simd.mul_add(sum, scale, bias);
                let made = if panel.bends { simd.bend(made, slope) } else { made };
                simd.store(made, &mut out[j][i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{numbers, simd::isa::Isa};
    use proptest::prelude::*;

    /// What `isa` makes of `(blocks, pixels, 8)`.
    fn made(isa: Isa, op: &Pairs, input: &[f32], pixels: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; op.blocks() * pixels * LANES];
        let mut kept = Quantised::default();
        isa.run(Paired { op, input, pixels, residual: None, kept: &mut kept, out: &mut out });
        out
    }

    proptest! {
        #[test]
        fn sums_are_what_double_precision_says(
            inputs in 1usize..150, outputs in 1usize..40, pixels in 1usize..120, seed in any::<u64>(), size in -9i32..9
        ) {
            let size = 10f32.powi(size);
            let weight = numbers(inputs * outputs, seed);
            let epilogue = Epilogue { bias: numbers(outputs, seed ^ 1), slope: numbers(outputs, seed ^ 2) };
            let op = Pairs::new(&weight, inputs, &epilogue).unwrap();
            let mut input: Vec<f32> = numbers(blocks(inputs) * pixels * LANES, seed ^ 3);
            // What fills up the last block is zero, as in a plan.
            let channel = |at: usize| at / (pixels * LANES) * LANES + at % LANES;
            input.iter_mut().enumerate().for_each(|(at, v)| *v = if channel(at) < inputs { *v * size } else { 0.0 });
            let made: Vec<_> = Isa::all().into_iter().map(|isa| made(isa, &op, &input, pixels)).collect();
            for pixel in 0..pixels {
                let of = |input_channel: usize| input[(input_channel / LANES * pixels + pixel) * LANES + input_channel % LANES];
                let pixel_length = (0..inputs).map(|i| f64::from(of(i)).powi(2)).sum::<f64>().sqrt();
                for output in 0..outputs {
                    let weight = &weight[output * inputs..][..inputs];
                    let sum: f64 = weight.iter().enumerate().map(|(i, w)| f64::from(*w) * f64::from(of(i))).sum();
                    let length = weight.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
                    let most = weight.iter().fold(0f64, |most, w| most.max(f64::from(w.abs())));
                    let sum = sum + f64::from(epilogue.bias[output]);
                    let wanted = if sum > 0.0 { sum } else { sum * f64::from(epilogue.slope[output]) };
                    // Half a unit of every channel, and of every weight; each times the length of the other.
                    let units = 0.5 * (inputs as f64).sqrt();
                    let (of_pixel, of_weights) = (pixel_length / f64::from(LENGTH), (length / f64::from(WEIGHTS)).max(most / 32767.0));
                    let bound = units * (of_pixel * length + of_weights * pixel_length) * 1.01 + 1e-6 * pixel_length * length;
                    let at = (output / LANES * pixels + pixel) * LANES + output % LANES;
                    // Lengths are summed up in another order by each: a number in the middle may be rounded either way.
                    for made in made.iter().map(|made| made[at]) {
                        prop_assert!((f64::from(made) - wanted).abs() <= bound + 1e-6, "{made} {wanted} {bound}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_sum_leaves_its_bits() {
        for (inputs, weight) in [(1, 1.0), (64, -3.0), (1024, 1e9), (4096, 1e-9)] {
            let epilogue = Epilogue { bias: vec![0.0; 8], slope: vec![1.0; 8] };
            let op = Pairs::new(&vec![weight; 8 * inputs], inputs, &epilogue).unwrap();
            let wanted = 7.0 * weight * inputs as f32;
            for isa in Isa::all() {
                let out = made(isa, &op, &vec![7.0; blocks(inputs) * LANES], 1);
                assert!(out.iter().all(|v| (v / wanted - 1.0).abs() < 0.01), "{inputs} times {weight}: {out:?}");
            }
        }
    }

    #[test]
    fn a_pixel_of_zeros_makes_the_bias() {
        let epilogue = Epilogue { bias: vec![0.5; 8], slope: vec![0.0; 8] };
        let op = Pairs::new(&[1.0; 64], 8, &epilogue).unwrap();
        for isa in Isa::all() {
            assert_eq!(made(isa, &op, &[0.0; 8], 1), [0.5; 8]);
        }
    }
}
