//! Eight numbers in one register of AVX2.

use crate::kernels::simd::{LANES, RUN, Simd};
use std::arch::x86_64::{
    __m256, __m256i, _CMP_GT_OQ, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm256_add_epi32, _mm256_add_ps,
    _mm256_blendv_ps, _mm256_cmp_ps, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_fmadd_ps, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_movemask_ps, _mm256_mul_ps,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_storeu_ps, _mm256_xor_si256,
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
    type Bytes = __m256i;
    type Sums = __m256i;
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
    fn over(self, v: Self::F, least: Self::F) -> u8 {
        // SAFETY: as above.
        unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(v, least)) as u8 }
    }
    #[inline(always)]
    fn bytes(self, from: &[i8; RUN * LANES]) -> Self::Bytes {
        // The product of bytes wants one side unsigned: rows are 128 too large, and `begin` takes that off again.
        // SAFETY: as above; the array is as long as the register, and the load needs no alignment.
        unsafe { _mm256_xor_si256(_mm256_loadu_si256(from.as_ptr().cast()), _mm256_set1_epi8(i8::MIN)) }
    }
    #[inline(always)]
    fn prefetch(self, from: &[i8; RUN * LANES], ahead: usize) {
        // SAFETY: as above; a prefetch reads nothing and faults at no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.as_ptr().wrapping_add(ahead)) }
    }
    #[inline(always)]
    fn begin(self, total: i32) -> Self::Sums {
        // SAFETY: as above.
        unsafe { _mm256_set1_epi32(-128 * total) }
    }
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        // SAFETY: as above. Two products are added in sixteen bits: `PROBE_STEPS` is so small that they fit.
        unsafe {
            let probe = _mm256_set1_epi32(i32::from_le_bytes(probe.map(i8::cast_unsigned)));
            let pairs = _mm256_maddubs_epi16(rows, probe);
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
    #[inline(always)]
    fn finish(self, sums: Self::Sums) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_cvtepi32_ps(sums) }
    }
}
