//! From a description to layers: weights packed, neighbours joined.
//!
//! As `plan/lower.rs` does it for the CPU, with other packing.

use crate::{
    convolution::{Conv, Heads},
    cuda::{constants::Constants, packed::Packed},
    net::{Activation, Description, Step},
    source::{Ending, Source, Tensors},
};
use std::collections::HashMap;

/// What the caller gives.
pub(super) const PICTURE: usize = 0;
/// Colours of a picture at most: filled up to eight it would be multiplied with zeros mostly.
const COLOURS: usize = 4;

/// A layer: what is done, with which values.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) work: Work,
    /// The value read; [`PICTURE`] is what the caller gives.
    pub(super) input: usize,
    /// Other values read: what a convolution or a sum adds, what a gate multiplies with, what is joined.
    pub(super) others: Vec<usize>,
    /// The value made.
    pub(super) output: usize,
}

impl Layer {
    /// Every value read.
    pub(super) fn read(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(self.input).chain(self.others.iter().copied())
    }
}

/// What a layer does; scales, shifts and slopes are places in the constants. A step without a form here makes [`lowered`]
/// give `None`, and the whole network falls back to stock operators: a new step is an arm there, a form here, its launch
/// in `launches.rs` and a kernel.
#[derive(Debug)]
pub(super) enum Work {
    /// A convolution of the caller's picture, each colour scaled and shifted before (both at `scale`).
    Colours { op: Packed, scale: usize },
    /// The caller's picture as it is.
    Taken,
    /// A convolution that mixes channels; another value may be added before the activation.
    Mix(Packed),
    /// A depthwise convolution.
    Filter(Packed),
    /// Maximum over 2×2.
    HalveByMax,
    /// A sum with something half as large.
    AddDoubled,
    /// A sum.
    Add { slope: usize },
    /// Channels side by side; of how many each, not filled up.
    Concat(Vec<usize>),
    /// Mean over all pixels.
    GlobalMean,
    /// Times one number a channel of each picture, plus another value perhaps.
    ScaleBy,
    /// By channel.
    Affine { scale: usize, shift: usize, slope: usize },
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Fully connected; `pixels` of each channel.
    Linear { op: Packed, pixels: usize },
}

/// A value that leaves the network: some channels of a value made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) value: usize,
    /// First channel and their number.
    pub(super) channels: (usize, usize),
    pub(super) ending: Ending,
}

/// The layers, and what leaves.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) layers: Vec<Layer>,
    /// Channels of each value, not filled up.
    pub(super) channels: Vec<usize>,
    pub(super) leaving: Vec<Leaving>,
}

/// The layers of a description; `None` where one of its steps has no form here.
pub(super) fn lowered(description: &Description, tensors: &Tensors, constants: &mut Constants) -> Option<Lowered> {
    let mut lowering = Lowering {
        source: Source { description, tensors },
        constants,
        places: HashMap::from([(description.input.as_str(), (PICTURE, 0, description.channels))]),
        lowered: Lowered { layers: Vec::new(), channels: vec![description.channels], leaving: Vec::new() },
        taken: None,
        joined: vec![false; description.steps.len()],
        endings: HashMap::new(),
    };
    for index in 0..description.steps.len() {
        if !lowering.joined[index] {
            lowering.step(index)?;
        }
    }
    for name in &description.outputs {
        let (name, ending) = lowering.endings.get(name.as_str()).copied().unwrap_or((name.as_str(), Ending::Plain));
        let (value, first, count) = *lowering.places.get(name)?;
        if value == PICTURE || !ending.fits(count) {
            return None;
        }
        lowering.lowered.leaving.push(Leaving { value, channels: (first, count), ending });
    }
    Some(lowering.lowered)
}

struct Lowering<'a> {
    source: Source<'a>,
    constants: &'a mut Constants,
    /// Where each named value stands: value, first channel, channels.
    places: HashMap<&'a str, (usize, usize, usize)>,
    lowered: Lowered,
    /// The caller's picture as a value, where a layer wanted it so.
    taken: Option<usize>,
    /// Steps that were done together with an earlier one.
    joined: Vec<bool>,
    /// What is changed on its way out: its name, that of what it is made of, and how.
    endings: HashMap<&'a str, (&'a str, Ending)>,
}

