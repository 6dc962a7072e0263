//! The fast operators: the only place of `unsafe`.
//!
//! Each works on slices of `f32` in blocks of eight channels ([`blocks`]), on the calling thread. Stock candle operators
//! (`plain.rs`) are what their tests compare with. Only `simd` holds any `unsafe`: everything above it is checked slices.
//! Those of CUDA devices are in `cuda`, whose `device` holds the rest of it.
#![expect(unsafe_code, reason = "SIMD by target feature, launches on a device; each use has a SAFETY line")]

pub(crate) mod across;
pub(crate) mod aligned;
pub(crate) mod blocks;
pub(crate) mod chain;
pub(crate) mod combine;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
pub(crate) mod dense;
pub(crate) mod depthwise;
pub(crate) mod epilogue;
pub(crate) mod linear;
pub(crate) mod pairs;
pub(crate) mod pool;
pub(crate) mod residual;
pub(crate) mod rows;
pub(crate) mod scale;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod tile;
pub(crate) mod transform;
pub(crate) mod warp;
pub(crate) mod window;
pub(crate) mod winograd;

/// Numbers of −1..=1, always the same for a seed.
#[cfg(test)]
pub(crate) fn numbers(n: usize, seed: u64) -> Vec<f32> {
    use rand::{RngExt as _, SeedableRng as _};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| random.random_range(-1f32..1.0)).collect()
}

/// Whether two runs of numbers are as near as sums in another order are.
#[cfg(test)]
pub(crate) fn near(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-4 * (1.0 + b.abs()))
}
