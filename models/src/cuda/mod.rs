//! The executor for CUDA devices: a network as launches of our own kernels, recorded once for each size of batch.
//!
//! As on the CPU ([`crate::plan`]): when a network is placed its weights are packed and written to the device once, and
//! neighbours that belong together become one layer ([`lower`]); when a batch of a new size comes, every value gets its
//! place ([`rooms`]) and every layer its launch ([`launches`]). A run copies the picture in, replays the recorded launches
//! as one graph, copies the outputs out, and waits once. Values lie channel by channel, in single or half precision;
//! sums are single. Everything here is safe and knows no driver: what it asks of one is [`machine`].

mod constants;
#[cfg(test)]
mod emulated;
mod launches;
mod lower;
pub(crate) mod machine;
mod packed;
mod rooms;

use crate::{
    compute::Precision, cuda::constants::Constants, cuda::machine::Machine, error::ModelError, forward::Output,
    net::Description, plan::arena::Batch, source::Tensors,
};
use launches::On;
use lower::Lowered;
use machine::Launch;
use rooms::Rooms;
use std::collections::HashMap;

/// Sizes of batch that are kept ready. A site has a handful; a caller with more pays for making them again.
const MOST_READY: usize = 64;

/// A network, placed on a device.
pub(crate) struct Cuda<M: Machine> {
    machine: M,
    lowered: Lowered,
    constants: M::Memory,
    precision: Precision,
    /// The room of whatever batch runs, and its bytes.
    memory: Option<(M::Memory, usize)>,
    ready: HashMap<(usize, usize, usize), Ready<M>>,
}

/// What a size of batch needs.
struct Ready<M: Machine> {
    rooms: Rooms,
    launches: Vec<Launch>,
    graph: Option<M::Graph>,
    /// Read by the last launches, so kept as long.
    _leaving: M::Memory,
}

impl<M: Machine> Cuda<M> {
    /// Places a network; `None` where one of its steps has no kernel here.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the device fails.
    pub(crate) fn new(
        description: &Description,
        tensors: &Tensors,
        precision: Precision,
        mut machine: M,
    ) -> Result<Option<Self>, ModelError> {
        let mut packed = Constants::new(precision);
        let Some(lowered) = lower::lowered(description, tensors, &mut packed) else { return Ok(None) };
        let mut constants = machine.allocated(packed.bytes.len())?;
        machine.fill(&mut constants, &packed.bytes)?;
        Ok(Some(Self { machine, lowered, constants, precision, memory: None, ready: HashMap::new() }))
    }

    /// The outputs for a batch.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when `data` is of another size than `batch` says, or too small or too large for the
    /// network, or the device fails.
    pub(crate) fn run(&mut self, data: &[f32], batch: Batch) -> Result<Vec<Output>, ModelError> {
        let channels = self.lowered.channels[lower::PICTURE];
        if batch.pictures * batch.height * batch.width == 0
            || data.len() != channels * batch.pictures * batch.height * batch.width
        {
            return Err(ModelError::Compute(format!("{} numbers for {batch:?} of {channels} channels", data.len())));
        }
        let key = (batch.pictures, batch.height, batch.width);
        if !self.ready.contains_key(&key) {
            let ready = self.made_ready(batch)?;
            self.ready.insert(key, ready);
        }
        let (Some(ready), Some((memory, _))) = (self.ready.get(&key), &mut self.memory) else {
            return Err(ModelError::Compute("a batch that is not ready".to_owned()));
        };
        let made = ready.rooms.made.clone();
        let mut rest = self.machine.run(memory, data, &ready.launches, ready.graph.as_ref(), made)?;
        let mut outputs = Vec::with_capacity(self.lowered.leaving.len());
        for leaving in &self.lowered.leaving {
            let (of, count) = (ready.rooms.extents[leaving.value], leaving.channels.1);
            let shape =
                if of.is_flat { vec![batch.pictures, count] } else { vec![batch.pictures, count, of.height, of.width] };
            let (data, others) = rest.split_at(shape.iter().product());
            outputs.push(Output { shape, data: data.to_vec() });
            rest = others;
        }
        Ok(outputs)
    }

    fn made_ready(&mut self, batch: Batch) -> Result<Ready<M>, ModelError> {
        let processors = self.machine.processors();
        let parts = |extents: &[rooms::Extent]| launches::parts(&self.lowered, batch, extents, processors);
        let rooms = Rooms::new(&self.lowered, batch, self.precision.bytes(), parts)
            .ok_or_else(|| ModelError::Compute(format!("the network does not take {batch:?}")))?;
        let wanted = rooms.made.end;
        if self.ready.len() >= MOST_READY || self.memory.as_ref().is_none_or(|(_, bytes)| *bytes < wanted) {
            // What is recorded knows the addresses of the old room.
            self.ready.clear();
            self.memory = None;
            self.memory = Some((self.machine.allocated(wanted)?, wanted));
        }
        let bytes = launches::leaving(&self.lowered, batch, &rooms);
        let mut leaving = self.machine.allocated(bytes.len())?;
        self.machine.fill(&mut leaving, &bytes)?;
        let on = On {
            memory: self.memory.as_ref().map_or(0, |(memory, _)| self.machine.address(memory)),
            constants: self.machine.address(&self.constants),
            leaving: self.machine.address(&leaving),
            processors,
            precision: self.precision,
        };
        let launches = launches::launches(&self.lowered, batch, &rooms, on);
        let graph = self.machine.recorded(&launches)?;
        Ok(Ready { rooms, launches, graph, _leaving: leaving })
    }
}

#[cfg(test)]
mod tests;