impl<'a> Lowering<'a> {
    fn step(&mut self, index: usize) -> Option<()> {
        let step = &self.source.description.steps[index];
        let output = step.output();
        if let Some(ending) = self.source.ending(index) {
            self.endings.insert(output, ending);
            return Some(());
        }
        let made = match step {
            Step::Conv { input, .. } => {
                if let Some(heads) = self.source.heads(index) {
                    return self.heads(&heads);
                }
                let (conv, from) = (self.source.conv(index)?, self.whole(input)?);
                self.placed(&conv, from, None)?
            }
            Step::Affine { .. } => return self.affine(index),
            Step::Linear { input, weight, bias, .. } => {
                let from = self.value(input)?;
                let (weight, bias) = (&self.source.tensors.get(weight)?.1, &self.source.tensors.get(bias)?.1);
                let (op, pixels) = Packed::connected(weight, bias, self.lowered.channels[from], self.constants)?;
                self.push(Work::Linear { op, pixels }, from, Vec::new(), bias.len())
            }
            Step::HalveByMax { input, .. } => self.like(Work::HalveByMax, input, &[])?,
            Step::GlobalMean { input, .. } => self.like(Work::GlobalMean, input, &[])?,
            Step::Sigmoid { input, .. } => self.like(Work::Sigmoid, input, &[])?,
            Step::AddDoubled { large, small, .. } => self.like(Work::AddDoubled, large, &[small])?,
            Step::Add { a, b, activation, .. } => {
                let slope = self.source.slope(activation, self.lowered.channels[self.whole(a)?])?;
                let slope = self.constants.by_channel(&slope);
                self.like(Work::Add { slope }, a, &[b])?
            }
            Step::ScaleBy { input, by, plus, .. } => {
                let others: Vec<&String> = std::iter::once(by).chain(plus).collect();
                self.like(Work::ScaleBy, input, &others)?
            }
            Step::Concat { inputs, .. } => {
                let values = inputs.iter().map(|input| self.value(input)).collect::<Option<Vec<_>>>()?;
                let channels: Vec<usize> = values.iter().map(|value| self.lowered.channels[*value]).collect();
                let all = channels.iter().sum();
                self.push(Work::Concat(channels), *values.first()?, values[1..].to_vec(), all)
            }
            // Not but on its way out.
            Step::Softmax { .. } => return None,
        };
        self.places.insert(output, (made, 0, self.lowered.channels[made]));
        Some(())
    }

    /// A layer of values that all have as many channels.
    fn like(&mut self, work: Work, input: &str, others: &[&String]) -> Option<usize> {
        let from = self.value(input)?;
        let channels = self.lowered.channels[from];
        let others = others.iter().map(|other| self.value(other)).collect::<Option<Vec<_>>>()?;
        let fit = others.iter().all(|other| self.lowered.channels[*other] == channels);
        fit.then(|| self.push(work, from, others, channels))
    }

    fn affine(&mut self, index: usize) -> Option<()> {
        let Step::Affine { input, output, scale, shift, activation } = &self.source.description.steps[index] else {
            return None;
        };
        let from = self.whole(input)?;
        let channels = self.lowered.channels[from];
        let (scale, shift) = (self.source.by_channel(scale, channels)?, self.source.by_channel(shift, channels)?);
        if from == PICTURE
            && *activation == Activation::None
            && let Some((reader, conv)) = self.colours_reader(output)
        {
            let made = self.placed(&conv, PICTURE, Some((&scale, &shift)))?;
            self.places.insert(self.source.description.steps[reader].output(), (made, 0, conv.outputs()));
            self.joined[reader] = true;
            return Some(());
        }
        let slope = self.source.slope(activation, channels)?;
        let [scale, shift, slope] = [scale, shift, slope].map(|values| self.constants.by_channel(&values));
        let made = self.like(Work::Affine { scale, shift, slope }, input, &[])?;
        self.places.insert(output, (made, 0, channels));
        Some(())
    }

