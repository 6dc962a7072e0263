//! What the executor asks of a device, and no more.
//!
//! `kernels/cuda/device.rs` is one, `emulated.rs` is another: the same launches, on the CPU, for the tests.

use crate::error::ModelError;
use std::ops::Range;

/// A device with memory, kernels and its own order of work.
pub(crate) trait Machine {
    /// A piece of its memory, let go when dropped.
    type Memory;
    /// Launches that were recorded once and are replayed together.
    type Graph;

    /// How many blocks of threads work at a time.
    fn processors(&self) -> usize;

    /// Memory of so many bytes; what is in it is not said.
    fn allocated(&mut self, bytes: usize) -> Result<Self::Memory, ModelError>;

    /// Where a piece begins, as kernels see it: a multiple of 256 at least on a device, of 32 in tests.
    fn address(&self, memory: &Self::Memory) -> u64;

    /// Writes bytes to the beginning of a piece.
    fn fill(&mut self, memory: &mut Self::Memory, bytes: &[u8]) -> Result<(), ModelError>;

    /// Runs the launches and records them; `None` where the device does not record.
    fn recorded(&mut self, launches: &[Launch]) -> Result<Option<Self::Graph>, ModelError>;

    /// Copies `picture` to the beginning of `memory`, runs the launches (`graph` where they are recorded) and gives the
    /// numbers that are then at the bytes `made`.
    fn run(
        &mut self,
        memory: &mut Self::Memory,
        picture: &[f32],
        launches: &[Launch],
        graph: Option<&Self::Graph>,
        made: Range<usize>,
    ) -> Result<&[f32], ModelError>;
}

/// One kernel, launched.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// A name of `kernels/cuda/usher.cu`.
    pub(crate) kernel: String,
    /// Blocks in each direction.
    pub(crate) grid: [u32; 3],
    /// Threads of a block.
    pub(crate) threads: u32,
    pub(crate) places: Places,
    pub(crate) sizes: Sizes,
}

/// Addresses; the order is that of `kernels/cuda/given.cuh`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Places {
    pub(crate) input: u64,
    pub(crate) other: u64,
    /// A value that is added before the activation; 0 where there is none.
    pub(crate) added: u64,
    pub(crate) weight: u64,
    pub(crate) bias: u64,
    pub(crate) slope: u64,
    pub(crate) output: u64,
}

impl Places {
    /// As a kernel takes them.
    pub(crate) fn numbers(&self) -> [u64; 7] {
        [self.input, self.other, self.added, self.weight, self.bias, self.slope, self.output]
    }
}

/// Sizes; the order is that of `kernels/cuda/given.cuh`. Channels are filled up to eights, but for the caller's picture.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) pictures: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) made_height: usize,
    pub(crate) made_width: usize,
    pub(crate) made_channels: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) pad: usize,
    pub(crate) depth: usize,
    pub(crate) slice: usize,
    pub(crate) pixels: usize,
    /// Of channels that are made, the first.
    pub(crate) first: usize,
    /// And their number.
    pub(crate) count: usize,
}

impl Sizes {
    /// As a kernel takes them; none of those that `launches.rs` lets through is greater than an `i32`.
    pub(crate) fn numbers(&self) -> [i32; 15] {
        [
            self.pictures,
            self.height,
            self.width,
            self.channels,
            self.made_height,
            self.made_width,
            self.made_channels,
            self.kernel,
            self.stride,
            self.pad,
            self.depth,
            self.slice,
            self.pixels,
            self.first,
            self.count,
        ]
        .map(|size| i32::try_from(size).unwrap_or(i32::MAX))
    }
}
