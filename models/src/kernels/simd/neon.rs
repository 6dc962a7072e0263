//! Eight numbers in two registers of NEON.

use crate::kernels::simd::{Eight, LANES, RUN, Simd, portable::Portable, wide::Apart};
use std::arch::aarch64::{
    float32x4_t, int8x16_t, int32x4_t, vaddq_f32, vaddq_s32, vaddvq_f32, vaddvq_u32, vandq_s32, vandq_u32, vbslq_f32,
    vcgtq_f32, vcombine_s16, vcvtnq_s32_f32, vcvtq_f32_s32, vcvtq_s32_f32, vdupq_n_f32, vdupq_n_s32, vfmaq_f32,
    vget_low_s8, vget_low_s16, vld1q_f32, vld1q_s8, vld1q_s16, vld1q_s32, vld1q_u8, vld1q_u32, vmaxq_f32, vminq_f32,
    vmlaq_s32, vmull_high_s8, vmull_high_s16, vmull_s8, vmull_s16, vmulq_f32, vpadalq_s16, vpaddq_s16, vpaddq_s32,
    vqmovn_s32, vqtbl1q_u8, vreinterpretq_s8_s32, vreinterpretq_s16_s32, vreinterpretq_s16_u8, vreinterpretq_s32_s16,
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

impl Eight for Neon {
    type F = [float32x4_t; 2];
    type Bytes = [int8x16_t; 2];
    type Sums = [int32x4_t; 2];
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
    fn finish(self, sums: Self::Sums) -> Self::F {
        // SAFETY: as above.
        unsafe { [vcvtq_f32_s32(sums[0]), vcvtq_f32_s32(sums[1])] }
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
    fn splat_whole(self, v: i32) -> Self::I {
        // SAFETY: as above.
        [unsafe { vdupq_n_s32(v) }; 2]
    }
    #[inline(always)]
    fn load_whole(self, from: &[i32; LANES]) -> Self::I {
        loaded(*from)
    }
    #[inline(always)]
    fn sum(self, v: Self::F) -> f32 {
        // SAFETY: as above.
        unsafe { vaddvq_f32(vaddq_f32(v[0], v[1])) }
    }
    #[inline(always)]
    fn narrow(self, v: Self::F, times: Self::F, into: &mut [i32; LANES / 2]) {
        // SAFETY: as above; the array is the four numbers that are written.
        unsafe {
            let [low, high] = [0, 1].map(|half| vqmovn_s32(vcvtnq_s32_f32(vmulq_f32(v[half], times[half]))));
            vst1q_s32(into.as_mut_ptr(), vreinterpretq_s32_s16(vcombine_s16(low, high)));
        }
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

impl Simd for Neon {
    type Two = Apart;
    // 24 of 32 registers, four of weights.
    const PIXELS: usize = 6;
    // A product of sixteen bits takes as long as one of `f32`.
    const HAS_FAST_PAIRS: bool = false;
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        // SAFETY: as in the methods above. Two products are added in sixteen bits: `PROBE_STEPS` is so small that they fit.
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
    fn add_pairs(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I {
        // SAFETY: as above.
        [0, 1].map(|half| unsafe {
            let (a, b) = (vreinterpretq_s16_s32(a[half]), vreinterpretq_s16_s32(b[half]));
            let low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
            vaddq_s32(sum[half], vpaddq_s32(low, vmull_high_s16(a, b)))
        })
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
