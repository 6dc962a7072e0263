//! Bias and activation in the pass of a convolution.

use crate::kernels::{blocks::blocks, simd::LANES};

/// Bias and slope of each output channel. A slope of 1 is no activation, 0 is ReLU, anything else PReLU.
#[derive(Clone, Debug)]
pub(crate) struct Epilogue {
    /// One number a channel.
    pub(crate) bias: Vec<f32>,
    /// One number a channel: what negative values are multiplied by.
    pub(crate) slope: Vec<f32>,
}

impl Epilogue {
    /// Whether any channel bends.
    pub(crate) fn bends(&self) -> bool {
        self.slope.iter().any(|slope| *slope != 1.0)
    }

    /// Filled up to whole blocks; what is filled in makes zeros of zeros.
    pub(crate) fn padded(&self) -> Self {
        let length = blocks(self.bias.len()) * LANES;
        let mut padded = self.clone();
        padded.bias.resize(length, 0.0);
        padded.slope.resize(length, 1.0);
        padded
    }
}
