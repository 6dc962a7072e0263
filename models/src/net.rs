//! A network as data: flat operators, named tensors.
//!
//! Written by [`crate::weights`] into the metadata of the weights, run by `forward.rs`. What a network *is* stands in
//! its file; how it is computed is the executor's business, so that executors can be replaced.

use crate::architecture::Imported;
use serde::{Deserialize, Serialize};

/// The form of this description. A file of another form is converted again by `usher models install`.
pub const FORMAT: u32 = 2;

/// A network. Values are `(B, C, H, W)` f32 unless said otherwise; names of values and tensors are unique.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`].
    pub format: u32,
    /// The row of the lock file it was made from, or the name it was imported by.
    pub name: String,
    /// The sha256 of the file it was made from, lower-case hex.
    pub source_sha256: String,
    /// What a site said of a network that it brought itself; absent in those of the lock file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
    /// The value that the caller gives.
    pub input: String,
    /// Its channels.
    pub channels: usize,
    /// The values that the caller gets, in this order.
    pub outputs: Vec<String>,
    /// What is computed, in this order.
    pub steps: Vec<Step>,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Step {
    /// A convolution with square kernel, equal padding on all sides, bias, sum with another value, and activation.
    Conv {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
        /// Tensor `(outputs, inputs / groups, k, k)`.
        weight: String,
        /// Tensor `(outputs)`.
        bias: String,
        /// Step in both directions.
        stride: usize,
        /// Zeros on each side.
        pad: usize,
        /// 1, or the number of channels: depthwise.
        groups: usize,
        /// Value of the shape of the output, added before the activation: the shortcut of a residual block.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        residual: Option<String>,
        /// What follows.
        activation: Activation,
    },
    /// The greatest of each 2×2, stride 2.
    HalveByMax {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
    },
    /// `large` plus `small` with every pixel doubled in both directions.
    AddDoubled {
        /// Value of the full size.
        large: String,
        /// Value of half that size.
        small: String,
        /// Value made.
        output: String,
    },
    /// The sum of two values of one shape: what no convolution could take as its residual.
    Add {
        /// Value read.
        a: String,
        /// Value read.
        b: String,
        /// Value made.
        output: String,
        /// What follows.
        activation: Activation,
    },
    /// The channels of several values of one size, one after the other.
    Concat {
        /// Values read, in this order.
        inputs: Vec<String>,
        /// Value made.
        output: String,
    },
    /// The mean of each channel over all pixels: `(B, C, 1, 1)`.
    GlobalMean {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
    },
    /// `input * by + plus`, where `by` is one number a channel of each picture: what squeeze-and-excitation ends with.
    ScaleBy {
        /// Value read.
        input: String,
        /// Value `(B, C, 1, 1)`.
        by: String,
        /// Value of the shape of `input`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plus: Option<String>,
        /// Value made.
        output: String,
    },
    /// `input * scale + shift` by channel. A batch norm that no convolution could take stands so: one before a convolution
    /// that is padded with zeros, for the norm of a zero is not zero.
    Affine {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
        /// Tensor `(C)` or `(1)`.
        scale: String,
        /// Tensor `(C)` or `(1)`.
        shift: String,
        /// What follows.
        activation: Activation,
    },
    /// A fully connected layer over the flattened value; makes `(B, outputs)`.
    Linear {
        /// Value read, flattened from `(C, H, W)`.
        input: String,
        /// Value made.
        output: String,
        /// Tensor `(outputs, inputs)`.
        weight: String,
        /// Tensor `(outputs)`.
        bias: String,
    },
    /// `1 / (1 + e^-x)`.
    Sigmoid {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
    },
    /// `e^x` over the sum of `e^x`, over each run of `classes` neighbouring channels: the channels of a detector's map are
    /// anchor by anchor.
    Softmax {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
        /// Channels that sum to 1; divides their number.
        classes: usize,
    },
}

/// What follows in the same step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    None,
    /// Negative values become 0.
    Relu,
    /// Negative values are multiplied by the tensor of this name, `(C)` or `(1)`: PReLU, and LeakyReLU with one slope.
    Prelu(String),
}

/// The value that a step makes, borrowed as the step is.
macro_rules! output_of {
    ($step:expr) => {
        match $step {
            Step::Conv { output, .. }
            | Step::HalveByMax { output, .. }
            | Step::AddDoubled { output, .. }
            | Step::Add { output, .. }
            | Step::Concat { output, .. }
            | Step::GlobalMean { output, .. }
            | Step::ScaleBy { output, .. }
            | Step::Affine { output, .. }
            | Step::Linear { output, .. }
            | Step::Sigmoid { output, .. }
            | Step::Softmax { output, .. } => output,
        }
    };
}

impl Step {
    /// The value it makes.
    pub fn output(&self) -> &str {
        output_of!(self)
    }

    /// The same, to be named anew.
    pub(crate) fn output_mut(&mut self) -> &mut String {
        output_of!(self)
    }

    /// The values it reads.
    pub fn inputs(&self) -> Vec<&str> {
        match self {
            Self::AddDoubled { large, small, .. } => vec![large, small],
            Self::Add { a, b, .. } => vec![a, b],
            Self::Concat { inputs, .. } => inputs.iter().map(String::as_str).collect(),
            Self::Conv { input, residual, .. } => std::iter::once(input).chain(residual).map(String::as_str).collect(),
            Self::ScaleBy { input, by, plus, .. } => [input, by].into_iter().chain(plus).map(String::as_str).collect(),
            Self::HalveByMax { input, .. }
            | Self::GlobalMean { input, .. }
            | Self::Affine { input, .. }
            | Self::Linear { input, .. }
            | Self::Sigmoid { input, .. }
            | Self::Softmax { input, .. } => vec![input],
        }
    }

    /// The same, to be named anew.
    pub(crate) fn inputs_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::AddDoubled { large, small, .. } => vec![large, small],
            Self::Add { a, b, .. } => vec![a, b],
            Self::Concat { inputs, .. } => inputs.iter_mut().collect(),
            Self::Conv { input, residual, .. } => std::iter::once(input).chain(residual).collect(),
            Self::ScaleBy { input, by, plus, .. } => [input, by].into_iter().chain(plus).collect(),
            Self::HalveByMax { input, .. }
            | Self::GlobalMean { input, .. }
            | Self::Affine { input, .. }
            | Self::Linear { input, .. }
            | Self::Sigmoid { input, .. }
            | Self::Softmax { input, .. } => vec![input],
        }
    }
}
