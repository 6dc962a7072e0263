//! A network as data: flat operators, named tensors.
//!
//! Written by [`crate::weights`] into the metadata of the weights, run by `forward.rs`. What a network *is* stands in
//! its file; how it is computed is the executor's business, so that executors can be replaced.

use serde::{Deserialize, Serialize};

/// The form of this description. A file of another form is converted again by `usher models install`.
pub const FORMAT: u32 = 1;

/// A network. Values are `(B, C, H, W)` f32 unless said otherwise; names of values and tensors are unique.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`].
    pub format: u32,
    /// The row of the lock file it was made from.
    pub name: String,
    /// The sha256 of the ONNX file it was made from, lower-case hex.
    pub source_sha256: String,
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
    /// A convolution with square kernel, equal padding on all sides, bias and activation.
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
    /// `input * scale + shift` by channel.
    Affine {
        /// Value read.
        input: String,
        /// Value made.
        output: String,
        /// Tensor `(C)` or `(1)`.
        scale: String,
        /// Tensor `(C)` or `(1)`.
        shift: String,
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
}

/// What follows a convolution in the same step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    None,
    /// Negative values become 0.
    Relu,
    /// Negative values are multiplied by the tensor of this name, `(C)`.
    Prelu(String),
}

impl Step {
    /// The value it makes.
    pub fn output(&self) -> &str {
        match self {
            Self::Conv { output, .. }
            | Self::HalveByMax { output, .. }
            | Self::AddDoubled { output, .. }
            | Self::Affine { output, .. }
            | Self::Linear { output, .. }
            | Self::Sigmoid { output, .. } => output,
        }
    }

    /// The values it reads.
    pub fn inputs(&self) -> Vec<&str> {
        match self {
            Self::AddDoubled { large, small, .. } => vec![large, small],
            Self::Conv { input, .. }
            | Self::HalveByMax { input, .. }
            | Self::Affine { input, .. }
            | Self::Linear { input, .. }
            | Self::Sigmoid { input, .. } => vec![input],
        }
    }
}
