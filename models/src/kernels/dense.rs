//! Convolutions that mix channels: 1×1 over values as they lie, k×k over a padded copy.

use crate::kernels::{
    aligned::Aligned,
    blocks::{Padded, blocks},
    epilogue::Epilogue,
    residual::begin,
    simd::{LANES, Simd, Work, wide::Apart},
    tile::{Panel, stretch},
};

/// Weights of more floats than this (512 KiB) do not stay in the cache between two stretches of pixels.
const HEAVY: usize = 128 * 1024;
/// Floats of input that are used with all output channels in turn: 24 KiB, most of a first-level cache.
const NEAR: usize = 6 * 1024;
/// Weights of at most so many floats (64 KiB) are light.
const LIGHT: usize = 16 * 1024;
/// Blocks of input channels that are summed up in one go where weights are heavy: a panel of them is 16 KiB.
const DEPTH: usize = 32;

/// A dense convolution with its weights in panels.
#[derive(Debug)]
pub(crate) struct Dense {
    /// Input channels.
    pub(crate) inputs: usize,
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Step in both directions.
    pub(crate) stride: usize,
    /// Zeros around the picture.
    pub(crate) pad: usize,
    /// Bias and slope, a multiple of eight long.
    epilogue: Epilogue,
    /// Whether it has an activation.
    bends: bool,
    /// Panel after panel of sixteen output channels, perhaps a last one of eight: `(taps, run, channels)`.
    panels: Aligned,
    reading: Reading,
}

/// How the pixels of the input lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// In blocks of eight channels.
    Blocked,
    /// A picture as its caller gives it, colour by colour.
    Colours,
}

impl Dense {
    /// `weight` is `(outputs, inputs, kernel, kernel)`. `None` where the kernels below have no form for it.
    pub(crate) fn new(
        weight: &[f32],
        (inputs, kernel): (usize, usize),
        (stride, pad): (usize, usize),
        epilogue: &Epilogue,
    ) -> Option<Self> {
        let outputs = epilogue.bias.len();
        if !matches!(stride, 1 | 2) || kernel == 0 || weight.len() != outputs * inputs * kernel * kernel {
            return None;
        }
        let reading = if (inputs, kernel) == (3, 3) { Reading::Colours } else { Reading::Blocked };
        let of = |output: usize, input: usize, tap: usize| {
            if output < outputs && input < inputs {
                weight[(output * inputs + input) * kernel * kernel + tap]
            } else {
                0.0
            }
        };
        let mut panels = Vec::new();
        let mut first = 0;
        while first < outputs {
            let wide = if outputs - first > LANES { 2 * LANES } else { LANES };
            let mut push = |input: usize, tap: usize| panels.extend((first..first + wide).map(|o| of(o, input, tap)));
            match reading {
                Reading::Blocked => {
                    for block in 0..blocks(inputs) {
                        for tap in 0..kernel * kernel {
                            (block * LANES..(block + 1) * LANES).for_each(|input| push(input, tap));
                        }
                    }
                }
                Reading::Colours => {
                    for input in 0..inputs {
                        (0..kernel * kernel).for_each(|tap| push(input, tap));
                    }
                }
            }
            first += wide;
        }
        let panels = Aligned::of(&panels);
        let (bends, epilogue) = (epilogue.bends(), epilogue.padded());
        Some(Self { inputs, kernel, stride, pad, epilogue, bends, panels, reading })
    }

    /// Whether it reads a picture colour by colour, not a value in blocks.
    pub(crate) fn reads_colours(&self) -> bool {
        self.reading == Reading::Colours
    }

