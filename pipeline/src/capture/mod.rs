//! Capture: cameras to frames.

pub mod frame;
