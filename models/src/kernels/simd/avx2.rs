//! Eight numbers in one register of AVX2.

use crate::kernels::simd::{Eight, LANES, RUN, Simd, wide::Apart};
use std::arch::x86_64::{
    __m256, __m256i, _CMP_GT_OQ, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_loadu_si128, _mm_movehdup_ps,
    _mm_movehl_ps, _mm_packs_epi32, _mm_prefetch, _mm_setr_epi32, _mm_storeu_si128, _mm256_add_epi32, _mm256_add_ps,
    _mm256_and_si256, _mm256_blendv_ps, _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmp_ps, _mm256_cmpeq_epi32, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_cvtps_epi32,
    _mm256_cvttps_epi32, _mm256_extractf128_ps, _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_hadd_epi32,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_max_ps, _mm256_min_epu32,
    _mm256_min_ps, _mm256_movemask_ps, _mm256_mul_ps, _mm256_mullo_epi32, _mm256_set_epi64x, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_srlv_epi32, _mm256_storeu_ps, _mm256_storeu_si256,
    _mm256_sub_epi32, _mm256_xor_si256,
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

/// A machine that has at least AVX2, FMA and F16C: eight numbers at a time are those of AVX2, whatever else it has.
///
/// # Safety
/// A value may exist only where they were found.
pub(crate) unsafe trait HasAvx2: Copy {}

// SAFETY: `found` makes the only values.
unsafe impl HasAvx2 for Avx2 {}

impl<A: HasAvx2> Eight for A {
    type F = __m256;
    type Bytes = __m256i;
    type Sums = __m256i;
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
    fn finish(self, sums: Self::Sums) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_cvtepi32_ps(sums) }
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
    fn splat_whole(self, v: i32) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_set1_epi32(v) }
    }
    #[inline(always)]
    fn load_whole(self, from: &[i32; LANES]) -> Self::I {
        // SAFETY: as above; the array is as long as the register, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn sum(self, v: Self::F) -> f32 {
        // SAFETY: as above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
    #[inline(always)]
    fn narrow(self, v: Self::F, times: Self::F, into: &mut [i32; LANES / 2]) {
        // SAFETY: as above; the four numbers are the sixteen bytes that are written, without alignment.
        unsafe {
            let whole = _mm256_cvtps_epi32(_mm256_mul_ps(v, times));
            let both = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
            _mm_storeu_si128(into.as_mut_ptr().cast(), both);
        }
    }
    #[inline(always)]
    fn add_neighbours(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_hadd_epi32(a, b) }
    }
    #[inline(always)]
    fn products(self, row: &[i16], starts: [u32; 2], picks: &[u8; 4 * LANES], weights: &[i16; 2 * LANES]) -> Self::I {
        // SAFETY: as above.
        let zero = unsafe { _mm256_setzero_si256() };
        let Some(last) = row.len().checked_sub(LANES) else { return zero };
        let [low, high] = [(starts[0] as usize).min(last), (starts[1] as usize).min(last)];
        // SAFETY: as above; `low` and `high` are at most `last`, from where on there are eight numbers, the sixteen bytes
        // of half a register; picks and weights are the 32 of a whole one; and none of the loads needs alignment.
        unsafe {
            let low = _mm_loadu_si128(row.as_ptr().add(low).cast());
            let both = _mm256_set_m128i(_mm_loadu_si128(row.as_ptr().add(high).cast()), low);
            let picked = _mm256_shuffle_epi8(both, _mm256_loadu_si256(picks.as_ptr().cast()));
            _mm256_madd_epi16(picked, _mm256_loadu_si256(weights.as_ptr().cast()))
        }
    }
    #[inline(always)]
    fn whole(self, v: Self::F) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_cvttps_epi32(v) }
    }
    #[inline(always)]
    fn times_add(self, a: Self::I, times: i32, b: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_add_epi32(_mm256_mullo_epi32(a, _mm256_set1_epi32(times)), b) }
    }
    #[inline(always)]
    fn field<const SHIFT: i32>(self, v: Self::I, mask: i32) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srli_epi32::<SHIFT>(v), _mm256_set1_epi32(mask))) }
    }
    #[inline(always)]
    fn gather(self, from: &[u8], at: Self::I) -> Self::I {
        // A plane of less than four bytes, as the chroma of a picture of two pixels has.
        let mut few = [0; 4];
        let from = if from.len() < few.len() {
            few[..from.len()].copy_from_slice(from);
            &few
        } else {
            from
        };
        let last = i32::try_from(from.len() - few.len()).unwrap_or(i32::MAX);
        // SAFETY: as above. Every place is lowered to `last`, compared without a sign: four bytes from there on are within
        // `from`. Eight loads, because the instruction that gathers takes longer than they do.
        unsafe {
            let there = _mm256_min_epu32(at, _mm256_set1_epi32(last));
            let mut places = [0u32; LANES];
            _mm256_storeu_si256(places.as_mut_ptr().cast(), there);
            let four = |lane: usize| from.as_ptr().add(places[lane] as usize).cast::<i32>().read_unaligned();
            let low = _mm_setr_epi32(four(0), four(1), four(2), four(3));
            let high = _mm_setr_epi32(four(4), four(5), four(6), four(7));
            let bytes = _mm256_set_m128i(high, low);
            // Bytes before the place go out of the low end, zeros for those that are not there come in at the high one.
            let beyond = _mm256_min_epu32(_mm256_sub_epi32(at, there), _mm256_set1_epi32(4));
            _mm256_srlv_epi32(bytes, _mm256_slli_epi32::<3>(beyond))
        }
    }
    #[inline(always)]
    fn gather_two(self, from: &[u8], at: Self::I) -> [Self::I; 2] {
        // SAFETY: as above.
        let zero = unsafe { _mm256_setzero_si256() };
        let Some(last) = from.len().checked_sub(8) else { return [zero; 2] };
        let last = i32::try_from(last).unwrap_or(i32::MAX);
        // SAFETY: as in `gather`, of eight bytes.
        unsafe {
            let there = _mm256_min_epu32(at, _mm256_set1_epi32(last));
            let mut places = [0u32; LANES];
            _mm256_storeu_si256(places.as_mut_ptr().cast(), there);
            let eight = |lane: usize| from.as_ptr().add(places[lane] as usize).cast::<i64>().read_unaligned();
            let low = _mm256_set_epi64x(eight(5), eight(4), eight(1), eight(0));
            let high = _mm256_set_epi64x(eight(7), eight(6), eight(3), eight(2));
            let (low, high) = (_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
            let is_there = _mm256_cmpeq_epi32(at, there);
            let first = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
            let second = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(low, high));
            [_mm256_and_si256(first, is_there), _mm256_and_si256(second, is_there)]
        }
    }
}

impl Simd for Avx2 {
    type Two = Apart;
    // Twelve sums, two of weights and one pixel: the sixteen registers but one. Of whole numbers a product takes that one.
    const PIXELS: usize = 6;
    const HAS_FAST_PAIRS: bool = true;
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        // SAFETY: as in the methods above. Two products are added in sixteen bits: `PROBE_STEPS` is so small that they fit.
        unsafe {
            let probe = _mm256_set1_epi32(i32::from_le_bytes(probe.map(i8::cast_unsigned)));
            let pairs = _mm256_maddubs_epi16(rows, probe);
            _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
    #[inline(always)]
    fn add_pairs(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)) }
    }
}