    /// Whether it reads values as they lie, without a padded copy.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.pad == 0
    }

    /// Rows and columns of what it makes of `side` × `side`.
    pub(crate) fn side(&self, side: usize) -> Option<usize> {
        self.side_of_padded(side + 2 * self.pad)
    }

    /// The same of a copy that has its border.
    pub(crate) fn side_of_padded(&self, side: usize) -> Option<usize> {
        side.checked_sub(self.kernel).map(|last| last / self.stride + 1)
    }

    /// The panels of output blocks `2p` and `2p + 1`, the last perhaps alone; each with its blocks and its weights.
    pub(crate) fn panels(&self) -> impl Iterator<Item = (usize, usize, &[f32])> {
        let blocks = self.epilogue.bias.len() / LANES;
        let depth = match self.reading {
            Reading::Blocked => blocks_deep(self.inputs) * self.kernel * self.kernel,
            Reading::Colours => self.inputs * self.kernel * self.kernel,
        };
        (0..blocks.div_ceil(2)).map(move |panel| {
            let wide = (blocks - 2 * panel).min(2);
            (2 * panel, wide, &self.panels[panel * depth * 2 * LANES..][..depth * wide * LANES])
        })
    }
}

/// Channels, filled up to whole blocks.
fn blocks_deep(channels: usize) -> usize {
    blocks(channels) * LANES
}

/// A 1×1 convolution of `pixels` pixels, of however many pictures: `(blocks, pixels, 8)` to the same.
pub(crate) struct Pointwise<'a> {
    pub(crate) op: &'a Dense,
    pub(crate) input: &'a [f32],
    pub(crate) pixels: usize,
    /// As long as `out`, added before the activation.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

impl Work for Pointwise<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { op, input, pixels, residual, out } = self;
        let plane = pixels * LANES;
        let taps: Vec<usize> = (0..blocks(op.inputs)).map(|block| block * plane).collect();
        if op.panels.len() <= HEAVY {
            // All output channels of few pixels, then the next pixels.
            let lot = (NEAR / blocks_deep(op.inputs)).max(24);
            for from in (0..pixels).step_by(lot) {
                let to = (from + lot).min(pixels);
                for (block, wide, weight) in op.panels() {
                    if let Some(residual) = residual {
                        let lot = block * plane..;
                        begin(simd, op.bias(block, wide), &residual[lot.clone()], &mut out[lot], plane, from..to);
                    }
                    let panel = op.panel(block, wide, &taps, weight, (residual.is_none(), true));
                    row::<S, 8, 8>(
                        simd,
                        &input[from * LANES..],
                        panel,
                        wide,
                        &mut out[block * plane..],
                        plane,
                        from..to,
                    );
                }
            }
        } else {
            // All pixels of few output channels: weights are read once.
            for (block, wide, weight) in op.panels() {
                if let Some(residual) = residual {
                    let lot = block * plane..;
                    begin(simd, op.bias(block, wide), &residual[lot.clone()], &mut out[lot], plane, 0..pixels);
                }
                for (index, taps) in taps.chunks(DEPTH).enumerate() {
                    let weight = &weight[index * DEPTH * LANES * wide * LANES..][..taps.len() * LANES * wide * LANES];
                    let ends = (index == 0 && residual.is_none(), (index + 1) * DEPTH >= blocks(op.inputs));
                    let panel = op.panel(block, wide, taps, weight, ends);
                    row::<S, 8, 8>(simd, input, panel, wide, &mut out[block * plane..], plane, 0..pixels);
                }
            }
        }
    }
}

impl Dense {
    /// The bias of one or two output blocks from `block` on.
    #[inline(always)]
    pub(crate) fn bias(&self, block: usize, wide: usize) -> &[f32] {
        &self.epilogue.bias[block * LANES..(block + wide) * LANES]
    }

    /// One or two output blocks from `block` on, over these taps.
    #[inline(always)]
    pub(crate) fn panel<'a>(
        &'a self,
        block: usize,
        wide: usize,
        taps: &'a [usize],
        weight: &'a [f32],
        (is_first, is_last): (bool, bool),
    ) -> Panel<'a> {
        let channels = block * LANES..(block + wide) * LANES;
        Panel {
            taps,
            weight,
            bias: &self.epilogue.bias[channels.clone()],
            slope: &self.epilogue.slope[channels],
            is_first,
            is_bent: is_last && self.bends,
        }
    }
}

