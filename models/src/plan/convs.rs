//! Convolutions as layers.

use crate::{
    convolution::{Conv, Heads},
    kernels::{
        chain::Link,
        dense::Dense,
        depthwise::Depthwise,
        epilogue::Epilogue,
        pairs::Pairs,
        simd::LANES,
        window::Window,
        winograd::{Form, Winograd},
    },
    net::Step,
    plan::lower::{Lowering, PICTURE, Work},
};

/// Inputs from which on a 1×1 convolution is faster in whole numbers, where these are.
const MANY_INPUTS: usize = 64;
/// Outputs from which on it is: inputs are rounded once for all of them.
const MANY_OUTPUTS: usize = 32;
/// Inputs and outputs from which on a 3×3 convolution of stride 1 is faster by Winograd's transforms: 1.2 times at 8
/// channels, 1.5 at 16, 2.7 at 64. Below, blocks of eight are filled with zeros, and layers are small (decision 11).
const ENOUGH: usize = LANES;
/// Inputs times outputs from which on tiles are 2×2. Tiles of 4×4 have 36 numbers for nine weights: those of a wide layer
/// come from memory each time, and layers so wide come where a map is seven or fourteen wide, of which they fill less.
const HEAVY_TAP: usize = 256 * 256;

/// What is done to each channel of a value while a convolution reads it: scale and shift.
type Before<'a> = Option<(&'a [f32], &'a [f32])>;

/// Scale and shift, filled up to whole blocks.
fn padded((scale, shift): (&[f32], &[f32])) -> (Vec<f32>, Vec<f32>) {
    let padded = Epilogue { bias: shift.to_vec(), slope: scale.to_vec() }.padded();
    (padded.slope, padded.bias)
}

impl<'a> Lowering<'a> {
    /// The convolution of a step, with whatever is done together with it.
    pub(super) fn convolution(&mut self, index: usize) -> Option<()> {
        let Step::Conv { input, output, .. } = &self.source.description.steps[index] else { return None };
        if let Some(heads) = self.source.heads(index) {
            return self.heads(&heads);
        }
        let conv = self.source.conv(index)?;
        let from = self.whole(input)?;
        let made = self.place(&conv, from, None)?;
        self.places.insert(output, (made, 0, conv.outputs()));
        Some(())
    }

    fn heads(&mut self, heads: &Heads<'a>) -> Option<()> {
        let from = self.blocked(heads.input)?;
        let mut made = self.place(&heads.mix, from, None)?;
        if let Some(filter) = &heads.filter {
            made = self.place(filter, made, None)?;
        }
        self.places.extend(heads.places(made));
        heads.steps.iter().for_each(|step| self.joined[*step] = true);
        Some(())
    }

    /// A convolution as a layer; `before` is done to what it reads.
    pub(super) fn place(&mut self, conv: &Conv<'_>, from: usize, before: Before<'_>) -> Option<usize> {
        let Some(residual) = conv.residual else { return self.place_alone(conv, from, Vec::new(), before) };
        let residual = self.blocked(residual)?;
        let is_mixing = conv.groups == 1 && !(Self::is_first(conv) && from == PICTURE);
        if is_mixing {
            return self.place_alone(conv, from, vec![residual], before);
        }
        // Only the tile that mixes channels adds on its way: for others a sum of its own follows.
        let channels = conv.outputs();
        let (straight, slope) = conv.straight();
        let slope = Epilogue { bias: vec![0.0; channels], slope }.padded().slope;
        let made = self.place_alone(&straight, from, Vec::new(), before)?;
        Some(self.push(Work::Add { slope }, made, vec![residual], channels))
    }

    fn place_alone(&mut self, conv: &Conv<'_>, from: usize, others: Vec<usize>, before: Before<'_>) -> Option<usize> {
        let channels = conv.outputs();
        if conv.is_depthwise() {
            let work = if (conv.kernel, conv.pad) == (3, 1) && conv.stride <= 2 {
                Work::Depthwise(Depthwise::new(&conv.weight, conv.stride, &conv.epilogue)?)
            } else {
                Work::Window(Window::new(&conv.weight, conv.kernel, conv.stride, conv.pad, &conv.epilogue)?)
            };
            let from = self.taken(from, channels);
            return Some(self.push(work, from, Vec::new(), channels));
        }
        if conv.groups != 1 || conv.inputs != self.lowered.channels[from] {
            return None;
        }
        if self.has_fast_pairs
            && before.is_none()
            && conv.window() == (1, 1, 0)
            && conv.inputs >= MANY_INPUTS
            && channels >= MANY_OUTPUTS
            && let Some(op) = Pairs::new(&conv.weight, conv.inputs, &conv.epilogue)
        {
            let from = self.taken(from, conv.inputs);
            return Some(self.push(Work::Pairs(op), from, others, channels));
        }
        if (conv.kernel, conv.stride, conv.pad) == (3, 1, 1) && conv.inputs.min(channels) >= ENOUGH {
            let form = if conv.inputs * channels < HEAVY_TAP { Form::Four } else { Form::Two };
            let op = Winograd::new(&conv.weight, conv.inputs, form, &conv.epilogue)?;
            let before = before.map(padded);
            let from = self.taken(from, conv.inputs);
            return Some(self.push(Work::Winograd { op, before }, from, others, channels));
        }
        let op = Dense::new(&conv.weight, (conv.inputs, conv.kernel), (conv.stride, conv.pad), &conv.epilogue)?;
        if op.reads_colours() {
            let (scale, shift) = match before {
                Some((scale, shift)) => (scale.try_into().ok()?, shift.try_into().ok()?),
                None => ([1.0; 3], [0.0; 3]),
            };
            let links = vec![Link::Picture { scale, shift, pad: op.pad }, Link::Colours(op)];
            return (from == PICTURE).then(|| self.push(Work::Chain(links), PICTURE, Vec::new(), channels));
        }
        let work = match before {
            Some(before) => {
                let (scale, shift) = padded(before);
                Work::Scaled { op, scale, shift }
            }
            None => Work::Dense(op),
        };
        let from = self.taken(from, conv.inputs);
        Some(self.push(work, from, others, channels))
    }

    fn taken(&mut self, from: usize, channels: usize) -> usize {
        if from == PICTURE { self.push(Work::Taken, PICTURE, Vec::new(), channels) } else { from }
    }

    /// The scaling that makes `name`, done while the one convolution that reads it copies its input: that of the picture, or
    /// one that pads. `None` where that is not what follows.
    pub(super) fn scaled(&mut self, name: &'a str, from: usize, scale: &[f32], shift: &[f32]) -> Option<Option<()>> {
        let steps = &self.source.description.steps;
        let [reader] = self.source.readers(name)[..] else { return None };
        let Step::Conv { input, output, .. } = &steps[reader] else { return None };
        let conv = self.source.conv(reader)?;
        let copies = if from == PICTURE { Self::is_first(&conv) } else { conv.groups == 1 && conv.pad > 0 };
        // The residual must be there already, and not be what is scaled.
        let waits = conv.residual.is_some_and(|residual| !self.places.contains_key(residual));
        if !copies || waits || input != name || self.source.leaves(name) || conv.residual == Some(name) {
            return None;
        }
        let made = self.place(&conv, from, Some((scale, shift)))?;
        self.places.insert(output, (made, 0, conv.outputs()));
        self.joined[reader] = true;
        Some(Some(()))
    }
}
