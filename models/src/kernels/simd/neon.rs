//! Eight numbers in two registers of NEON.

use crate::kernels::simd::{LANES, RUN, Simd};
use std::arch::aarch64::{
    float32x4_t, int8x16_t, int32x4_t, vaddq_f32, vaddvq_u32, vandq_u32, vbslq_f32, vcgtq_f32, vcvtq_f32_s32,
    vdupq_n_f32, vdupq_n_s32, vfmaq_f32, vget_low_s8, vld1q_f32, vld1q_s8, vld1q_u32, vmaxq_f32, vmull_high_s8,
    vmull_s8, vmulq_f32, vpadalq_s16, vpaddq_s16, vreinterpretq_s8_s32, vst1q_f32,
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
    type Bytes = [int8x16_t; 2];
    type Sums = [int32x4_t; 2];
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
    #[inline(always)]
    fn over(self, v: Self::F, least: Self::F) -> u8 {
        // SAFETY: as above; each array is four numbers.
        unsafe {
            let low = vandq_u32(vcgtq_f32(v[0], least[0]), vld1q_u32([1, 2, 4, 8].as_ptr()));
            let high = vandq_u32(vcgtq_f32(v[1], least[1]), vld1q_u32([16, 32, 64, 128].as_ptr()));
            (vaddvq_u32(low) | vaddvq_u32(high)) as u8
        }
    }
    #[inline(always)]
    fn bytes(self, from: &[i8; RUN * LANES]) -> Self::Bytes {
        // SAFETY: as above; both halves of the array are sixteen bytes.
        unsafe { [vld1q_s8(from.as_ptr()), vld1q_s8(from.as_ptr().add(16))] }
    }
    #[inline(always)]
    fn prefetch(self, _from: &[i8; RUN * LANES], _ahead: usize) {
        // The processor sees a stream by itself, and the instruction is not in stable Rust.
    }
    #[inline(always)]
    fn begin(self, _total: i32) -> Self::Sums {
        // SAFETY: as above.
        [unsafe { vdupq_n_s32(0) }; 2]
    }
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        // SAFETY: as above. Two products are added in sixteen bits: `PROBE_STEPS` is so small that they fit.
        unsafe {
            let probe = vreinterpretq_s8_s32(vdupq_n_s32(i32::from_le_bytes(probe.map(i8::cast_unsigned))));
            [0, 1].map(|half| {
                // Pairs of four rows, two products each; then pairs again, and to the sum of the row.
                let low = vmull_s8(vget_low_s8(rows[half]), vget_low_s8(probe));
                vpadalq_s16(sums[half], vpaddq_s16(low, vmull_high_s8(rows[half], probe)))
            })
        }
    }
    #[inline(always)]
    fn finish(self, sums: Self::Sums) -> Self::F {
        // SAFETY: as above.
        unsafe { [vcvtq_f32_s32(sums[0]), vcvtq_f32_s32(sums[1])] }
    }
}
