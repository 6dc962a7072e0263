//! Section `infer`: how pixels become numbers.

use crate::value::Size;

/// Networks, device and sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Infer {
    /// Default `auto`.
    pub device: Device,
    /// Row of the detectors' table. Default `yunet`.
    pub detector: String,
    /// Row of the embedders' table. Default `sface`.
    pub embedder: String,
    /// The detector's input; both sides multiples of 32. Default 640x384.
    pub input: Size,
    /// Least detector confidence, 0.3..=0.9. Default 0.6.
    pub confidence: f32,
    /// Least distance between the eyes of a face worth embedding, in frame pixels, 16..=200. Default 20.
    pub inter_eye_px: f32,
}

/// Where networks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Device {
    /// CUDA where it is there, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number, or refuse to start.
    Cuda(usize),
}
