//! Blocks of output channels that are summed up together.
//!
//! A register tile keeps sums of one block of eight channels or of two. Two are a register each, or one register of
//! sixteen numbers where there are such: then a product needs half the instructions.

use crate::kernels::simd::{LANES, Simd};

/// Numbers of `N` blocks of eight channels.
pub(crate) trait Wide<S: Simd, const N: usize> {
    /// `N` times eight numbers.
    type F: Copy;
    /// As many whole numbers of 32 bits.
    type I: Copy;
    /// The blocks as one.
    fn joined(simd: S, blocks: [S::F; N]) -> Self::F;
    /// What was joined.
    fn parted(simd: S, v: Self::F) -> [S::F; N];
    /// The same of whole numbers.
    fn parted_whole(simd: S, v: Self::I) -> [S::I; N];
    /// `v` everywhere.
    fn splat(simd: S, v: f32) -> Self::F;
    /// The same of a whole number.
    fn splat_whole(simd: S, v: i32) -> Self::I;
    /// The numbers of `from`.
    fn load(simd: S, from: &[[f32; LANES]; N]) -> Self::F;
    /// The same of whole numbers.
    fn load_whole(simd: S, from: &[[i32; LANES]; N]) -> Self::I;
    /// `a * b + c`.
    fn mul_add(simd: S, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// What [`Simd::add_pairs`] makes of each block.
    fn add_pairs(simd: S, a: Self::I, b: Self::I, sum: Self::I) -> Self::I;
}

/// Every block by itself.
pub(crate) struct Apart;

// Loops, not closures: those are functions of their own, which the compiler may leave without the caller's instructions.
impl<S: Simd, const N: usize> Wide<S, N> for Apart {
    type F = [S::F; N];
    type I = [S::I; N];
    #[inline(always)]
    fn joined(_simd: S, blocks: [S::F; N]) -> Self::F {
        blocks
    }
    #[inline(always)]
    fn parted(_simd: S, v: Self::F) -> [S::F; N] {
        v
    }
    #[inline(always)]
    fn parted_whole(_simd: S, v: Self::I) -> [S::I; N] {
        v
    }
    #[inline(always)]
    fn splat(simd: S, v: f32) -> Self::F {
        [simd.splat(v); N]
    }
    #[inline(always)]
    fn splat_whole(simd: S, v: i32) -> Self::I {
        [simd.splat_whole(v); N]
    }
    #[inline(always)]
    fn load(simd: S, from: &[[f32; LANES]; N]) -> Self::F {
        let mut loaded = [simd.splat(0.0); N];
        for (loaded, from) in loaded.iter_mut().zip(from) {
            *loaded = simd.load(from);
        }
        loaded
    }
    #[inline(always)]
    fn load_whole(simd: S, from: &[[i32; LANES]; N]) -> Self::I {
        let mut loaded = [simd.splat_whole(0); N];
        for (loaded, from) in loaded.iter_mut().zip(from) {
            *loaded = simd.load_whole(from);
        }
        loaded
    }
    #[inline(always)]
    fn mul_add(simd: S, a: Self::F, b: Self::F, mut c: Self::F) -> Self::F {
        for j in 0..N {
            c[j] = simd.mul_add(a[j], b[j], c[j]);
        }
        c
    }
    #[inline(always)]
    fn add_pairs(simd: S, a: Self::I, b: Self::I, mut sum: Self::I) -> Self::I {
        for j in 0..N {
            sum[j] = simd.add_pairs(a[j], b[j], sum[j]);
        }
        sum
    }
}
