//! From a description to layers: weights packed, neighbours joined.

use crate::{
    kernels::{chain::Link, dense::Dense, depthwise::Depthwise, epilogue::Epilogue, linear::Linear, pairs::Pairs},
    net::{Activation, Description, Step},
};
use std::collections::HashMap;

/// Shape and values of each tensor.
pub(super) type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// A layer: what is done, with which values.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) work: Work,
    /// The value read; [`PICTURE`] is what the caller gives.
    pub(super) input: usize,
    /// The second value read, where there is one.
    pub(super) other: Option<usize>,
    /// The value made.
    pub(super) output: usize,
}

/// Inputs from which on a 1×1 convolution is faster in whole numbers, where these are.
const MANY: usize = 64;

/// What the caller gives.
pub(super) const PICTURE: usize = 0;

/// What a layer does.
#[derive(Debug)]
pub(super) enum Work {
    /// Layers one after the other, row by row.
    Chain(Vec<Link>),
    /// The caller's picture as it is.
    Taken,
    /// A convolution.
    Dense(Dense),
    /// A 1×1 convolution in whole numbers.
    Pairs(Pairs),
    /// A depthwise convolution.
    Depthwise(Depthwise),
    /// Maximum over 2×2.
    HalveByMax,
    /// A sum with something half as large.
    AddDoubled,
    /// By channel; both filled up to whole blocks.
    Affine { scale: Vec<f32>, shift: Vec<f32> },
    /// Fully connected.
    Linear(Linear),
}

/// A value that leaves the network: some channels of a value made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) value: usize,
    /// First channel and their number.
    pub(super) channels: (usize, usize),
    /// Through `1 / (1 + e^-x)`.
    pub(super) is_sigmoid: bool,
}

/// The layers, and what leaves.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) layers: Vec<Layer>,
    /// Channels of each value.
    pub(super) channels: Vec<usize>,
    pub(super) leaving: Vec<Leaving>,
}

/// A convolution with its tensors.
#[derive(Clone)]
struct Conv {
    weight: Vec<f32>,
    inputs: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
    groups: usize,
    epilogue: Epilogue,
}

impl Conv {
    fn outputs(&self) -> usize {
        self.epilogue.bias.len()
    }

    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.outputs() && self.inputs == 1 && self.kernel == 3 && self.pad == 1
    }

    /// Both side by side: two of one input, or two filters of values that lie side by side themselves.
    fn join(&mut self, other: &Self) {
        self.weight.extend_from_slice(&other.weight);
        self.epilogue.bias.extend_from_slice(&other.epilogue.bias);
        self.epilogue.slope.extend_from_slice(&other.epilogue.slope);
    }
}

/// The layers of a description; `None` where one of its steps has no form here.
///
/// With `pairs`, 1×1 convolutions of many inputs are done in whole numbers.
pub(super) fn lowered(description: &Description, tensors: &Tensors, pairs: bool) -> Option<Lowered> {
    let mut lowering = Lowering {
        description,
        tensors,
        pairs,
        places: HashMap::from([(description.input.as_str(), (PICTURE, 0, description.channels))]),
        lowered: Lowered { layers: Vec::new(), channels: vec![description.channels], leaving: Vec::new() },
        joined: vec![false; description.steps.len()],
        sigmoids: HashMap::new(),
    };
    for index in 0..description.steps.len() {
        if !lowering.joined[index] {
            lowering.step(index)?;
        }
    }
    for name in &description.outputs {
        let (name, is_sigmoid) = match lowering.sigmoids.get(name.as_str()) {
            Some(of) => (*of, true),
            None => (name.as_str(), false),
        };
        let (value, first, count) = *lowering.places.get(name)?;
        lowering.lowered.leaving.push(Leaving { value, channels: (first, count), is_sigmoid });
    }
    let is_made = |leaving: &Leaving| leaving.value != PICTURE;
    lowering.lowered.leaving.iter().all(is_made).then(|| lowering.lowered.chained())
}

