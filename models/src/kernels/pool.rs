//! Halving and doubling of pictures.

use crate::kernels::simd::{Lanes, vectorised};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, bail};

/// The greatest of each 2×2, stride 2; a last odd row or column is left out.
pub(crate) struct HalveByMax;

impl CustomOp1 for HalveByMax {
    fn name(&self) -> &'static str {
        "max-pool-2x2"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (batch, channels, height, width) = layout.shape().dims4()?;
        let Some((from, to)) = layout.contiguous_offsets() else { bail!("max-pool needs a contiguous input") };
        if height < 2 || width < 2 {
            bail!("max-pool 2x2 does not take {:?}", layout.shape());
        }
        let (rows, columns) = (height / 2, width / 2);
        let mut output = Vec::with_capacity(batch * channels * rows * columns);
        let input = &storage.as_slice::<f32>()?[from..to];
        vectorised(Halve { input, height, width, output: &mut output });
        Ok((CpuStorage::F32(output), Shape::from((batch, channels, rows, columns))))
    }
}

struct Halve<'a> {
    input: &'a [f32],
    height: usize,
    width: usize,
    output: &'a mut Vec<f32>,
}

impl Lanes for Halve<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let mut tall = vec![0f32; self.width];
        for plane in self.input.chunks_exact(self.height * self.width) {
            for pair in plane.chunks_exact(2 * self.width) {
                let (upper, lower) = pair.split_at(self.width);
                for ((tall, a), b) in tall.iter_mut().zip(upper).zip(lower) {
                    *tall = a.max(*b);
                }
                self.output.extend(tall.chunks_exact(2).map(|pair| pair[0].max(pair[1])));
            }
        }
    }
}

/// The first picture plus the second, which is half as large, its pixels doubled in both directions.
pub(crate) struct AddDoubled;

impl CustomOp2 for AddDoubled {
    fn name(&self) -> &'static str {
        "add-doubled"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((b, c, h, w), small) = (l1.shape().dims4()?, l2.shape().dims4()?);
        if small != (b, c, h / 2, w / 2) || h % 2 != 0 || w % 2 != 0 {
            bail!("{:?} is not half of {:?}", l2.shape(), l1.shape());
        }
        let (Some((from1, to1)), Some((from2, to2))) = (l1.contiguous_offsets(), l2.contiguous_offsets()) else {
            bail!("add-doubled needs contiguous inputs")
        };
        let (large, small) = (&s1.as_slice::<f32>()?[from1..to1], &s2.as_slice::<f32>()?[from2..to2]);
        let mut output = large.to_vec();
        for (pair, row) in output.chunks_exact_mut(2 * w).zip(small.chunks_exact(w / 2)) {
            for line in pair.chunks_exact_mut(w) {
                for (two, v) in line.chunks_exact_mut(2).zip(row) {
                    two[0] += v;
                    two[1] += v;
                }
            }
        }
        Ok((CpuStorage::F32(output), l1.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_are_what_candle_computes(c in 1usize..4, h in 1usize..9, w in 1usize..17, odd in 0usize..2, seed in any::<u64>()) {
            let shape = (2, c, 2 * h + odd, 2 * w + odd);
            let x = crate::kernels::numbers(2 * c * (2 * h + odd) * (2 * w + odd), seed);
            let x = Tensor::from_vec(x, shape, &Device::Cpu).unwrap();
            let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let halved = x.apply_op1_no_bwd(&HalveByMax).unwrap();
            prop_assert_eq!(flat(halved.clone()), flat(x.max_pool2d(2).unwrap()));
            if odd == 0 {
                let wanted = (&x + halved.upsample_nearest2d(2 * h, 2 * w).unwrap()).unwrap();
                prop_assert_eq!(flat(x.apply_op2_no_bwd(&halved, &AddDoubled).unwrap()), flat(wanted));
            }
        }
    }
}
