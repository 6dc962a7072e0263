//! Depthwise 3×3 convolution: one filter a channel.
//!
//! candle runs a grouped convolution as one convolution per group and a concatenation; a layer of 256 channels is 256
//! convolutions there. Here it is one pass, with bias and activation in it.

use crate::kernels::{
    epilogue::{Epilogue, bent},
    simd::{Lanes, fma, vectorised},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, bail};

/// A depthwise 3×3 convolution with padding 1.
#[derive(Clone, Debug)]
pub(crate) struct Depthwise {
    /// Nine weights a channel, row by row.
    pub(crate) weight: Vec<f32>,
    /// Bias and activation.
    pub(crate) epilogue: Epilogue,
    /// 1 or 2.
    pub(crate) stride: usize,
}

impl CustomOp1 for Depthwise {
    fn name(&self) -> &'static str {
        "depthwise-3x3"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        if channels * 9 != self.weight.len() || !matches!(self.stride, 1 | 2) || height == 0 || width == 0 {
            bail!(
                "depthwise 3x3 of {} channels, stride {}, got {:?}",
                self.weight.len() / 9,
                self.stride,
                layout.shape()
            );
        }
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("depthwise 3x3 needs a contiguous input") };
        let input = &storage.as_slice::<f32>()?[from..to];
        let (rows, columns) = ((height - 1) / self.stride + 1, (width - 1) / self.stride + 1);
        let mut output = Vec::with_capacity(batch * channels * rows * columns);
        vectorised(Run { op: self, input, size: (channels, height, width), output: &mut output });
        Ok((CpuStorage::F32(output), Shape::from((batch, channels, rows, columns))))
    }
}

struct Run<'a> {
    op: &'a Depthwise,
    input: &'a [f32],
    size: (usize, usize, usize),
    output: &'a mut Vec<f32>,
}

impl Lanes for Run<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let (channels, height, width) = self.size;
        let (rows, columns) = ((height - 1) / self.op.stride + 1, (width - 1) / self.op.stride + 1);
        let mut window = Window::new(columns, self.op.stride);
        let mut line = vec![0f32; columns];
        for (index, plane) in self.input.chunks_exact(height * width).enumerate() {
            let channel = index % channels;
            let weight: &[f32; 9] =
                self.op.weight[channel * 9..][..9].try_into().expect("a slice of nine is an array of nine");
            let (bias, slope) = (self.op.epilogue.bias[channel], self.op.epilogue.slope[channel]);
            window.rewind();
            for y in 0..rows {
                let taps = window.at(y * self.op.stride, plane, width, height);
                weighted::<FMA>(&mut line, taps, weight, bias, slope);
                self.output.extend_from_slice(&line);
            }
        }
    }
}

/// Nine taps, bias and activation over one output row.
#[inline(always)]
fn weighted<const FMA: bool>(line: &mut [f32], taps: [&[f32]; 9], weight: &[f32; 9], bias: f32, slope: f32) {
    let n = line.len();
    let [a, b, c, d, e, f, g, h, i] = taps.map(|tap| &tap[..n]);
    for x in 0..n {
        let top = fma::<FMA>(a[x], weight[0], fma::<FMA>(b[x], weight[1], fma::<FMA>(c[x], weight[2], bias)));
        let middle = fma::<FMA>(d[x], weight[3], fma::<FMA>(e[x], weight[4], f[x] * weight[5]));
        let bottom = fma::<FMA>(g[x], weight[6], fma::<FMA>(h[x], weight[7], i[x] * weight[8]));
        line[x] = bent(top + middle + bottom, slope);
    }
}

/// Three input rows, padded with zeros, each loaded once. With stride 2 a row is kept as its even and its odd columns,
/// so that the nine taps of neighbouring outputs stay neighbours in memory.
struct Window {
    rows: [Vec<f32>; 3],
    columns: usize,
    stride: usize,
    /// The next input row to load, counted from the padding row above the picture.
    next: usize,
}

impl Window {
    fn new(columns: usize, stride: usize) -> Self {
        // Stride 1: 0, columns, 0. Stride 2: 0, odd columns, perhaps 0 | even columns.
        let length = if stride == 1 { columns + 2 } else { 2 * columns + 1 };
        Self { rows: std::array::from_fn(|_| vec![0.0; length]), columns, stride, next: 0 }
    }

