//! From a description to layers: weights packed, neighbours joined.
//!
//! As `plan/lower.rs` does it for the CPU, with other packing: each head of a detector by itself would be launches of
//! next to no work, so heads are joined here too.

use crate::{
    cuda::{
        constants::Constants,
        conv::{Conv, Packed},
    },
    net::{Activation, Description, Step},
};
use std::collections::HashMap;

/// Shape and values of each tensor.
pub(super) type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// What the caller gives.
pub(super) const PICTURE: usize = 0;

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

/// What a layer does. A step without a form here makes [`lowered`] give `None`, and the whole network falls back to
/// stock operators: a new step is an arm there, a form here, its launch in `launches.rs` and a kernel.
#[derive(Debug)]
pub(super) enum Work {
    /// A convolution of the caller's picture, each colour scaled and shifted before (both at `scale`).
    Colours { op: Packed, scale: usize },
    /// The caller's picture as it is.
    Taken,
    /// A convolution that mixes channels.
    Mix(Packed),
    /// A depthwise convolution.
    Filter(Packed),
    /// Maximum over 2×2.
    HalveByMax,
    /// A sum with something half as large.
    AddDoubled,
    /// By channel.
    Affine { scale: usize, shift: usize },
    /// Fully connected; `pixels` of each channel.
    Linear { op: Packed, pixels: usize },
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
    /// Channels of each value, not filled up.
    pub(super) channels: Vec<usize>,
    pub(super) leaving: Vec<Leaving>,
}

/// The layers of a description; `None` where one of its steps has no form here.
pub(super) fn lowered(description: &Description, tensors: &Tensors, constants: &mut Constants) -> Option<Lowered> {
    let mut lowering = Lowering {
        description,
        tensors,
        constants,
        places: HashMap::from([(description.input.as_str(), (PICTURE, 0, description.channels))]),
        lowered: Lowered { layers: Vec::new(), channels: vec![description.channels], leaving: Vec::new() },
        taken: None,
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
    // A channel leaves once: what leaves twice, plain and through a sigmoid, is left to the other executor.
    let is_once = |leaving: &Leaving| {
        let same = |other: &&Leaving| (other.value, other.channels) == (leaving.value, leaving.channels);
        lowering.lowered.leaving.iter().filter(same).count() == 1
    };
    let fits = lowering.lowered.leaving.iter().all(|leaving| is_made(leaving) && is_once(leaving));
    fits.then_some(lowering.lowered)
}

struct Lowering<'a> {
    description: &'a Description,
    tensors: &'a Tensors,
    constants: &'a mut Constants,
    /// Where each named value stands: value, first channel, channels.
    places: HashMap<&'a str, (usize, usize, usize)>,
    lowered: Lowered,
    /// The caller's picture as a value, where a layer wanted it so.
    taken: Option<usize>,
    /// Steps that were done together with an earlier one.
    joined: Vec<bool>,
    /// What goes through a sigmoid on its way out: its name, and that of what it is made of.
    sigmoids: HashMap<&'a str, &'a str>,
}

impl<'a> Lowering<'a> {
    fn step(&mut self, index: usize) -> Option<()> {
        let step = &self.description.steps[index];
        if let Step::Sigmoid { input, output } = step {
            if self.description.steps.iter().any(|step| step.inputs().contains(&output.as_str())) {
                return None;
            }
            self.sigmoids.insert(output, input);
            return Some(());
        }
        let (made, channels) = match step {
            Step::Conv { input, .. } => {
                let siblings = self.siblings(index);
                if siblings.len() > 1 {
                    return self.heads(&siblings);
                }
                let conv = Conv::of(step, self.tensors)?;
                let from = self.whole(input)?;
                (self.placed(&conv, from, None)?, conv.outputs())
            }
            Step::HalveByMax { input, .. } => {
                let from = self.value(input)?;
                let channels = self.lowered.channels[from];
                (self.push(Work::HalveByMax, from, None, channels), channels)
            }
            Step::AddDoubled { large, small, .. } => {
                let (large, small) = (self.value(large)?, self.value(small)?);
                let channels = self.lowered.channels[large];
                (self.push(Work::AddDoubled, large, Some(small), channels), channels)
            }
            Step::Affine { input, output, scale, shift, activation: Activation::None } => {
                let from = self.whole(input)?;
                let channels = self.lowered.channels[from];
                let (scale, shift) = (self.by_channel(scale, channels)?, self.by_channel(shift, channels)?);
                if from == PICTURE
                    && let Some(reader) = self.colours_reader(output)
                {
                    return self.colours(reader, scale, &shift);
                }
                let from = self.value(input)?;
                let (scale, shift) = (self.constants.by_channel(&scale), self.constants.by_channel(&shift));
                (self.push(Work::Affine { scale, shift }, from, None, channels), channels)
            }
            Step::Linear { input, weight, bias, .. } => {
                let from = self.value(input)?;
                let (weight, bias) = (&self.tensors.get(weight)?.1, &self.tensors.get(bias)?.1);
                let (op, pixels) = linear(weight, bias, self.lowered.channels[from], self.constants)?;
                (self.push(Work::Linear { op, pixels }, from, None, bias.len()), bias.len())
            }
            // Steps that have no kernel here.
            _ => return None,
        };
        self.places.insert(step.output(), (made, 0, channels));
        Some(())
    }

    fn by_channel(&self, name: &str, channels: usize) -> Option<Vec<f32>> {
        let values = &self.tensors.get(name)?.1;
        match values.len() {
            1 => Some(vec![values[0]; channels]),
            length => (length == channels).then(|| values.clone()),
        }
    }

