//! The fast CPU operators: the only place of `unsafe`.
//!
//! Each is a candle `CustomOp` over contiguous `(B, C, H, W)` f32, single-threaded on purpose: one network per worker
//! uses the cores better than several threads inside a network. Plain candle ops (`forward.rs`) are their twin.
#![expect(unsafe_code, reason = "SIMD by target feature, and matrix products by pointer; each use has a SAFETY line")]

pub(crate) mod dense;
pub(crate) mod depthwise;
pub(crate) mod epilogue;
pub(crate) mod pool;
pub(crate) mod rows;
pub(crate) mod simd;

/// Numbers of −1..=1, always the same for a seed.
#[cfg(test)]
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.random_range(-1f32..1.0)).collect()
}

/// Whether two runs of numbers are as near as sums in another order are.
#[cfg(test)]
fn near(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + b.abs()))
}
