//! The door to devices: nothing else opens one.

use crate::error::ModelError;
use candle_core::Device;

/// Where networks shall run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Choice {
    /// The first CUDA device where there is one, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA device of this number.
    Cuda(usize),
}

/// In which precision a CUDA device keeps values and weights; sums are single precision in either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32 bits.
    #[default]
    Full,
    /// 16 bits: half the memory, and the device's matrix units. Templates of both kinds compare, with a little noise.
    Half,
}

impl Precision {
    /// Bytes of a number.
    #[cfg(any(feature = "cuda", test))]
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Full => 4,
            Self::Half => 2,
        }
    }
}

/// An open device, and how networks are computed on it.
///
/// On the CPU a network runs on the calling thread alone: give each worker its own networks instead of giving one
/// network several threads.
#[derive(Clone, Debug)]
pub struct Compute {
    device: Device,
    plain: bool,
    precision: Precision,
    graphs: bool,
}

impl Compute {
    /// Opens the device.
    ///
    /// # Errors
    /// [`ModelError::Device`] when a CUDA device was asked for by number and is not there, or this build has no CUDA.
    pub fn open(choice: Choice) -> Result<Self, ModelError> {
        let device = match choice {
            Choice::Cpu => Device::Cpu,
            Choice::Cuda(number) => cuda(number)
                .map_err(|error| ModelError::Device { asked: format!("cuda:{number}"), why: first_line(&error) })?,
            Choice::Auto => cuda(0).unwrap_or_else(|error| {
                tracing::debug!(why = %first_line(&error), "no cuda device, the CPU computes");
                Device::Cpu
            }),
        };
        Ok(Self { device, plain: false, precision: Precision::Full, graphs: true })
    }

    /// The same device, its values in another precision. The CPU computes in full precision whatever is chosen.
    #[must_use]
    pub fn in_precision(self, precision: Precision) -> Self {
        let precision = if self.device.is_cuda() { precision } else { Precision::Full };
        Self { precision, ..self }
    }

    /// The same device without recording a network's launches as one CUDA graph: to see what recording gains.
    #[must_use]
    pub fn without_graphs(self) -> Self {
        Self { graphs: false, ..self }
    }

    /// The CPU with stock candle operators only: slow, the reference that the fast kernels are tested against.
    pub fn plain() -> Self {
        Self { device: Device::Cpu, plain: true, precision: Precision::Full, graphs: true }
    }

    /// Its name as in the configuration: `cpu` or `cuda`.
    pub fn name(&self) -> &'static str {
        if self.device.is_cuda() { "cuda" } else { "cpu" }
    }

    /// In which precision its values are.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Whether a CUDA device records a network's launches.
    pub fn has_graphs(&self) -> bool {
        self.graphs
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Whether our own CPU kernels compute.
    pub(crate) fn is_fast(&self) -> bool {
        self.device.is_cpu() && !self.plain
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that opens devices")]
fn cuda(number: usize) -> candle_core::Result<Device> {
    // A stream of its own: what one thread makes on the stream of each thread, another could read too early.
    let device = Device::new_cuda_with_stream(number)?;
    // A driver older than the kernels refuses them: better heard here, where the CPU is still a choice.
    #[cfg(feature = "cuda")]
    crate::kernels::cuda::device::Gpu::new(device.as_cuda_device()?, false).map_err(candle_core::Error::wrap)?;
    Ok(device)
}

/// Without the back trace that candle appends.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_always_opens_something() {
        let compute = Compute::open(Choice::Auto).unwrap();
        assert!(["cpu", "cuda"].contains(&compute.name()));
    }

    #[test]
    fn a_cuda_device_that_is_not_there_says_what_to_write_instead() {
        let error = Compute::open(Choice::Cuda(63)).unwrap_err().to_string();
        assert!(error.contains("cuda:63") && error.contains("device: cpu"), "{error}");
    }
}
