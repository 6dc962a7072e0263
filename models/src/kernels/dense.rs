//! Dense convolution as a matrix product.
//!
//! Weights `(O, C·k·k)` times columns `(C·k·k, pixels)`; for a 1×1 of stride 1 the input itself is the columns, and
//! nothing is copied. The product starts from the bias, so that no pass is spent on adding it. Single-threaded: candle's own matmul would
//! spread over every core of the machine.

use crate::kernels::{
    epilogue::{Bend, Epilogue},
    simd::vectorised,
};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, bail};

/// A convolution of one group, square kernel.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    /// `(outputs, inputs, kernel, kernel)`, contiguous.
    pub(crate) weight: Vec<f32>,
    /// Input channels.
    pub(crate) inputs: usize,
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Step in both directions.
    pub(crate) stride: usize,
    /// Zeros around the picture.
    pub(crate) pad: usize,
    /// Bias and activation.
    pub(crate) epilogue: Epilogue,
}

/// Floats of one block of columns: 128 KiB, a quarter of a small L2.
const BLOCK: usize = 32 * 1024;

impl CustomOp1 for Dense {
    fn name(&self) -> &'static str {
        "dense-convolution"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, inputs, height, width) = layout.shape().dims4()?;
        let outputs = self.epilogue.bias.len();
        let depth = self.inputs * self.kernel * self.kernel;
        if inputs != self.inputs
            || self.weight.len() != outputs * depth
            || self.kernel > height.min(width) + 2 * self.pad
        {
            bail!(
                "a {0}x{0} convolution of {1} channels does not take {2:?}",
                self.kernel,
                self.inputs,
                layout.shape()
            );
        }
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("a convolution needs a contiguous input") };
        let input = &storage.as_slice::<f32>()?[from..to];
        let side = |length: usize| (length + 2 * self.pad - self.kernel) / self.stride + 1;
        let (rows, columns) = (side(height), side(width));
        let pixels = rows * columns;
        let mut output = Vec::with_capacity(batch * outputs * pixels);
        for picture in input.chunks_exact(inputs * height * width) {
            let start = output.len();
            for bias in &self.epilogue.bias {
                output.resize(output.len() + pixels, *bias);
            }
            let into = &mut output[start..];
            if self.kernel == 1 && self.stride == 1 && self.pad == 0 {
                add_product(into, pixels, 0, &self.weight, picture, (outputs, depth, pixels));
            } else {
                self.by_columns(into, picture, (height, width), (rows, columns));
            }
            if self.epilogue.bends() {
                for (values, slope) in into.chunks_exact_mut(pixels).zip(&self.epilogue.slope) {
                    vectorised(Bend { values, slope: *slope });
                }
            }
        }
        Ok((CpuStorage::F32(output), Shape::from((batch, outputs, rows, columns))))
    }
}

impl Dense {
    /// Some output rows at a time: gathers their columns, multiplies.
    fn by_columns(
        &self,
        into: &mut [f32],
        picture: &[f32],
        (height, width): (usize, usize),
        (rows, columns): (usize, usize),
    ) {
        let outputs = self.epilogue.bias.len();
        let depth = self.inputs * self.kernel * self.kernel;
        let lot = (BLOCK / (depth * columns)).clamp(1, rows);
        let mut gathered = vec![0f32; depth * lot * columns];
        for first in (0..rows).step_by(lot) {
            let lot = lot.min(rows - first);
            let gathered = &mut gathered[..depth * lot * columns];
            for (tap, line) in gathered.chunks_exact_mut(lot * columns).enumerate() {
                let (channel, ky, kx) =
                    (tap / (self.kernel * self.kernel), tap / self.kernel % self.kernel, tap % self.kernel);
                for (row, line) in line.chunks_exact_mut(columns).enumerate() {
                    // Outside the picture is zero; `checked_sub` and the bounds below say where that is.
                    match ((first + row) * self.stride + ky).checked_sub(self.pad).filter(|y| *y < height) {
                        None => line.fill(0.0),
                        Some(y) => {
                            let source = &picture[(channel * height + y) * width..][..width];
                            gather(line, source, kx, self.stride, self.pad);
                        }
                    }
                }
            }
            add_product(into, rows * columns, first * columns, &self.weight, gathered, (outputs, depth, lot * columns));
        }
    }
}

