//! The CPU's executor: a network as packed layers over one arena.
//!
//! When a network is placed its weights are packed once, neighbours that belong together become one layer, and layers
//! get their kernels ([`lower`], [`convs`]). When a batch of a new size comes, every value gets its place in one arena,
//! where values that never meet share room ([`arena`]). A run then allocates nothing but its outputs. One thread, on
//! purpose: give each worker its own network.

pub(crate) mod arena;
mod convs;
mod lower;

use crate::{
    error::ModelError,
    forward::Output,
    kernels::{
        aligned::Aligned,
        blocks::{Padded, from_blocks, pad_blocks, pad_scaled, to_blocks},
        chain::{Chained, Link},
        combine::{Added, Averaged, Gated, join, sigmoid},
        dense::{Pointwise, Windowed},
        depthwise::Filtered,
        linear::Connected,
        pairs::{Paired, Quantised},
        pool::{AddedDoubled, Halved, Scaled},
        simd::isa::Isa,
        window::Slid,
        winograd::Tiled,
    },
    net::Description,
    source::{Ending, Tensors},
};
use arena::{Arena, Batch};
use lower::{Layer, Lowered, PICTURE, Work};

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
    /// Tiles between Winograd's transforms, as many as the layer that wants most.
    tiles: Aligned,
}

impl Plan {
    /// The plan of a description; `None` where one of its steps has no kernel here.
    pub(crate) fn new(description: &Description, tensors: &Tensors, isa: Isa) -> Option<Self> {
        let lowered = lower::lowered(description, tensors, isa.has_fast_pairs())?;
        let tiles = lowered.layers.iter().map(|layer| match &layer.work {
            Work::Winograd { op, .. } => op.room(),
            _ => 0,
        });
        let room = Room { tiles: Aligned::zeros(tiles.max().unwrap_or(0)), ..Room::default() };
        Some(Self { lowered, isa, arena: Arena::default(), room })
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
            let map = [batch.pictures, count, extent.of.height, extent.of.width];
            let shape = if leaving.is_row { map[..2].to_vec() } else { map.to_vec() };
            (shape, from_blocks(value, extent.of.pixels(), batch.pictures, (first, count)))
        };
        match leaving.ending {
            Ending::Plain => {}
            Ending::Sigmoid => data.iter_mut().for_each(|v: &mut f32| *v = sigmoid(*v)),
            Ending::Softmax(classes) => {
                let pixels = extent.of.pixels();
                data.chunks_exact_mut(classes * pixels).for_each(|run| softmax(run, pixels));
            }
        }
        Output { shape, data }
    }
}

/// Over the classes of each pixel of `(classes, pixels)`.
fn softmax(run: &mut [f32], pixels: usize) {
    for pixel in 0..pixels {
        let most = run[pixel..].iter().step_by(pixels).fold(f32::MIN, |most, v| most.max(*v));
        let mut sum = 0.0;
        for v in run[pixel..].iter_mut().step_by(pixels) {
            *v = (*v - most).exp();
            sum += *v;
        }
        run[pixel..].iter_mut().step_by(pixels).for_each(|v| *v /= sum);
    }
}

fn run(layer: &Layer, data: &[f32], batch: Batch, arena: &mut Arena, room: &mut Room, isa: Isa) {
    let Room { border, quantised, tiles } = room;
    let pictures = batch.pictures;
    let (from, made) = (arena.extent(layer.input), arena.extent(layer.output));
    let size = (from.height, from.width);
    match &layer.work {
        Work::Taken => to_blocks(data, from, pictures, arena.into(layer.output)),
        Work::Chain(links) => {
            let reads_picture = matches!(links.first(), Some(Link::Picture { .. }));
            let values = layer.read().skip(usize::from(reads_picture));
            let (mut read, out) = arena.read_all_and_write(values, layer.output);
            if reads_picture {
                read.insert(0, data);
            }
            let (input, residual) = (read[0], read.get(1).copied());
            isa.run(Chained { links, input, pictures, size, kept: border, quantised, residual, out });
        }
        Work::Dense(op) | Work::Row(op) if op.is_pointwise() => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            let residual = read.get(1).copied();
            isa.run(Pointwise { op, input: read[0], pixels: pictures * from.pixels(), residual, out });
        }
        Work::Dense(op) | Work::Row(op) | Work::Scaled { op, .. } => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            match &layer.work {
                Work::Scaled { scale, shift, .. } => pad_scaled(read[0], size, op.pad, (scale, shift), border),
                _ => pad_blocks(read[0], size, op.pad, border),
            }
            let padded = Padded { height: from.height + 2 * op.pad, width: from.width + 2 * op.pad };
            let (made, residual) = ((made.height, made.width), read.get(1).copied());
            isa.run(Windowed { op, input: border, padded, pictures, made, residual, out });
        }
        Work::Winograd { op, before } => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            let before = before.as_ref().map(|(scale, shift)| (&scale[..], &shift[..]));
            let (input, residual) = (read[0], read.get(1).copied());
            isa.run(Tiled { op, input, before, pictures, size, residual, room: tiles, out });
        }
        Work::Window(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            let padded = Padded { height: from.height + 2 * op.pad, width: from.width + 2 * op.pad };
            let input = if op.pad == 0 {
                input
            } else {
                pad_blocks(input, size, op.pad, border);
                border
            };
            isa.run(Slid { op, input, padded, pictures, made: (made.height, made.width), out });
        }
        Work::Pairs(op) => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            let (input, residual) = (read[0], read.get(1).copied());
            isa.run(Paired { op, input, pixels: pictures * from.pixels(), residual, kept: quantised, out });
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
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            isa.run(AddedDoubled { large: read[0], small: read[1], size, out });
        }
        Work::Add { slope } => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            isa.run(Added { a: read[0], b: read[1], slope, out });
        }
        Work::Concat(channels) => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            let values: Vec<_> = read.into_iter().zip(channels.iter().copied()).collect();
            join(&values, pictures * from.pixels(), out);
        }
        Work::GlobalMean => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Averaged { input, pixels: from.pixels(), out });
        }
        Work::ScaleBy => {
            let (read, out) = arena.read_all_and_write(layer.read(), layer.output);
            let plus = read.get(2).copied();
            isa.run(Gated { input: read[0], by: read[1], plus, pixels: from.pixels(), out });
        }
        Work::Affine { scale, shift, slope } => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Scaled { input, scale, shift, slope, out });
        }
        Work::Sigmoid => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            out.iter_mut().zip(input).for_each(|(out, v)| *out = sigmoid(*v));
        }
        Work::Linear(op) => {
            let (input, out) = arena.read_and_write(layer.input, layer.output);
            isa.run(Connected { op, input, pictures, out });
        }
    }
}

#[cfg(test)]
mod tests;