impl Lowered {
    /// Joins layers that alone read what the one before makes to chains, where each of them can go row by row.
    fn chained(mut self) -> Self {
        let mut readers = vec![0; self.channels.len()];
        for value in self.layers.iter().flat_map(|layer| [Some(layer.input), layer.other]).flatten() {
            readers[value] += 1;
        }
        self.leaving.iter().for_each(|leaving| readers[leaving.value] += 1);
        let mut layers: Vec<Layer> = Vec::with_capacity(self.layers.len());
        let mut pending = self.layers.into_iter().peekable();
        while let Some(mut layer) = pending.next() {
            while readers[layer.output] == 1
                && layer.work.goes_by_rows()
                && let Some(next) = pending.next_if(|next| next.input == layer.output && next.work.goes_by_rows())
            {
                let links = [layer.work, next.work].into_iter().flat_map(Work::links).collect();
                layer = Layer { work: Work::Chain(links), output: next.output, ..layer };
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

struct Lowering<'a> {
    description: &'a Description,
    tensors: &'a Tensors,
    pairs: bool,
    /// Where each named value stands: value, first channel, channels.
    places: HashMap<&'a str, (usize, usize, usize)>,
    lowered: Lowered,
    /// Steps that were done together with an earlier one.
    joined: Vec<bool>,
    /// What goes through a sigmoid on its way out: its name, and that of what it is made of.
    sigmoids: HashMap<&'a str, &'a str>,
}

impl<'a> Lowering<'a> {
    fn step(&mut self, index: usize) -> Option<()> {
        match &self.description.steps[index] {
            Step::Conv { input, output, .. } => {
                let siblings = self.siblings(index);
                if siblings.len() > 1 {
                    return self.heads(&siblings);
                }
                let conv = self.conv(index)?;
                let outputs = conv.outputs();
                let from = self.whole(input)?;
                let made = self.place(&conv, from, None)?;
                self.places.insert(output, (made, 0, outputs));
            }
            Step::HalveByMax { input, output } => {
                let from = self.blocked(input)?;
                let channels = self.lowered.channels[from];
                let made = self.push(Work::HalveByMax, from, None, channels);
                self.places.insert(output, (made, 0, channels));
            }
            Step::AddDoubled { large, small, output } => {
                let (large, small) = (self.blocked(large)?, self.blocked(small)?);
                let channels = self.lowered.channels[large];
                let made = self.push(Work::AddDoubled, large, Some(small), channels);
                self.places.insert(output, (made, 0, channels));
            }
            Step::Affine { input, output, scale, shift } => {
                let from = self.whole(input)?;
                let channels = self.lowered.channels[from];
                let by_channel = |name: &String| {
                    let values = &self.tensors.get(name)?.1;
                    match values.len() {
                        1 => Some(vec![values[0]; channels]),
                        length => (length == channels).then(|| values.clone()),
                    }
                };
                let (scale, shift) = (by_channel(scale)?, by_channel(shift)?);
                if from == PICTURE
                    && let Some(made) = self.scaled_colours(output, &scale, &shift)
                {
                    return made;
                }
                let from = self.blocked(input)?;
                let padded = Epilogue { bias: shift, slope: scale }.padded();
                let made = self.push(Work::Affine { scale: padded.slope, shift: padded.bias }, from, None, channels);
                self.places.insert(output, (made, 0, channels));
            }
            Step::Linear { input, output, weight, bias } => {
                let from = self.blocked(input)?;
                let bias = &self.tensors.get(bias)?.1;
                let op = Linear::new(&self.tensors.get(weight)?.1, bias, self.lowered.channels[from])?;
                let made = self.push(Work::Linear(op), from, None, bias.len());
                self.places.insert(output, (made, 0, bias.len()));
            }
            Step::Sigmoid { input, output } => {
                if self.description.steps.iter().any(|step| step.inputs().contains(&output.as_str())) {
                    return None;
                }
                self.sigmoids.insert(output, input);
            }
        }
        Some(())
    }

    /// The value `name`, if all of its channels are it.
    fn whole(&self, name: &str) -> Option<usize> {
        let (value, first, count) = *self.places.get(name)?;
        (first == 0 && count == self.lowered.channels[value]).then_some(value)
    }

    /// The same, in blocks.
    fn blocked(&mut self, name: &str) -> Option<usize> {
        match self.whole(name)? {
            PICTURE => Some(self.push(Work::Taken, PICTURE, None, self.description.channels)),
            value => Some(value),
        }
    }

    fn push(&mut self, work: Work, input: usize, other: Option<usize>, channels: usize) -> usize {
        let output = self.lowered.channels.len();
        self.lowered.layers.push(Layer { work, input, other, output });
        self.lowered.channels.push(channels);
        output
    }

    /// A convolution as a layer; `scaled` when it reads the caller's picture scaled and shifted.
    fn place(&mut self, conv: &Conv, from: usize, scaled: Option<([f32; 3], [f32; 3])>) -> Option<usize> {
        let channels = conv.outputs();
        if conv.is_depthwise() {
            let op = Depthwise::new(&conv.weight, conv.stride, &conv.epilogue)?;
            let from = if from == PICTURE { self.push(Work::Taken, PICTURE, None, channels) } else { from };
            return Some(self.push(Work::Depthwise(op), from, None, channels));
        }
        if conv.groups != 1 || conv.inputs != self.lowered.channels[from] {
            return None;
        }
        if self.pairs
            && (conv.kernel, conv.stride, conv.pad) == (1, 1, 0)
            && conv.inputs >= MANY
            && channels >= MANY / 2
            && let Some(op) = Pairs::new(&conv.weight, conv.inputs, &conv.epilogue)
        {
            let from = if from == PICTURE { self.push(Work::Taken, PICTURE, None, conv.inputs) } else { from };
            return Some(self.push(Work::Pairs(op), from, None, channels));
        }
        let op = Dense::new(&conv.weight, (conv.inputs, conv.kernel), (conv.stride, conv.pad), &conv.epilogue)?;
        if op.reads_colours() {
            let (scale, shift) = scaled.unwrap_or(([1.0; 3], [0.0; 3]));
            let links = vec![Link::Picture { scale, shift, pad: op.pad }, Link::Colours(op)];
            return (from == PICTURE).then(|| self.push(Work::Chain(links), PICTURE, None, channels));
        }
        let from = if from == PICTURE { self.push(Work::Taken, PICTURE, None, conv.inputs) } else { from };
        Some(self.push(Work::Dense(op), from, None, channels))
    }

    /// The affine step of the picture that makes `name`, done while the one convolution that reads it copies the picture.
    /// `None` where that is not what follows.
    fn scaled_colours(&mut self, name: &'a str, scale: &[f32], shift: &[f32]) -> Option<Option<()>> {
        let steps = &self.description.steps;
        let mut readers = (0..steps.len()).filter(|step| steps[*step].inputs().contains(&name));
        let (reader, None) = (readers.next()?, readers.next()) else { return None };
        let conv = self.conv(reader)?;
        let (scale, shift) = (scale.try_into().ok()?, shift.try_into().ok()?);
        if (conv.inputs, conv.kernel, conv.groups) != (3, 3, 1) || self.description.outputs.iter().any(|o| o == name) {
            return None;
        }
        let outputs = conv.outputs();
        let made = self.place(&conv, PICTURE, Some((scale, shift)))?;
        self.places.insert(steps[reader].output(), (made, 0, outputs));
        self.joined[reader] = true;
        Some(Some(()))
    }

    /// The convolution of a step.
    fn conv(&self, index: usize) -> Option<Conv> {
        let Step::Conv { weight, bias, stride, pad, groups, activation, .. } = &self.description.steps[index] else {
            return None;
        };
        let (shape, weight) = self.tensors.get(weight)?;
        let [outputs, inputs, kernel, across] = shape[..] else { return None };
        let bias = self.tensors.get(bias)?.1.clone();
        let slope = match activation {
            Activation::None => vec![1.0; outputs],
            Activation::Relu => vec![0.0; outputs],
            Activation::Prelu(name) => self.tensors.get(name)?.1.clone(),
        };
        let fits = kernel == across && bias.len() == outputs && slope.len() == outputs && *stride > 0 && *groups > 0;
        let epilogue = Epilogue { bias, slope };
        fits.then(|| Conv {
            weight: weight.clone(),
            inputs,
            kernel,
            stride: *stride,
            pad: *pad,
            groups: *groups,
            epilogue,
        })
    }

    /// The heads of a detector: 1×1 convolutions of one value, each followed by a depthwise one that only leaves the
    /// network. Each has few channels and would fill a block badly; together they are one. The steps of the 1×1s.
    fn siblings(&self, index: usize) -> Vec<usize> {
        let steps = &self.description.steps;
        let [input] = steps[index].inputs()[..] else { return vec![index] };
        let is_head = |step: &usize| steps[*step].inputs() == [input] && self.follower(*step).is_some();
        if !is_head(&index) {
            return vec![index];
        }
        (index..steps.len()).filter(is_head).collect()
    }

    /// The depthwise step of stride 1 that alone reads what step `index`, a 1×1, makes, where its own output is read by
    /// nobody but a sigmoid.
    fn follower(&self, index: usize) -> Option<usize> {
        let steps = &self.description.steps;
        let conv = self.conv(index).filter(|conv| (conv.kernel, conv.stride, conv.pad, conv.groups) == (1, 1, 0, 1))?;
        let readers = |name: &str| -> Vec<usize> {
            (0..steps.len()).filter(|step| steps[*step].inputs().contains(&name)).collect()
        };
        let leaves = |name: &str| self.description.outputs.iter().any(|output| output == name);
        let made = steps[index].output();
        let [follower] = readers(made)[..] else { return None };
        // One channel has one group: depthwise and dense are the same then.
        let next = self.conv(follower).filter(|next| {
            (next.groups, next.inputs, next.kernel, next.pad, next.stride) == (conv.outputs(), 1, 3, 1, 1)
        });
        let only_sigmoids = |step: &usize| matches!(steps[*step], Step::Sigmoid { .. });
        (next.is_some() && !leaves(made) && readers(steps[follower].output()).iter().all(only_sigmoids))
            .then_some(follower)
    }

    fn heads(&mut self, siblings: &[usize]) -> Option<()> {
        let steps = &self.description.steps;
        let from = self.blocked(steps[*siblings.first()?].inputs().first()?)?;
        let (mut mixing, mut filtering): (Option<Conv>, Option<Conv>) = (None, None);
        let mut channels = Vec::new();
        for step in siblings {
            let follower = self.follower(*step)?;
            let (mix, filter) = (self.conv(*step)?, self.conv(follower)?);
            channels.push((steps[follower].output(), filter.outputs()));
            match (&mut mixing, &mut filtering) {
                (Some(mixing), Some(filtering)) => {
                    mixing.join(&mix);
                    filtering.join(&filter);
                }
                _ => (mixing, filtering) = (Some(mix), Some(filter)),
            }
            self.joined[*step] = true;
            self.joined[follower] = true;
        }
        let mixed = self.place(&mixing?, from, None)?;
        let mut filtering = filtering?;
        filtering.groups = filtering.outputs();
        let filtered = self.place(&filtering, mixed, None)?;
        let mut first = 0;
        for (name, count) in channels {
            self.places.insert(name, (filtered, first, count));
            first += count;
        }
        Some(())
    }
}
