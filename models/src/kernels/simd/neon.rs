//! Eight numbers in two registers of NEON.

use crate::kernels::simd::{LANES, Simd};
use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vbslq_f32, vcgtq_f32, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmaxq_f32, vmulq_f32, vst1q_f32,
};

/// NEON: two registers of four.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    /// Every 64-bit ARM has it.
    pub(crate) fn here() -> Self {
        Self(())
    }
}

impl Simd for Neon {
    type F = [float32x4_t; 2];
    #[inline(always)]
    fn splat(self, v: f32) -> Self::F {
        // SAFETY: every 64-bit ARM of the targets we build for has NEON, here and in each method below.
        [unsafe { vdupq_n_f32(v) }; 2]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::F {
        // SAFETY: as above; both halves of the array are four numbers.
        unsafe { [vld1q_f32(from.as_ptr()), vld1q_f32(from.as_ptr().add(4))] }
    }
    #[inline(always)]
    fn widen(self, from: &[u16; LANES]) -> Self::F {
        self.load(&from.map(|bits| half::f16::from_bits(bits).to_f32()))
    }
    #[inline(always)]
    fn store(self, v: Self::F, into: &mut [f32; LANES]) {
        // SAFETY: as above; both halves of the array are four numbers.
        unsafe {
            vst1q_f32(into.as_mut_ptr(), v[0]);
            vst1q_f32(into.as_mut_ptr().add(4), v[1]);
        }
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { [vfmaq_f32(c[0], a[0], b[0]), vfmaq_f32(c[1], a[1], b[1])] }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { [vaddq_f32(a[0], b[0]), vaddq_f32(a[1], b[1])] }
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { [vmaxq_f32(a[0], b[0]), vmaxq_f32(a[1], b[1])] }
    }
    #[inline(always)]
    fn bend(self, v: Self::F, slope: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe {
            let zero = vdupq_n_f32(0.0);
            [0, 1].map(|i| vbslq_f32(vcgtq_f32(v[i], zero), v[i], vmulq_f32(v[i], slope[i])))
        }
    }
}
