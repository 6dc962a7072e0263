//! From a description to layers: weights packed, neighbours joined.

use crate::{
    convolution::Conv,
    kernels::{
        chain::Link, dense::Dense, depthwise::Depthwise, epilogue::Epilogue, linear::Linear, pairs::Pairs,
        window::Window, winograd::Winograd,
    },
    net::{Activation, Description, Step},
    source::{Ending, Source, Tensors},
};
use std::collections::HashMap;

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

/// What the caller gives.
pub(super) const PICTURE: usize = 0;

/// What a layer does. Scales, shifts and slopes are filled up to whole blocks.
#[derive(Debug)]
pub(super) enum Work {
    /// Layers one after the other, row by row; another value may be added before the activation of the last.
    Chain(Vec<Link>),
    /// The caller's picture as it is.
    Taken,
    /// A convolution; another value may be added before the activation.
    Dense(Dense),
    /// A 1×1 convolution in whole numbers; likewise.
    Pairs(Pairs),
    /// The same with its input scaled and shifted by channel before it is padded.
    Scaled { op: Dense, scale: Vec<f32>, shift: Vec<f32> },
    /// A 3×3 convolution of stride 1 by its transforms; likewise, its input perhaps scaled and shifted.
    Winograd { op: Winograd, before: Option<(Vec<f32>, Vec<f32>)> },
    /// A depthwise convolution 3×3.
    Depthwise(Depthwise),
    /// A depthwise convolution with a kernel of another side.
    Window(Window),
    /// Maximum over 2×2.
    HalveByMax,
    /// A sum with something half as large.
    AddDoubled,
    /// A sum.
    Add { slope: Vec<f32> },
    /// Channels side by side; of how many each.
    Concat(Vec<usize>),
    /// Mean over all pixels.
    GlobalMean,
    /// Times one number a channel of each picture, plus another value perhaps.
    ScaleBy,
    /// By channel.
    Affine { scale: Vec<f32>, shift: Vec<f32>, slope: Vec<f32> },
    /// Fully connected.
    Linear(Linear),
    /// Fully connected over one pixel, where other layers read what it makes.
    Row(Dense),
    /// `1 / (1 + e^-x)`.
    Sigmoid,
}

/// A value that leaves the network: some channels of a value made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) value: usize,
    /// First channel and their number.
    pub(super) channels: (usize, usize),
    pub(super) ending: Ending,
    /// Whether it is `(B, C)`, not a map.
    pub(super) is_row: bool,
}

/// The layers, and what leaves.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) layers: Vec<Layer>,
    /// Channels of each value.
    pub(super) channels: Vec<usize>,
    pub(super) leaving: Vec<Leaving>,
}

/// The layers of a description; `None` where one of its steps has no form here.
///
/// With `has_fast_pairs`, 1×1 convolutions of many inputs are done in whole numbers.
pub(super) fn lowered(description: &Description, tensors: &Tensors, has_fast_pairs: bool) -> Option<Lowered> {
    let mut lowering = Lowering {
        source: Source { description, tensors },
        has_fast_pairs,
        places: HashMap::from([(description.input.as_str(), (PICTURE, 0, description.channels))]),
        lowered: Lowered { layers: Vec::new(), channels: vec![description.channels], leaving: Vec::new() },
        joined: vec![false; description.steps.len()],
        endings: HashMap::new(),
        rows: Vec::new(),
    };
    for index in 0..description.steps.len() {
        if !lowering.joined[index] {
            lowering.step(index)?;
        }
    }
    for name in &description.outputs {
        let (name, ending) = lowering.endings.get(name.as_str()).copied().unwrap_or((name.as_str(), Ending::Plain));
        let (value, first, count) = *lowering.places.get(name)?;
        if !ending.fits(count) {
            return None;
        }
        let is_row = lowering.rows.contains(&value);
        lowering.lowered.leaving.push(Leaving { value, channels: (first, count), ending, is_row });
    }
    let is_made = |leaving: &Leaving| leaving.value != PICTURE;
    lowering.lowered.leaving.iter().all(is_made).then(|| lowering.lowered.chained())
}

impl Lowered {
    /// Joins layers that alone read what the one before makes to chains, where each of them can go row by row.
    fn chained(mut self) -> Self {
        let mut readers = vec![0; self.channels.len()];
        for value in self.layers.iter().flat_map(Layer::read) {
            readers[value] += 1;
        }
        self.leaving.iter().for_each(|leaving| readers[leaving.value] += 1);
        let mut layers: Vec<Layer> = Vec::with_capacity(self.layers.len());
        let mut pending = self.layers.into_iter().peekable();
        while let Some(mut layer) = pending.next() {
            // What is added is added to the last link: a chain ends there.
            while readers[layer.output] == 1
                && layer.others.is_empty()
                && layer.work.goes_by_rows()
                && let Some(next) = pending.next_if(|next| next.input == layer.output && next.work.goes_by_rows())
            {
                let links = [layer.work, next.work].into_iter().flat_map(Work::links).collect();
                layer = Layer { work: Work::Chain(links), others: next.others, output: next.output, ..layer };
            }
            layers.push(layer);
        }
        self.layers = layers;
        self
    }
}

impl Work {
    /// Whether it may be a part of a chain: its weights stay in the cache from row to row.
    fn goes_by_rows(&self) -> bool {
        match self {
            Self::Dense(op) => op.is_light(),
            Self::Pairs(op) => op.is_light(),
            Self::Depthwise(_) | Self::HalveByMax | Self::Chain(_) => true,
            _ => false,
        }
    }

