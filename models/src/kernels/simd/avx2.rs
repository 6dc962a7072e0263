//! Eight numbers in one register of AVX2.

use crate::kernels::simd::{LANES, Simd};
use std::arch::x86_64::{
    __m256, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_add_ps, _mm256_blendv_ps, _mm256_cvtepi32_ps,
    _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_hadd_epi32, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set_m128i, _mm256_set1_ps, _mm256_shuffle_epi8,
    _mm256_storeu_ps,
};

/// AVX2 with FMA and F16C: every x86-64 server and box PC since 2013.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Whether this machine has them.
    pub(crate) fn found() -> Option<Self> {
        let found = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("fma")
            && std::arch::is_x86_feature_detected!("f16c");
        found.then_some(Self(()))
    }
}

impl Simd for Avx2 {
    type F = __m256;
    type I = __m256i;
    #[inline(always)]
    fn splat(self, v: f32) -> Self::F {
        // SAFETY: `self` is the proof that the features are there, here and in each method below.
        unsafe { _mm256_set1_ps(v) }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::F {
        // SAFETY: as above; the array is as long as the register, and the load needs no alignment.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn widen(self, from: &[u16; LANES]) -> Self::F {
        // SAFETY: as above; eight halves are the sixteen bytes that are read, without alignment.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().cast())) }
    }
    #[inline(always)]
    fn store(self, v: Self::F, into: &mut [f32; LANES]) {
        // SAFETY: as above; the array is as long as the register, and the store needs no alignment.
        unsafe { _mm256_storeu_ps(into.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn bend(self, v: Self::F, slope: Self::F) -> Self::F {
        // SAFETY: as above. The blend takes its second operand where the sign of the third is set.
        unsafe { _mm256_blendv_ps(v, _mm256_mul_ps(v, slope), v) }
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn float(self, v: Self::I) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_cvtepi32_ps(v) }
    }
    #[inline(always)]
    fn add_whole(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_add_epi32(a, b) }
    }
    #[inline(always)]
    fn add_neighbours(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_hadd_epi32(a, b) }
    }
    #[inline(always)]
    fn products(self, windows: [&[i16; LANES]; 2], picks: &[u8; 4 * LANES], weights: &[i16; 2 * LANES]) -> Self::I {
        // SAFETY: as above; a window is the sixteen bytes of half a register, picks and weights are the 32 of a whole
        // one, and none of the loads needs alignment.
        unsafe {
            let low = _mm_loadu_si128(windows[0].as_ptr().cast());
            let both = _mm256_set_m128i(_mm_loadu_si128(windows[1].as_ptr().cast()), low);
            let picked = _mm256_shuffle_epi8(both, _mm256_loadu_si256(picks.as_ptr().cast()));
            _mm256_madd_epi16(picked, _mm256_loadu_si256(weights.as_ptr().cast()))
        }
    }
}