    /// The value `name`, if all of its channels are it.
    fn whole(&self, name: &str) -> Option<usize> {
        let (value, first, count) = *self.places.get(name)?;
        (first == 0 && count == self.lowered.channels[value]).then_some(value)
    }

    /// The same, as the kernels read it.
    fn value(&mut self, name: &str) -> Option<usize> {
        match self.whole(name)? {
            PICTURE => Some(self.picture()),
            value => Some(value),
        }
    }

    fn picture(&mut self) -> usize {
        let taken = self.taken.unwrap_or_else(|| self.push(Work::Taken, PICTURE, None, self.description.channels));
        self.taken = Some(taken);
        taken
    }

    fn push(&mut self, work: Work, input: usize, other: Option<usize>, channels: usize) -> usize {
        let output = self.lowered.channels.len();
        self.lowered.layers.push(Layer { work, input, other, output });
        self.lowered.channels.push(channels);
        output
    }

    /// A convolution as a layer; `scaled` when it reads the caller's picture scaled and shifted.
    fn placed(&mut self, conv: &Conv, from: usize, scaled: Option<(Vec<f32>, &[f32])>) -> Option<usize> {
        let channels = conv.outputs();
        if conv.is_depthwise() {
            if channels != self.lowered.channels[from] {
                return None;
            }
            let op = conv.filter(self.constants);
            let from = if from == PICTURE { self.picture() } else { from };
            return Some(self.push(Work::Filter(op), from, None, channels));
        }
        if conv.groups != 1 || conv.inputs != self.lowered.channels[from] {
            return None;
        }
        // A picture of few colours filled up to eight would be multiplied with zeros mostly.
        if from == PICTURE && conv.inputs <= 4 {
            let op = conv.mix(self.constants, true);
            let (mut scale, shift) = scaled.unwrap_or_else(|| (vec![1.0; conv.inputs], &[0.0; 4][..conv.inputs]));
            scale.extend_from_slice(shift);
            let scale = self.constants.single(&scale);
            return Some(self.push(Work::Colours { op, scale }, PICTURE, None, channels));
        }
        let op = conv.mix(self.constants, false);
        let from = if from == PICTURE { self.picture() } else { from };
        Some(self.push(Work::Mix(op), from, None, channels))
    }

    /// The one convolution of few colours that reads the value `name`, where nobody else does.
    fn colours_reader(&self, name: &str) -> Option<usize> {
        let [reader] = self.readers(name)[..] else { return None };
        let conv = Conv::of(&self.description.steps[reader], self.tensors)?;
        (conv.inputs <= 4 && conv.groups == 1 && !self.leaves(name)).then_some(reader)
    }

    /// The affine step of the picture, done while the one convolution after it reads the picture.
    fn colours(&mut self, reader: usize, scale: Vec<f32>, shift: &[f32]) -> Option<()> {
        let steps = &self.description.steps;
        let conv = Conv::of(&steps[reader], self.tensors)?;
        let made = self.placed(&conv, PICTURE, Some((scale, shift)))?;
        self.places.insert(steps[reader].output(), (made, 0, conv.outputs()));
        self.joined[reader] = true;
        Some(())
    }

    /// The steps that read a value.
    fn readers(&self, name: &str) -> Vec<usize> {
        let steps = &self.description.steps;
        (0..steps.len()).filter(|step| steps[*step].inputs().contains(&name)).collect()
    }

    fn leaves(&self, name: &str) -> bool {
        self.description.outputs.iter().any(|output| output == name)
    }

    /// The heads of a detector: 1×1 convolutions of one value, each followed by a depthwise one that only leaves the
    /// network. The steps of the 1×1s.
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
        let conv =
            Conv::of(&steps[index], self.tensors).filter(|conv| conv.window() == (1, 1, 0) && conv.groups == 1)?;
        let made = steps[index].output();
        let [follower] = self.readers(made)[..] else { return None };
        // One channel has one group: depthwise and dense are the same then.
        let next = Conv::of(&steps[follower], self.tensors)
            .filter(|next| (next.groups, next.inputs) == (conv.outputs(), 1) && next.window() == (3, 1, 1));
        let only_sigmoids = |step: &usize| matches!(steps[*step], Step::Sigmoid { .. });
        let readers = self.readers(steps[follower].output());
        (next.is_some() && !self.leaves(made) && readers.iter().all(only_sigmoids)).then_some(follower)
    }

    fn heads(&mut self, siblings: &[usize]) -> Option<()> {
        let steps = &self.description.steps;
        let from = self.value(steps[*siblings.first()?].inputs().first()?)?;
        let (mut mixing, mut filtering): (Option<Conv>, Option<Conv>) = (None, None);
        let mut channels = Vec::new();
        for step in siblings {
            let follower = self.follower(*step)?;
            let (mix, filter) = (Conv::of(&steps[*step], self.tensors)?, Conv::of(&steps[follower], self.tensors)?);
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
        let mixed = self.placed(&mixing?, from, None)?;
        let mut filtering = filtering?;
        filtering.groups = filtering.outputs();
        let filtered = self.placed(&filtering, mixed, None)?;
        let mut first = 0;
        for (name, count) in channels {
            self.places.insert(name, (filtered, first, count));
            first += count;
        }
        Some(())
    }
}

/// A fully connected layer over flattened `(C, H, W)` as one over `(H, W, C)`, and H·W.
fn linear(weight: &[f32], bias: &[f32], channels: usize, constants: &mut Constants) -> Option<(Packed, usize)> {
    let pixels = weight.len() / (bias.len() * channels).max(1);
    if pixels == 0 || weight.len() != pixels * bias.len() * channels {
        return None;
    }
    let conv = Conv::connected(weight, bias, channels);
    Some((conv.mix(constants, false), pixels))
}
