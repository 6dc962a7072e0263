//! A convolution of a description with its tensors, before it is packed.

use crate::{
    cuda::{
        constants::{Constants, filled, turned},
        lower::Tensors,
    },
    net::{Activation, Step},
};

/// A convolution with its tensors.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    weight: Vec<f32>,
    bias: Vec<f32>,
    slope: Vec<f32>,
    /// Factors for each pair of an output and an input.
    taps: usize,
    /// Of one group.
    pub(super) inputs: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) pad: usize,
    pub(super) groups: usize,
}

/// A convolution on the device. Places are bytes into the constants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    pub(super) weight: usize,
    pub(super) bias: usize,
    pub(super) slope: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) pad: usize,
}

impl Packed {
    /// How many pixels a side has after it; `None` where the window does not fit.
    pub(super) fn side(&self, of: usize) -> Option<usize> {
        Some((of + 2 * self.pad).checked_sub(self.kernel)? / self.stride + 1)
    }
}

impl Conv {
    /// The convolution of a step; `None` where it is none, reads a second value, or its tensors do not fit.
    pub(super) fn of(step: &Step, tensors: &Tensors) -> Option<Self> {
        if step.inputs().len() != 1 {
            return None;
        }
        let Step::Conv { weight, bias, stride, pad, groups, activation, .. } = step else { return None };
        let (shape, weight) = tensors.get(weight)?;
        let [outputs, inputs, kernel, across] = shape[..] else { return None };
        let bias = tensors.get(bias)?.1.clone();
        let slope = match activation {
            Activation::None => vec![1.0; outputs],
            Activation::Relu => vec![0.0; outputs],
            Activation::Prelu(name) => tensors.get(name)?.1.clone(),
        };
        let fits = kernel == across && bias.len() == outputs && slope.len() == outputs && *stride > 0 && *groups > 0;
        let (weight, taps) = (weight.clone(), kernel * kernel);
        fits.then_some(Self { weight, bias, slope, taps, inputs, kernel, stride: *stride, pad: *pad, groups: *groups })
    }

    /// A fully connected layer over values of so many channels: its window is the whole value, whatever its shape.
    pub(super) fn connected(weight: &[f32], bias: &[f32], channels: usize) -> Self {
        Self {
            weight: weight.to_vec(),
            bias: bias.to_vec(),
            slope: vec![1.0; bias.len()],
            taps: weight.len() / (bias.len() * channels),
            inputs: channels,
            kernel: 1,
            stride: 1,
            pad: 0,
            groups: 1,
        }
    }

    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    pub(super) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.outputs() && self.inputs == 1
    }

    /// Kernel, stride and padding.
    pub(super) fn window(&self) -> (usize, usize, usize) {
        (self.kernel, self.stride, self.pad)
    }

    /// Both side by side: two of one input, or two filters of values that lie side by side themselves.
    pub(super) fn join(&mut self, other: &Self) {
        self.weight.extend_from_slice(&other.weight);
        self.bias.extend_from_slice(&other.bias);
        self.slope.extend_from_slice(&other.slope);
    }

    /// As a mixing kernel wants it; `inputs` are filled up, but for those of the caller's picture.
    pub(super) fn mix(&self, constants: &mut Constants, of_picture: bool) -> Packed {
        let shape = (self.outputs(), self.inputs, self.taps);
        let rows = if of_picture { self.inputs } else { filled(self.inputs) };
        let turned = turned(&self.weight, shape, (rows, filled(self.outputs())));
        let weight = if of_picture { constants.single(&turned) } else { constants.as_values(&turned) };
        self.packed(weight, constants)
    }

    /// As a depthwise kernel wants it.
    pub(super) fn filter(&self, constants: &mut Constants) -> Packed {
        let shape = (self.outputs(), 1, self.taps);
        let weight = constants.single(&turned(&self.weight, shape, (1, filled(self.outputs()))));
        self.packed(weight, constants)
    }

    fn packed(&self, weight: usize, constants: &mut Constants) -> Packed {
        let (bias, slope) = (constants.by_channel(&self.bias), constants.by_channel(&self.slope));
        Packed { weight, bias, slope, kernel: self.kernel, stride: self.stride, pad: self.pad }
    }
}
