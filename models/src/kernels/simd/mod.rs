//! Instruction sets: one body, compiled for each, chosen at run time.
//!
//! Two ways in. Bodies of plain loops that the compiler vectorises by itself are [`loops::Lanes`]. Bodies that must hold
//! certain numbers in certain registers are [`Work`], written over [`Simd`], eight `f32` at a time, and run by an
//! [`isa::Isa`]. The portable form of either is the twin that the property tests compare with.

#[cfg(target_arch = "x86_64")]
mod avx2;
pub(crate) mod isa;
pub(crate) mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

/// Numbers in one register, or in as few as hold them.
pub(crate) const LANES: usize = 8;

/// Bytes of one row that lie side by side, before those of the next row.
pub(crate) const RUN: usize = 4;
/// The greatest magnitude of a number of a row in eight bits.
pub(crate) const ROW_STEPS: i8 = 127;
/// The greatest magnitude of a number of a probe in eight bits. Two of its products are added in sixteen bits, on AVX2
/// with rows made unsigned: 2 · 255 · 63 is less than 32 767, so nothing saturates.
pub(crate) const PROBE_STEPS: i8 = 63;

/// Eight `f32` at a time, and eight sums of products of bytes. A value of an implementing type is the proof that this machine has the instructions.
pub(crate) trait Simd: Copy {
    /// Eight numbers.
    type F: Copy;
    /// [`RUN`] bytes of each of eight rows.
    type Bytes: Copy;
    /// Eight sums of integers, one of each row.
    type Sums: Copy;
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
    /// To each sum the products of a row's bytes with those of the probe, each in `-PROBE_STEPS..=PROBE_STEPS`.
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums;
    /// The sums, after the products with every byte of the probe.
    fn finish(self, sums: Self::Sums) -> Self::F;
}

/// Work written over [`Simd`].
pub(crate) trait Work {
    /// Does the work. Mark implementations, and all they call with an `S`, `#[inline(always)]`.
    fn run<S: Simd>(self, simd: S);
}
