//! Sixteen numbers in one register of AVX-512.

use crate::kernels::simd::{
    Eight as _, LANES, RUN, Simd,
    avx2::{Avx2, HasAvx2},
    wide::Wide,
};
use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _mm256_dpbusd_epi32, _mm256_dpwssds_epi32, _mm512_castps256_ps512,
    _mm512_castps512_ps256, _mm512_castsi512_si256, _mm512_dpwssds_epi32, _mm512_extractf32x8_ps,
    _mm512_extracti32x8_epi32, _mm512_fmadd_ps, _mm512_insertf32x8, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_set1_epi32, _mm512_set1_ps,
};

/// AVX-512 with its products of small whole numbers (VNNI), beside AVX2: Intel's servers since 2019 and many of its small
/// machines since 2020, AMD's since 2022. Those before had no VNNI, and slowed down for registers this wide: they do
/// with AVX2. Eight numbers at a time it works as AVX2 does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// Whether this machine has them.
    pub(crate) fn found() -> Option<Self> {
        let found = Avx2::found().is_some()
            && std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512dq")
            && std::arch::is_x86_feature_detected!("avx512vl")
            && std::arch::is_x86_feature_detected!("avx512vnni");
        found.then_some(Self(()))
    }
}

// SAFETY: `found` makes the only values, where AVX2 was found too.
unsafe impl HasAvx2 for Avx512 {}

impl Simd for Avx512 {
    type Two = Joined;
    // A product takes four cycles and two can begin in each: eight sums keep both busy. There are registers for more, but
    // a tile of fourteen would load a twentieth less, and is compiled for minutes.
    const PIXELS: usize = 8;
    const HAS_FAST_PAIRS: bool = true;
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        // SAFETY: `self` is the proof that the features are there, here and in each method below.
        unsafe {
            let probe = self.splat_whole(i32::from_le_bytes(probe.map(i8::cast_unsigned)));
            _mm256_dpbusd_epi32(sums, rows, probe)
        }
    }
    // The forms that saturate: of the ones that wrap the compiler makes a product and an addition again.
    #[inline(always)]
    fn add_pairs(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm256_dpwssds_epi32(sum, a, b) }
    }
}

/// Two blocks in one register.
pub(crate) struct Joined;

impl Wide<Avx512, 2> for Joined {
    type F = __m512;
    type I = __m512i;
    #[inline(always)]
    fn joined(_simd: Avx512, blocks: [__m256; 2]) -> Self::F {
        // SAFETY: an `Avx512` is the proof that the features are there, here and in each method below.
        unsafe { _mm512_insertf32x8::<1>(_mm512_castps256_ps512(blocks[0]), blocks[1]) }
    }
    #[inline(always)]
    fn parted(_simd: Avx512, v: Self::F) -> [__m256; 2] {
        // SAFETY: as above.
        unsafe { [_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v)] }
    }
    #[inline(always)]
    fn parted_whole(_simd: Avx512, v: Self::I) -> [__m256i; 2] {
        // SAFETY: as above.
        unsafe { [_mm512_castsi512_si256(v), _mm512_extracti32x8_epi32::<1>(v)] }
    }
    #[inline(always)]
    fn splat(_simd: Avx512, v: f32) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm512_set1_ps(v) }
    }
    #[inline(always)]
    fn splat_whole(_simd: Avx512, v: i32) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm512_set1_epi32(v) }
    }
    #[inline(always)]
    fn load(_simd: Avx512, from: &[[f32; LANES]; 2]) -> Self::F {
        // SAFETY: as above; the arrays are as long as the register, and the load needs no alignment.
        unsafe { _mm512_loadu_ps(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn load_whole(_simd: Avx512, from: &[[i32; LANES]; 2]) -> Self::I {
        // SAFETY: as above; the arrays are as long as the register, and the load needs no alignment.
        unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn mul_add(_simd: Avx512, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn add_pairs(_simd: Avx512, a: Self::I, b: Self::I, sum: Self::I) -> Self::I {
        // SAFETY: as above.
        unsafe { _mm512_dpwssds_epi32(sum, a, b) }
    }
}
