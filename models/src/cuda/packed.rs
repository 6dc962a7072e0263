//! A convolution as a kernel wants it.

use crate::{
    convolution::Conv,
    cuda::constants::{Constants, filled, turned},
};

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
    /// For a mixing kernel; inputs are filled up, but for those of the caller's picture.
    pub(super) fn mix(conv: &Conv<'_>, constants: &mut Constants, of_picture: bool) -> Option<Self> {
        let shape = (conv.outputs(), conv.inputs, conv.kernel * conv.kernel);
        let rows = if of_picture { conv.inputs } else { filled(conv.inputs) };
        let turned = turned(&conv.weight, shape, (rows, filled(conv.outputs())))?;
        let weight = if of_picture { constants.single(&turned) } else { constants.as_values(&turned) };
        Some(Self::new(conv, weight, constants))
    }

    /// For a depthwise kernel.
    pub(super) fn filter(conv: &Conv<'_>, constants: &mut Constants) -> Option<Self> {
        let shape = (conv.outputs(), 1, conv.kernel * conv.kernel);
        let weight = constants.single(&turned(&conv.weight, shape, (1, filled(conv.outputs())))?);
        Some(Self::new(conv, weight, constants))
    }

    /// A fully connected layer over flattened `(C, H, W)` as one over `(H, W, C)`, and H·W. `None` where shapes do not fit.
    pub(super) fn connected(
        weight: &[f32],
        bias: &[f32],
        channels: usize,
        constants: &mut Constants,
    ) -> Option<(Self, usize)> {
        let pixels = weight.len().checked_div(bias.len() * channels).filter(|pixels| *pixels > 0)?;
        let turned = turned(weight, (bias.len(), channels, pixels), (filled(channels), filled(bias.len())))?;
        let weight = constants.as_values(&turned);
        let (bias, slope) = (constants.by_channel(bias), constants.by_channel(&vec![1.0; bias.len()]));
        Some((Self { weight, bias, slope, kernel: 1, stride: 1, pad: 0 }, pixels))
    }

    fn new(conv: &Conv<'_>, weight: usize, constants: &mut Constants) -> Self {
        let (bias, slope) = (constants.by_channel(&conv.epilogue.bias), constants.by_channel(&conv.epilogue.slope));
        let (kernel, stride, pad) = conv.window();
        Self { weight, bias, slope, kernel, stride, pad }
    }

    /// How many pixels a side has after it; `None` where the window does not fit.
    pub(super) fn side(&self, of: usize) -> Option<usize> {
        Some((of + 2 * self.pad).checked_sub(self.kernel)? / self.stride + 1)
    }
}
