//! The CUDA kernels, and the device that launches them.
//!
//! `usher.cu` names them all. `build.rs` compiles it to PTX for the `cuda` feature; `emulator.cpp` runs the same lines on
//! the CPU in the tests of [`crate::cuda`], which is the portable twin that stock operators are compared with.

pub(crate) mod device;