/// Pixels `range` of one or two output blocks that lie `plane` floats apart.
#[inline(always)]
pub(crate) fn row<S: Simd, const STEP: usize, const RUN: usize>(
    simd: S,
    input: &[f32],
    panel: Panel<'_>,
    wide: usize,
    out: &mut [f32],
    plane: usize,
    range: std::ops::Range<usize>,
) {
    let range = range.start * LANES..range.end * LANES;
    if wide == 2 {
        let (first, second) = out.split_at_mut(plane);
        stretch::<S, S::Two, 2, STEP, RUN>(simd, input, panel, [&mut first[range.clone()], &mut second[range]]);
    } else {
        stretch::<S, Apart, 1, STEP, RUN>(simd, input, panel, [&mut out[range]]);
    }
}

impl Dense {
    /// Whether all weights of a 1×1 fit beside a few rows of pixels in a second-level cache.
    pub(crate) fn is_light(&self) -> bool {
        self.is_pointwise() && self.panels.len() <= LIGHT
    }

    /// Blocks of output channels.
    pub(crate) fn blocks(&self) -> usize {
        self.epilogue.bias.len() / LANES
    }
}

/// A convolution over a padded copy, of `pictures` pictures.
pub(crate) struct Windowed<'a> {
    pub(crate) op: &'a Dense,
    pub(crate) input: &'a [f32],
    /// Of one picture of the padded copy.
    pub(crate) padded: Padded,
    pub(crate) pictures: usize,
    /// Rows and columns of what is made.
    pub(crate) made: (usize, usize),
    /// As long as `out`, added before the activation.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

impl Work for Windowed<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if self.op.stride == 1 { self.rows::<S, 8>(simd) } else { self.rows::<S, 16>(simd) }
    }
}

impl Windowed<'_> {
    #[inline(always)]
    fn rows<S: Simd, const STEP: usize>(self, simd: S) {
        let Self { op, input, padded, pictures, made: (rows, columns), residual, out } = self;
        let line = padded.width * LANES;
        let depth = pictures * padded.height * line;
        let windows = (0..op.kernel).flat_map(|y| (0..op.kernel).map(move |x| y * line + x * LANES));
        let taps: Vec<usize> =
            (0..blocks(op.inputs)).flat_map(|block| windows.clone().map(move |tap| block * depth + tap)).collect();
        let plane = pictures * rows * columns * LANES;
        for picture in 0..pictures {
            for y in 0..rows {
                let input = &input[(picture * padded.height + y * op.stride) * line..];
                let from = (picture * rows + y) * columns;
                for (block, wide, weight) in op.panels() {
                    if let Some(residual) = residual {
                        let (lot, range) = (block * plane.., from..from + columns);
                        begin(simd, op.bias(block, wide), &residual[lot.clone()], &mut out[lot], plane, range);
                    }
                    let panel = op.panel(block, wide, &taps, weight, (residual.is_none(), true));
                    row::<S, STEP, 8>(simd, input, panel, wide, &mut out[block * plane..], plane, from..from + columns);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{near, numbers, simd::isa::Isa};

    /// Weights too many for a cache take another way, output by output; light ones do all outputs of few pixels.
    #[test]
    fn heavy_weights_make_what_the_portable_twin_makes() {
        let (inputs, outputs, pixels) = (600, 250, 15);
        let epilogue = Epilogue { bias: numbers(outputs, 1), slope: numbers(outputs, 2) };
        let op = Dense::new(&numbers(inputs * outputs, 3), (inputs, 1), (1, 0), &epilogue).unwrap();
        let input = numbers(blocks(inputs) * pixels * LANES, 4);
        let residual = numbers(op.blocks() * pixels * LANES, 5);
        let made = |isa: Isa| {
            let mut out = vec![f32::NAN; op.blocks() * pixels * LANES];
            isa.run(Pointwise { op: &op, input: &input, pixels, residual: Some(&residual), out: &mut out });
            out
        };
        for isa in Isa::all() {
            assert!(near(&made(isa), &made(Isa::Portable)), "{isa:?}");
        }
    }
}
