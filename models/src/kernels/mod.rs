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
