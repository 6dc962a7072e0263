//! Eight numbers as an array: any machine, and the twin of the others in tests.

use crate::kernels::simd::{LANES, RUN, Simd};

/// Arrays, as any machine has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Simd for Portable {
    type F = [f32; LANES];
    type Bytes = [i8; RUN * LANES];
    type Sums = [i32; LANES];
    #[inline(always)]
    fn splat(self, v: f32) -> Self::F {
        [v; LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::F {
        *from
    }
    #[inline(always)]
    fn widen(self, from: &[u16; LANES]) -> Self::F {
        from.map(|bits| half::f16::from_bits(bits).to_f32())
    }
    #[inline(always)]
    fn store(self, v: Self::F, into: &mut [f32; LANES]) {
        *into = v;
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    fn bend(self, v: Self::F, slope: Self::F) -> Self::F {
        std::array::from_fn(|i| if v[i] > 0.0 { v[i] } else { v[i] * slope[i] })
    }
    #[inline(always)]
    fn over(self, v: Self::F, least: Self::F) -> u8 {
        (0..LANES).fold(0, |bits, i| bits | u8::from(v[i] > least[i]) << i)
    }
    #[inline(always)]
    fn bytes(self, from: &[i8; RUN * LANES]) -> Self::Bytes {
        *from
    }
    #[inline(always)]
    fn prefetch(self, _from: &[i8; RUN * LANES], _ahead: usize) {
        // No instruction that any machine has.
    }
    #[inline(always)]
    fn begin(self, _total: i32) -> Self::Sums {
        [0; LANES]
    }
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        std::array::from_fn(|i| {
            (0..RUN).fold(sums[i], |sum, j| sum + i32::from(rows[i * RUN + j]) * i32::from(probe[j]))
        })
    }
    #[inline(always)]
    fn finish(self, sums: Self::Sums) -> Self::F {
        sums.map(|sum| sum as f32)
    }
}
