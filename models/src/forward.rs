//! The forward pass: a description and its weights on a device.
//!
//! One description, three executors: on the CPU packed layers over an arena (`plan`), on a CUDA device our kernels as one
//! graph (`cuda`), and where either has no kernel for a step, stock candle operators (`plain`). `tests/golden.rs` holds
//! all of them to the same reference.

use crate::{
    compute::Compute,
    error::ModelError,
    kernels::simd::isa::Isa,
    plain::Plain,
    plan::{Plan, arena::Batch},
    weights::store::Stored,
};
#[cfg(feature = "cuda")]
use crate::{cuda::Cuda, kernels::cuda::device::Gpu};

/// A value that leaves a network.
#[derive(Debug)]
pub struct Output {
    /// Its dimensions, the batch first.
    pub shape: Vec<usize>,
    /// Its numbers, row-major.
    pub data: Vec<f32>,
}

/// A network on a device.
pub struct Network(Executor);

enum Executor {
    Plan(Box<Plan>),
    #[cfg(feature = "cuda")]
    Cuda(Box<Cuda<Gpu>>),
    Plain(Plain),
}

impl Network {
    /// Places a network on a device.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the description names a value or tensor that is not there, or one of another shape.
    pub fn new(stored: Stored, compute: &Compute) -> Result<Self, ModelError> {
        if compute.is_fast() {
            match Plan::new(&stored.description, &stored.tensors, Isa::best()) {
                Some(plan) => return Ok(Self(Executor::Plan(Box::new(plan)))),
                None => {
                    tracing::warn!(network = %stored.description.name, "no kernels for a step of it: it will be slow");
                }
            }
        }
        #[cfg(feature = "cuda")]
        if compute.device().is_cuda() {
            let gpu = Gpu::new(compute.device().as_cuda_device()?, compute.has_graphs())?;
            match Cuda::new(&stored.description, &stored.tensors, compute.precision(), gpu)? {
                Some(cuda) => return Ok(Self(Executor::Cuda(Box::new(cuda)))),
                None => {
                    tracing::warn!(network = %stored.description.name, "no kernels for a step of it: it will be slow");
                }
            }
        }
        Ok(Self(Executor::Plain(Plain::new(stored, compute.device())?)))
    }

    /// The outputs for a batch: `data` is `(batch, channels, height, width)`.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when lengths do not fit, or the device fails.
    pub fn forward(
        &mut self,
        data: &[f32],
        batch: usize,
        height: usize,
        width: usize,
    ) -> Result<Vec<Output>, ModelError> {
        match &mut self.0 {
            Executor::Plan(plan) => plan.run(data, Batch { pictures: batch, height, width }),
            #[cfg(feature = "cuda")]
            Executor::Cuda(cuda) => cuda.run(data, Batch { pictures: batch, height, width }),
            Executor::Plain(plain) => plain.forward(data, batch, height, width),
        }
    }
}
