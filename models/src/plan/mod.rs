//! The CPU's executor: a network as packed layers over one arena.
//!
//! When a network is placed its weights are packed once, neighbours that belong together become one layer, and layers
//! get their kernels ([`lower`]). When a batch of a new size comes, every value gets its place in one arena, where
//! values that never meet share room ([`arena`]). A run then allocates nothing but its outputs. One thread, on purpose:
//! give each worker its own network.

pub(crate) mod arena;
mod lower;

use crate::{
    error::ModelError,
    forward::Output,
    kernels::{
        blocks::{Padded, from_blocks, pad_blocks, to_blocks},
        chain::{Chained, Link},
        dense::{Pointwise, Windowed},
        depthwise::Filtered,
        linear::Connected,
        pairs::{Paired, Quantised},
        pool::{AddedDoubled, Halved, Scaled},
        simd::isa::Isa,
    },
    net::Description,
};
use arena::{Arena, Batch};
use lower::{Layer, Lowered, PICTURE, Tensors, Work};

/// A network, placed on the CPU.
#[derive(Debug)]
pub(crate) struct Plan {
    lowered: Lowered,
    isa: Isa,
    arena: Arena,
    room: Room,
}

/// What layers need while they work, kept from run to run.
#[derive(Debug, Default)]
struct Room {
    /// Copy of a layer's input with a border of zeros, or rows between two layers.
    border: Vec<f32>,
    quantised: Quantised,
}

impl Plan {
    /// The plan of a description; `None` where one of its steps has no kernel here.
    pub(crate) fn new(description: &Description, tensors: &Tensors, isa: Isa) -> Option<Self> {
        let lowered = lower::lowered(description, tensors, isa.has_fast_pairs())?;
        Some(Self { lowered, isa, arena: Arena::default(), room: Room::default() })
    }

    /// The outputs for a batch.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when `data` is of another size than `batch` says, or too small for the network.
    pub(crate) fn run(&mut self, data: &[f32], batch: Batch) -> Result<Vec<Output>, ModelError> {
        let channels = self.lowered.channels[PICTURE];
        if batch.pictures * batch.height * batch.width == 0
            || data.len() != channels * batch.pictures * batch.height * batch.width
        {
            return Err(ModelError::Compute(format!("{} numbers for {batch:?} of {channels} channels", data.len())));
        }
        if self.arena.batch != Some(batch) {
            self.arena = Arena::new(&self.lowered, batch)
                .ok_or_else(|| ModelError::Compute(format!("the network does not take {batch:?}")))?;
        }
        for layer in &self.lowered.layers {
            run(layer, data, batch, &mut self.arena, &mut self.room, self.isa);
        }
        Ok(self.lowered.leaving.iter().map(|leaving| self.output(*leaving, batch)).collect())
    }

    fn output(&self, leaving: lower::Leaving, batch: Batch) -> Output {
        let (extent, value) = self.arena.value(leaving.value);
        let (first, count) = leaving.channels;
        let (shape, mut data) = if extent.is_flat {
            let rows = value.chunks_exact(extent.of.channels);
            (vec![batch.pictures, count], rows.flat_map(|row| &row[first..first + count]).copied().collect())
        } else {
            let shape = vec![batch.pictures, count, extent.of.height, extent.of.width];
            (shape, from_blocks(value, extent.of.pixels(), batch.pictures, (first, count)))
        };
        if leaving.is_sigmoid {
            data.iter_mut().for_each(|v: &mut f32| *v = 1.0 / (1.0 + (-*v).exp()));
        }
        Output { shape, data }
    }
}

fn run(layer: &Layer, data: &[f32], batch: Batch, arena: &mut Arena, room: &mut Room, isa: Isa) {
    let pictures = batch.pictures;
    let (from, made) = (arena.extent(layer.input), arena.extent(layer.output));
    let size = (from.height, from.width);
    match &layer.work {
        Work::Taken => to_blocks(data, from, pictures, arena.into(layer.output)),
        Work::Chain(links) => {
            let reads_picture = matches!(links.first(), Some(Link::Picture { .. }));
            let (input, out) = if reads_picture {
                (data, arena.into(layer.output))
            } else {
                arena.read_and_write(layer.input, layer.output)
            };
            isa.run(Chained {
                links,
                input,
                pictures,
                size,
                kept: &mut room.border,
                quantised: &mut room.quantised,
                out,
            });
        }
        Work::Dense(op) if op.is_pointwise() => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Pointwise { op, input, pixels: pictures * from.pixels(), out });
        }
        Work::Dense(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            pad_blocks(input, size, op.pad, &mut room.border);
            let padded = Padded { height: from.height + 2 * op.pad, width: from.width + 2 * op.pad };
            isa.run(Windowed { op, input: &room.border, padded, pictures, made: (made.height, made.width), out });
        }
        Work::Pairs(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Paired { op, input, pixels: pictures * from.pixels(), kept: &mut room.quantised, out });
        }
        Work::Depthwise(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Filtered { op, input, pictures, size, out });
        }
        Work::HalveByMax => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Halved { input, size, out });
        }
        Work::AddDoubled => {
            let other = layer.other.unwrap_or(layer.input);
            let (large, small, out) = arena.read_two_and_write((layer.input, other), layer.output);
            isa.run(AddedDoubled { large, small, size, out });
        }
        Work::Affine { scale, shift } => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Scaled { input, scale, shift, out });
        }
        Work::Linear(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Connected { op, input, pictures, out });
        }
    }
}

#[cfg(test)]
mod tests;