    fn rewind(&mut self) {
        self.next = 0;
    }

    /// The nine taps of the output row whose middle input row is `middle`.
    #[inline(always)]
    fn at(&mut self, middle: usize, plane: &[f32], width: usize, height: usize) -> [&[f32]; 9] {
        // Counted from the padding row, the window is middle, middle + 1, middle + 2.
        self.next = self.next.max(middle);
        while self.next < middle + 3 {
            let into = &mut self.rows[self.next % 3];
            if self.next == 0 || self.next > height {
                into.fill(0.0);
            } else {
                let row = &plane[(self.next - 1) * width..][..width];
                if self.stride == 1 {
                    into[1..=width].copy_from_slice(row);
                } else {
                    let (odd, even) = into.split_at_mut(self.columns + 1);
                    let pairs = row.chunks_exact(2);
                    if let [last] = pairs.remainder() {
                        even[self.columns - 1] = *last;
                        odd[self.columns] = 0.0;
                    }
                    for ((pair, odd), even) in pairs.zip(&mut odd[1..]).zip(even) {
                        (*even, *odd) = (pair[0], pair[1]);
                    }
                }
            }
            self.next += 1;
        }
        let columns = self.columns;
        let (a, b, c) = (&self.rows[middle % 3], &self.rows[(middle + 1) % 3], &self.rows[(middle + 2) % 3]);
        if self.stride == 1 {
            [&a[..], &a[1..], &a[2..], &b[..], &b[1..], &b[2..], &c[..], &c[1..], &c[2..]]
        } else {
            let even = columns + 1;
            [&a[..], &a[even..], &a[1..], &b[..], &b[even..], &b[1..], &c[..], &c[even..], &c[1..]]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    proptest! {
        /// Both compilations of the kernel against candle's own grouped convolution.
        #[test]
        fn it_is_a_grouped_convolution(
            batch in 1usize..3, channels in 1usize..5, height in 1usize..13, width in 1usize..21,
            stride in 1usize..3, seed in any::<u64>()
        ) {
            let numbers = crate::kernels::numbers;
            let x = numbers(batch * channels * height * width, seed);
            let weight = numbers(channels * 9, seed ^ 1);
            let epilogue = Epilogue { bias: numbers(channels, seed ^ 2), slope: numbers(channels, seed ^ 3) };
            let op = Depthwise { weight: weight.clone(), epilogue: epilogue.clone(), stride };
            let input = Tensor::from_vec(x.clone(), (batch, channels, height, width), &Device::Cpu).unwrap();
            let wide = (1, channels, 1, 1);
            let wanted = input
                .conv2d(&Tensor::from_vec(weight, (channels, 1, 3, 3), &Device::Cpu).unwrap(), 1, stride, 1, channels)
                .and_then(|y| y.broadcast_add(&Tensor::from_vec(epilogue.bias, wide, &Device::Cpu)?))
                .and_then(|y| y.flatten_all()?.to_vec1::<f32>())
                .unwrap();
            let pixels = wanted.len() / batch / channels;
            let wanted: Vec<f32> = wanted
                .iter()
                .enumerate()
                .map(|(i, v)| if *v > 0.0 { *v } else { v * epilogue.slope[i / pixels % channels] })
                .collect();
            let made = input.apply_op1_no_bwd(&op).unwrap();
            let expected = [batch, channels, (height - 1) / stride + 1, (width - 1) / stride + 1];
            prop_assert_eq!(made.dims(), &expected[..]);
            let wide = made.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut portable = Vec::new();
            Run { op: &op, input: &x, size: (channels, height, width), output: &mut portable }.run::<false>();
            prop_assert!(crate::kernels::near(&wide, &wanted) && crate::kernels::near(&portable, &wanted));
        }
    }

    #[test]
    fn weights_of_other_channels_are_an_error_not_a_panic() {
        let epilogue = Epilogue { bias: vec![0.0], slope: vec![1.0] };
        let op = Depthwise { weight: vec![0.0; 9], epilogue, stride: 1 };
        let input = Tensor::zeros((1, 2, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(input.apply_op1_no_bwd(&op).is_err());
    }
}