/// `line[x] = source[x * stride + kx - pad]`, zero outside.
fn gather(line: &mut [f32], source: &[f32], kx: usize, stride: usize, pad: usize) {
    let before = pad.saturating_sub(kx).div_ceil(stride).min(line.len());
    let from = before * stride + kx - pad;
    let inside = source.len().saturating_sub(from).div_ceil(stride).min(line.len() - before);
    let (head, rest) = line.split_at_mut(before);
    let (middle, tail) = rest.split_at_mut(inside);
    head.fill(0.0);
    tail.fill(0.0);
    if stride == 1 {
        middle.copy_from_slice(&source[from..from + inside]);
    } else if inside > 0 {
        for (to, value) in middle.iter_mut().zip(source[from..].iter().step_by(stride)) {
            *to = *value;
        }
    }
}

/// `into[o][skip + p] += Σ weight[o][d] · columns[d][p]`, where a row of `into` is `row` long.
pub(crate) fn add_product(
    into: &mut [f32],
    row: usize,
    skip: usize,
    weight: &[f32],
    columns: &[f32],
    (outputs, depth, pixels): (usize, usize, usize),
) {
    assert!(weight.len() == outputs * depth && columns.len() == depth * pixels);
    assert!(skip + pixels <= row && into.len() == outputs * row);
    // SAFETY: all three matrices are row-major with the lengths asserted above, so every index that the product
    // touches, `(o, skip + p)`, `(o, d)` and `(d, p)`, lies inside its slice; `into` is borrowed alone.
    unsafe {
        gemm::gemm(
            outputs,
            pixels,
            depth,
            into.as_mut_ptr().add(skip),
            1,
            row as isize,
            true,
            weight.as_ptr(),
            1,
            depth as isize,
            columns.as_ptr(),
            1,
            pixels as isize,
            1f32,
            1f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_convolution(
            batch in 1usize..3, inputs in 1usize..5, outputs in 1usize..6, height in 5usize..15, width in 5usize..23,
            kernel in 1usize..6, stride in 1usize..4, pad in 0usize..3, seed in any::<u64>()
        ) {
            let numbers = crate::kernels::numbers;
            let x = numbers(batch * inputs * height * width, seed);
            let weight = numbers(outputs * inputs * kernel * kernel, seed ^ 1);
            let epilogue = Epilogue { bias: numbers(outputs, seed ^ 2), slope: vec![0.5; outputs] };
            let op = Dense { weight: weight.clone(), inputs, kernel, stride, pad, epilogue: epilogue.clone() };
            let input = Tensor::from_vec(x, (batch, inputs, height, width), &Device::Cpu).unwrap();
            let weight = Tensor::from_vec(weight, (outputs, inputs, kernel, kernel), &Device::Cpu).unwrap();
            let wanted = input
                .conv2d(&weight, pad, stride, 1, 1)
                .and_then(|y| y.broadcast_add(&Tensor::from_vec(epilogue.bias, (1, outputs, 1, 1), &Device::Cpu)?))
                .unwrap();
            let made = input.apply_op1_no_bwd(&op).unwrap();
            prop_assert_eq!(made.dims(), wanted.dims());
            let wanted: Vec<f32> = wanted.flatten_all().unwrap().to_vec1().unwrap();
            let wanted: Vec<f32> = wanted.iter().map(|v| if *v > 0.0 { *v } else { v * 0.5 }).collect();
            prop_assert!(crate::kernels::near(&made.flatten_all().unwrap().to_vec1::<f32>().unwrap(), &wanted));
        }
    }
}
