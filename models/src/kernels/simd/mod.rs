//! Instruction sets: one body, compiled for each, chosen at run time.
//!
//! Two ways in. Bodies of plain loops that the compiler vectorises by itself are [`loops::Lanes`]. Bodies that must hold
//! certain numbers in certain registers are [`Work`], written over [`Simd`], eight `f32` at a time or two blocks of
//! eight, and run by an [`isa::Isa`]. The portable form of either is the twin that the property tests compare with.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod isa;
pub(crate) mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
pub(crate) mod wide;

use wide::Wide;

/// Numbers in one register, or in as few as hold them.
pub(crate) const LANES: usize = 8;

/// Bytes of one row that lie side by side, before those of the next row.
pub(crate) const RUN: usize = 4;
/// The greatest magnitude of a number of a row in eight bits.
pub(crate) const ROW_STEPS: i8 = 127;
/// The greatest magnitude of a number of a probe in eight bits. Two of its products are added in sixteen bits, on AVX2
/// with rows made unsigned: 2 · 255 · 63 is less than 32 767, so nothing saturates.
pub(crate) const PROBE_STEPS: i8 = 63;

/// Eight numbers at a time. A value of an implementing type is the proof that this machine has the instructions.
pub(crate) trait Eight: Copy {
    /// Eight numbers.
    type F: Copy;
    /// [`RUN`] bytes of each of eight rows.
    type Bytes: Copy;
    /// Eight sums of integers, one of each row.
    type Sums: Copy;
    /// Eight whole numbers of 32 bits.
    type I: Copy;
    /// Eight times `v`.
    fn splat(self, v: f32) -> Self::F;
    /// The eight numbers of `from`.
    fn load(self, from: &[f32; LANES]) -> Self::F;
    /// Eight half-precision numbers, widened.
    fn widen(self, from: &[u16; LANES]) -> Self::F;
    /// Writes eight numbers.
    fn store(self, v: Self::F, into: &mut [f32; LANES]);
    /// `a * b + c`.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// The greater of both.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// `v` where it is positive, `slope * v` where it is not.
    fn bend(self, v: Self::F, slope: Self::F) -> Self::F;
    /// Which of eight numbers are greater than those of `least`: bit 0 for the first.
    fn over(self, v: Self::F, least: Self::F) -> u8;
    /// The bytes of eight rows, each in `-ROW_STEPS..=ROW_STEPS`.
    fn bytes(self, from: &[i8; RUN * LANES]) -> Self::Bytes;
    /// Asks memory for what lies `ahead` bytes behind `from`; it need not be there.
    fn prefetch(self, from: &[i8; RUN * LANES], ahead: usize);
    /// Sums before any product, for a probe whose bytes add up to `total`.
    fn begin(self, total: i32) -> Self::Sums;
    /// The sums, after the products with every byte of the probe.
    fn finish(self, sums: Self::Sums) -> Self::F;
    /// The lesser of both.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// As many whole numbers, for those of less than 2²⁴ exactly.
    fn float(self, v: Self::I) -> Self::F;
    /// The whole parts of numbers of 0 to 2³¹.
    fn whole(self, v: Self::F) -> Self::I;
    /// `a · times + b`, modulo 2³².
    fn times_add(self, a: Self::I, times: i32, b: Self::I) -> Self::I;
    /// The numbers in the bits that `mask` has, after a shift to the right by `SHIFT`.
    fn field<const SHIFT: i32>(self, v: Self::I, mask: i32) -> Self::F;
    /// Four bytes from each of `at` on, the first in the lowest bits. Bytes that are not there are zero.
    fn gather(self, from: &[u8], at: Self::I) -> Self::I;
    /// The four bytes from each of `at` on, and the next four; zeros where the eight are not all there.
    fn gather_two(self, from: &[u8], at: Self::I) -> [Self::I; 2];
    /// `a + b`.
    fn add_whole(self, a: Self::I, b: Self::I) -> Self::I;
    /// Eight times `v`.
    fn splat_whole(self, v: i32) -> Self::I;
    /// The eight numbers of `from`.
    fn load_whole(self, from: &[i32; LANES]) -> Self::I;
    /// The sum of eight numbers.
    fn sum(self, v: Self::F) -> f32;
    /// `v · times`, rounded to sixteen bits, two numbers in each of `into`.
    fn narrow(self, v: Self::F, times: Self::F, into: &mut [i32; LANES / 2]);
    /// `a₀ + a₁, a₂ + a₃, b₀ + b₁, b₂ + b₃` of the first halves, then of the second.
    fn add_neighbours(self, a: Self::I, b: Self::I) -> Self::I;
    /// Eight sums of two products: those numbers of two windows that `picks` names, byte by byte (0 to 15), times the
    /// weights. The first half is of the first window, the second of the other; a window is the eight numbers of `row` at
    /// its start, or the last eight where there are not as many. No sum may be 2³¹; a row of less than eight gives zeros.
    fn products(self, row: &[i16], starts: [u32; 2], picks: &[u8; 4 * LANES], weights: &[i16; 2 * LANES]) -> Self::I;
}

/// What work is written over: [`Eight`], products of small whole numbers, and two blocks at once.
pub(crate) trait Simd: Eight {
    /// Two blocks of output channels.
    type Two: Wide<Self, 2>;
    /// Most pixels of a register tile of two blocks.
    const PIXELS: usize;
    /// Whether sixteen bits are multiplied at twice the rate of `f32`.
    const HAS_FAST_PAIRS: bool;
    /// To each sum the products of a row's bytes with those of the probe, each in `-PROBE_STEPS..=PROBE_STEPS`.
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums;
    /// `sum` plus the product of the lower halves of `a` and `b` plus that of their upper halves, each of sixteen bits with
    /// a sign. No sum may leave 32 bits: some instructions wrap there, some saturate.
    fn add_pairs(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I;
}

/// Work written over [`Simd`].
pub(crate) trait Work {
    /// Does the work. Mark implementations, and all they call with an `S`, `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S);
}
