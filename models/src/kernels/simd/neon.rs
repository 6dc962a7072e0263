//! Eight numbers in two registers of NEON.

use crate::kernels::simd::{LANES, Simd, portable::Portable};
use std::arch::aarch64::{
    float32x4_t, int32x4_t, vaddq_f32, vaddq_s32, vandq_s32, vbslq_f32, vcgtq_f32, vcvtq_f32_s32, vcvtq_s32_f32,
    vdupq_n_f32, vdupq_n_s32, vfmaq_f32, vget_low_s16, vld1q_f32, vld1q_s16, vld1q_s32, vld1q_u8, vmaxq_f32, vminq_f32,
    vmlaq_s32, vmull_high_s16, vmull_s16, vmulq_f32, vpaddq_s32, vqtbl1q_u8, vreinterpretq_s16_u8,
    vreinterpretq_s32_u32, vreinterpretq_u8_s16, vreinterpretq_u32_s32, vshlq_u32, vst1q_f32, vst1q_s32,
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
    type I = [int32x4_t; 2];
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
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { [vminq_f32(a[0], b[0]), vminq_f32(a[1], b[1])] }
    }
    #[inline(always)]
    fn float(self, v: Self::I) -> Self::F {
        // SAFETY: as above.
        v.map(|v| unsafe { vcvtq_f32_s32(v) })
    }
    #[inline(always)]
    fn add_whole(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { [vaddq_s32(a[0], b[0]), vaddq_s32(a[1], b[1])] }
    }
    #[inline(always)]
    fn add_neighbours(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { [vpaddq_s32(a[0], b[0]), vpaddq_s32(a[1], b[1])] }
    }
    #[inline(always)]
    fn products(self, row: &[i16], starts: [u32; 2], picks: &[u8; 4 * LANES], weights: &[i16; 2 * LANES]) -> Self::I {
        // SAFETY: as above.
        let zero = unsafe { vdupq_n_s32(0) };
        let Some(last) = row.len().checked_sub(LANES) else { return [zero; 2] };
        // SAFETY: as above; a start is at most `last`, from where on there are eight numbers; they, half of the picks and
        // half of the weights are the sixteen bytes that are read.
        [0, 1].map(|half| unsafe {
            let start = (starts[half] as usize).min(last);
            let window = vreinterpretq_u8_s16(vld1q_s16(row.as_ptr().add(start)));
            let picked = vqtbl1q_u8(window, vld1q_u8(picks.as_ptr().add(2 * LANES * half)));
            let (picked, weights) = (vreinterpretq_s16_u8(picked), vld1q_s16(weights.as_ptr().add(LANES * half)));
            let low = vmull_s16(vget_low_s16(picked), vget_low_s16(weights));
            vpaddq_s32(low, vmull_high_s16(picked, weights))
        })
    }
    #[inline(always)]
    fn whole(self, v: Self::F) -> Self::I {
        // SAFETY: as above.
        v.map(|v| unsafe { vcvtq_s32_f32(v) })
    }
    #[inline(always)]
    fn times_add(self, a: Self::I, times: i32, b: Self::I) -> Self::I {
        // SAFETY: as above.
        [0, 1].map(|half| unsafe { vmlaq_s32(b[half], a[half], vdupq_n_s32(times)) })
    }
    #[inline(always)]
    fn field<const SHIFT: i32>(self, v: Self::I, mask: i32) -> Self::F {
        // SAFETY: as above.
        v.map(|v| unsafe {
            let shifted = vshlq_u32(vreinterpretq_u32_s32(v), vdupq_n_s32(-SHIFT));
            vcvtq_f32_s32(vandq_s32(vreinterpretq_s32_u32(shifted), vdupq_n_s32(mask)))
        })
    }
    #[inline(always)]
    fn gather(self, from: &[u8], at: Self::I) -> Self::I {
        // There is no such instruction: the portable way, which checks every place.
        loaded(Portable.gather(from, stored(at)))
    }
    #[inline(always)]
    fn gather_two(self, from: &[u8], at: Self::I) -> [Self::I; 2] {
        Portable.gather_two(from, stored(at)).map(loaded)
    }
}

#[inline(always)]
fn stored(v: [int32x4_t; 2]) -> [i32; LANES] {
    let mut numbers = [0; LANES];
    // SAFETY: every 64-bit ARM of the targets we build for has NEON; both halves of the array are four numbers.
    unsafe {
        vst1q_s32(numbers.as_mut_ptr(), v[0]);
        vst1q_s32(numbers.as_mut_ptr().add(4), v[1]);
    }
    numbers
}

#[inline(always)]
fn loaded(numbers: [i32; LANES]) -> [int32x4_t; 2] {
    // SAFETY: as in `stored`.
    unsafe { [vld1q_s32(numbers.as_ptr()), vld1q_s32(numbers.as_ptr().add(4))] }
}