    /// The one convolution of few colours that reads the value `name`, where nobody else does, and its step.
    fn colours_reader(&self, name: &str) -> Option<(usize, Conv<'a>)> {
        let [reader] = self.source.readers(name)[..] else { return None };
        let conv = self.source.conv(reader).filter(|conv| is_of_colours(conv) && conv.residual.is_none())?;
        (!self.source.leaves(name)).then_some((reader, conv))
    }

    /// The value `name`, if all of its channels are it.
    fn whole(&self, name: &str) -> Option<usize> {
        let (value, first, count) = *self.places.get(name)?;
        (first == 0 && count == self.lowered.channels[value]).then_some(value)
    }

    /// The same, as the kernels read it.
    fn value(&mut self, name: &str) -> Option<usize> {
        let value = self.whole(name)?;
        Some(self.taken(value))
    }

    /// A value as the kernels read it: the caller's picture is made one.
    fn taken(&mut self, value: usize) -> usize {
        if value != PICTURE {
            return value;
        }
        let channels = self.source.description.channels;
        let taken = self.taken.unwrap_or_else(|| self.push(Work::Taken, PICTURE, Vec::new(), channels));
        self.taken = Some(taken);
        taken
    }

    fn push(&mut self, work: Work, input: usize, others: Vec<usize>, channels: usize) -> usize {
        let output = self.lowered.channels.len();
        self.lowered.layers.push(Layer { work, input, others, output });
        self.lowered.channels.push(channels);
        output
    }

    /// A convolution as a layer; `scaled` when it reads the caller's picture scaled and shifted.
    fn placed(&mut self, conv: &Conv<'_>, from: usize, scaled: Option<(&[f32], &[f32])>) -> Option<usize> {
        let Some(residual) = conv.residual else { return self.placed_alone(conv, from, Vec::new(), scaled) };
        let (residual, channels) = (self.value(residual)?, conv.outputs());
        if self.lowered.channels[residual] != channels {
            return None;
        }
        if conv.groups == 1 && !(from == PICTURE && is_of_colours(conv)) {
            return self.placed_alone(conv, from, vec![residual], scaled);
        }
        // Only the kernels that mix channels add on their way: for others a sum of its own follows.
        let (straight, slope) = conv.straight();
        let made = self.placed_alone(&straight, from, Vec::new(), scaled)?;
        let slope = self.constants.by_channel(&slope);
        Some(self.push(Work::Add { slope }, made, vec![residual], channels))
    }

    fn placed_alone(
        &mut self,
        conv: &Conv<'_>,
        from: usize,
        others: Vec<usize>,
        scaled: Option<(&[f32], &[f32])>,
    ) -> Option<usize> {
        let (read, channels) = (self.lowered.channels[from], conv.outputs());
        if conv.is_depthwise() && channels == read {
            let op = Packed::filter(conv, self.constants)?;
            let from = self.taken(from);
            return Some(self.push(Work::Filter(op), from, others, channels));
        }
        if conv.groups != 1 || conv.inputs != read {
            return None;
        }
        if from == PICTURE && is_of_colours(conv) {
            let op = Packed::mix(conv, self.constants, true)?;
            let (scale, shift) = scaled.unwrap_or((&[1.0; COLOURS][..read], &[0.0; COLOURS][..read]));
            let scale = self.constants.single(&[scale, shift].concat());
            return Some(self.push(Work::Colours { op, scale }, PICTURE, others, channels));
        }
        let op = Packed::mix(conv, self.constants, false)?;
        let from = self.taken(from);
        Some(self.push(Work::Mix(op), from, others, channels))
    }

    fn heads(&mut self, heads: &Heads<'a>) -> Option<()> {
        let from = self.value(heads.input)?;
        let mut made = self.placed(&heads.mix, from, None)?;
        if let Some(filter) = &heads.filter {
            made = self.placed(filter, made, None)?;
        }
        self.places.extend(heads.places(made));
        heads.steps.iter().for_each(|step| self.joined[*step] = true);
        Some(())
    }
}

/// Whether a convolution, if it reads the caller's picture, does so by the kernel for colours.
fn is_of_colours(conv: &Conv<'_>) -> bool {
    conv.inputs <= COLOURS && conv.groups == 1
}
