//! Bias and activation in the pass of a convolution.

use crate::kernels::simd::Lanes;

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
}

/// `v` when positive, `slope * v` when not; without a branch, so that it vectorises.
#[inline(always)]
pub(crate) fn bent(v: f32, slope: f32) -> f32 {
    v.max(0.0) + slope * v.min(0.0)
}

/// Bends every value of one channel in place.
pub(crate) struct Bend<'a> {
    /// One channel.
    pub(crate) values: &'a mut [f32],
    /// Its slope.
    pub(crate) slope: f32,
}

impl Lanes for Bend<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for v in self.values {
            *v = bent(*v, self.slope);
        }
    }
}
