//! Who reads what in a description: what every lowering asks before it makes layers.
//!
//! The CPU's (`plan`) and that for CUDA devices (`cuda`) pack and join differently, but look at the same network.

use crate::net::{Activation, Description, Step};
use std::collections::HashMap;

/// Shape and values of each tensor.
pub(crate) type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

/// What happens to a value on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing.
    Plain,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `e^x` over its sum over so many neighbouring channels.
    Softmax(usize),
}

impl Ending {
    /// Whether a value of so many channels can end so.
    pub(crate) fn fits(self, channels: usize) -> bool {
        match self {
            Self::Plain | Self::Sigmoid => true,
            Self::Softmax(classes) => classes > 0 && channels.is_multiple_of(classes),
        }
    }
}

/// What is lowered: a description with its tensors.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) description: &'a Description,
    pub(crate) tensors: &'a Tensors,
}

impl<'a> Source<'a> {
    /// The steps that read a value.
    pub(crate) fn readers(&self, name: &str) -> Vec<usize> {
        let steps = &self.description.steps;
        (0..steps.len()).filter(|step| steps[*step].inputs().contains(&name)).collect()
    }

    /// Whether a value is an output of the network as it is.
    pub(crate) fn leaves(&self, name: &str) -> bool {
        self.description.outputs.iter().any(|output| output == name)
    }

    /// What a step changes on its way out, and how, where nobody reads what it makes.
    pub(crate) fn ending(&self, step: usize) -> Option<(&'a str, Ending)> {
        let step = &self.description.steps[step];
        let ending = match step {
            Step::Sigmoid { input, .. } => (input.as_str(), Ending::Sigmoid),
            Step::Softmax { input, classes, .. } => (input.as_str(), Ending::Softmax(*classes)),
            _ => return None,
        };
        self.readers(step.output()).is_empty().then_some(ending)
    }

    /// What negative numbers of each channel are multiplied by; `None` where there is no such tensor, or of another length.
    pub(crate) fn slope(&self, activation: &Activation, channels: usize) -> Option<Vec<f32>> {
        match activation {
            Activation::None => Some(vec![1.0; channels]),
            Activation::Relu => Some(vec![0.0; channels]),
            Activation::Prelu(name) => self.by_channel(name, channels),
        }
    }

    /// One number a channel, where a tensor has as many or one for all.
    pub(crate) fn by_channel(&self, name: &str, channels: usize) -> Option<Vec<f32>> {
        match &self.tensors.get(name)?.1[..] {
            [one] => Some(vec![*one; channels]),
            values => (values.len() == channels).then(|| values.to_vec()),
        }
    }
}