    /// The same as links of a chain.
    fn links(self) -> Vec<Link> {
        match self {
            Self::Chain(links) => links,
            Self::Dense(op) => vec![Link::Mix(op)],
            Self::Pairs(op) => vec![Link::Pairs(op)],
            Self::Depthwise(op) => vec![Link::Filter(op)],
            Self::HalveByMax => vec![Link::Halve],
            _ => Vec::new(),
        }
    }
}

pub(super) struct Lowering<'a> {
    pub(super) source: Source<'a>,
    /// Whether products of sixteen bits are faster than those of `f32`.
    pub(super) has_fast_pairs: bool,
    /// Where each named value stands: value, first channel, channels.
    pub(super) places: HashMap<&'a str, (usize, usize, usize)>,
    pub(super) lowered: Lowered,
    /// Steps that were done together with an earlier one.
    pub(super) joined: Vec<bool>,
    /// What is changed on its way out: its name, that of what it is made of, and how.
    endings: HashMap<&'a str, (&'a str, Ending)>,
    /// Values that are one pixel because a fully connected layer made them.
    rows: Vec<usize>,
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
            Step::Conv { .. } => return self.convolution(index),
            // Not but on its way out.
            Step::Softmax { .. } => return None,
            Step::Affine { .. } => return self.affine(index),
            Step::Linear { input, weight, bias, .. } => {
                let from = self.blocked(input)?;
                let (weight, bias) = (&self.source.tensors.get(weight)?.1, &self.source.tensors.get(bias)?.1);
                let (channels, outputs) = (self.lowered.channels[from], bias.len());
                let inside = self.source.readers(output).iter().any(|reader| self.source.ending(*reader).is_none());
                let work = if inside {
                    let slope = vec![1.0; outputs];
                    Work::Row(Dense::new(weight, (channels, 1), (1, 0), &Epilogue { bias: bias.clone(), slope })?)
                } else {
                    Work::Linear(Linear::new(weight, bias, channels)?)
                };
                let made = self.push(work, from, Vec::new(), outputs);
                self.rows.push(made);
                made
            }
            Step::HalveByMax { input, .. } => self.like(Work::HalveByMax, input, &[])?,
            Step::GlobalMean { input, .. } => self.like(Work::GlobalMean, input, &[])?,
            Step::Sigmoid { input, .. } => self.like(Work::Sigmoid, input, &[])?,
            Step::AddDoubled { large, small, .. } => self.like(Work::AddDoubled, large, &[small])?,
            Step::Add { a, b, activation, .. } => {
                let channels = self.lowered.channels[self.whole(a)?];
                let slope = Epilogue { bias: vec![0.0; channels], slope: self.source.slope(activation, channels)? };
                self.like(Work::Add { slope: slope.padded().slope }, a, &[b])?
            }
            Step::ScaleBy { input, by, plus, .. } => {
                let others: Vec<&String> = std::iter::once(by).chain(plus).collect();
                self.like(Work::ScaleBy, input, &others)?
            }
            Step::Concat { inputs, .. } => {
                let values = inputs.iter().map(|input| self.blocked(input)).collect::<Option<Vec<_>>>()?;
                let channels: Vec<usize> = values.iter().map(|value| self.lowered.channels[*value]).collect();
                let all = channels.iter().sum();
                self.push(Work::Concat(channels), *values.first()?, values[1..].to_vec(), all)
            }
        };
        self.places.insert(output, (made, 0, self.lowered.channels[made]));
        Some(())
    }

    /// A layer whose output has as many channels as its input.
    fn like(&mut self, work: Work, input: &str, others: &[&String]) -> Option<usize> {
        let from = self.blocked(input)?;
        let others = others.iter().map(|other| self.blocked(other)).collect::<Option<Vec<_>>>()?;
        let made = self.push(work, from, others, self.lowered.channels[from]);
        if self.rows.contains(&from) {
            self.rows.push(made);
        }
        Some(made)
    }

    fn affine(&mut self, index: usize) -> Option<()> {
        let Step::Affine { input, output, scale, shift, activation } = &self.source.description.steps[index] else {
            return None;
        };
        let from = self.whole(input)?;
        let channels = self.lowered.channels[from];
        let (scale, shift) = (self.source.by_channel(scale, channels)?, self.source.by_channel(shift, channels)?);
        if *activation == Activation::None
            && let Some(made) = self.scaled(output, from, &scale, &shift)
        {
            return made;
        }
        let slope = self.source.slope(activation, channels)?;
        let slopes = Epilogue { bias: shift.clone(), slope }.padded();
        let padded = Epilogue { bias: shift, slope: scale }.padded();
        let work = Work::Affine { scale: padded.slope, shift: padded.bias, slope: slopes.slope };
        let made = self.like(work, input, &[])?;
        self.places.insert(output, (made, 0, channels));
        Some(())
    }

    /// The value `name`, if all of its channels are it.
    pub(super) fn whole(&self, name: &str) -> Option<usize> {
        let (value, first, count) = *self.places.get(name)?;
        (first == 0 && count == self.lowered.channels[value]).then_some(value)
    }

    /// The same, in blocks.
    pub(super) fn blocked(&mut self, name: &str) -> Option<usize> {
        match self.whole(name)? {
            PICTURE => Some(self.push(Work::Taken, PICTURE, Vec::new(), self.source.description.channels)),
            value => Some(value),
        }
    }

    pub(super) fn push(&mut self, work: Work, input: usize, others: Vec<usize>, channels: usize) -> usize {
        let output = self.lowered.channels.len();
        self.lowered.layers.push(Layer { work, input, others, output });
        self.lowered.channels.push(channels);
        output
    }

    /// Whether a convolution of these settings is one that the first kernel of a network does: it reads the picture.
    pub(super) fn is_first(conv: &Conv<'_>) -> bool {
        (conv.inputs, conv.kernel, conv.groups) == (3, 3, 1)
    }
}
