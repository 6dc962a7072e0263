//! From the layers and rooms of a batch to launches.

use crate::{
    compute::Precision,
    cuda::{
        constants::filled,
        lower::{Layer, Lowered, PICTURE, Work},
        machine::{Launch, Places, Sizes},
        packed::Packed,
        rooms::{Extent, Rooms},
    },
    plan::arena::Batch,
    source::Ending,
};

/// Threads of a block of every kernel but the mixing ones.
const THREADS: u32 = 128;
/// Partial sums have this many products at least: fewer would leave more time for adding them up than they save.
const SHORTEST_SLICE: usize = 128;
/// A slice is a multiple of what a block reads at once.
const STEP: usize = 32;
/// Slices at most.
const MOST_SLICES: usize = 64;

/// How a matrix product is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    /// Pixels and channels of a block.
    tile: (usize, usize),
    /// Blocks by pixels, by channels, by products.
    grid: (usize, usize, usize),
    /// Products of a block.
    slice: usize,
}

impl Cut {
    /// Large tiles where they fill the device, smaller ones where not, and slices where those do not either.
    fn new(pixels: usize, channels: usize, depth: usize, processors: usize) -> Self {
        let across = [16, 32, 64].into_iter().find(|across| channels <= *across).unwrap_or(64);
        let grid = |tile: (usize, usize)| (pixels.div_ceil(tile.0), channels.div_ceil(tile.1));
        let blocks = |tile| grid(tile).0 * grid(tile).1;
        let mut tile = (128, across);
        if blocks(tile) < processors && blocks((32, 32)) > blocks(tile) {
            tile = (32, 32);
        }
        let wanted = (2 * processors).div_ceil(blocks(tile)).min(MOST_SLICES).min(depth / SHORTEST_SLICE);
        let is_sliced = blocks(tile) < processors && wanted > 1;
        let slice = if is_sliced { depth.div_ceil(wanted).next_multiple_of(STEP) } else { depth };
        let (down, across) = grid(tile);
        Self { tile, grid: (down, across, depth.div_ceil(slice)), slice }
    }

    fn is_sliced(&self) -> bool {
        self.grid.2 > 1
    }

    fn threads(&self, precision: Precision) -> u32 {
        match (self.tile, precision) {
            ((128, 64), _) => 256,
            ((32, 32), Precision::Full) => 64,
            _ => 128,
        }
    }
}

/// Where things are on the device, and how large it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct On {
    pub(super) memory: u64,
    pub(super) constants: u64,
    pub(super) leaving: u64,
    pub(super) processors: usize,
    pub(super) precision: Precision,
}

/// Partial sums at most, of all layers.
pub(super) fn parts(lowered: &Lowered, batch: Batch, extents: &[Extent], processors: usize) -> usize {
    let of = |layer: &Layer| {
        let product = product(layer, extents, batch)?;
        let cut = Cut::new(product.pixels, product.channels, product.depth, processors);
        cut.is_sliced().then_some(cut.grid.2 * product.pixels * product.channels)
    };
    lowered.layers.iter().filter_map(of).max().unwrap_or(0)
}

/// A layer as a matrix product.
struct Product<'a> {
    op: &'a Packed,
    pixels: usize,
    channels: usize,
    depth: usize,
    /// Whether its products lie in its input as they are.
    is_pointwise: bool,
}

fn product<'a>(layer: &'a Layer, extents: &[Extent], batch: Batch) -> Option<Product<'a>> {
    let (from, made) = (extents[layer.input], extents[layer.output]);
    let pixels = batch.pictures * made.pixels();
    match &layer.work {
        Work::Mix(op) => {
            let is_pointwise = (op.kernel, op.stride, op.pad) == (1, 1, 0);
            let depth = op.kernel * op.kernel * from.channels;
            Some(Product { op, pixels, channels: made.channels, depth, is_pointwise })
        }
        Work::Linear { op, .. } => {
            let depth = from.pixels() * from.channels;
            Some(Product { op, pixels, channels: made.channels, depth, is_pointwise: true })
        }
        _ => None,
    }
}

/// The launches of a batch, in their order.
pub(super) fn launches(lowered: &Lowered, batch: Batch, rooms: &Rooms, on: On) -> Vec<Launch> {
    let mut launches: Vec<Launch> =
        lowered.layers.iter().flat_map(|layer| of_layer(layer, lowered, batch, rooms, on)).collect();
    let mut rows = on.leaving;
    for (value, _) in departures(lowered) {
        let of = rooms.extents[value];
        let (input, output) = (on.memory + rooms.places[value] as u64, on.memory + rooms.made.start as u64);
        let places = Places { input, other: rows, output, ..Places::default() };
        let sizes = sizes(of, of, batch);
        launches.push(each("leave", on, sizes.pixels * of.channels, places, sizes));
        rows += (of.channels * size_of::<[i32; 4]>()) as u64;
    }
    launches
}

/// Values that leave, and which of [`Lowered::leaving`] each does: one launch each. A channel leaves by a launch once; one
/// that leaves twice, plain and through a sigmoid, has a second launch.
fn departures(lowered: &Lowered) -> Vec<(usize, Vec<usize>)> {
    let channels = |index: usize| {
        let (first, count) = lowered.leaving[index].channels;
        first..first + count
    };
    let meet = |a: usize, b: usize| channels(a).start.max(channels(b).start) < channels(a).end.min(channels(b).end);
    let mut departures: Vec<(usize, Vec<usize>)> = Vec::new();
    for (index, leaving) in lowered.leaving.iter().enumerate() {
        let is_free = |others: &[usize]| others.iter().all(|other| !meet(*other, index));
        match departures.iter_mut().find(|(value, others)| *value == leaving.value && is_free(others)) {
            Some((_, others)) => others.push(index),
            None => departures.push((leaving.value, vec![index])),
        }
    }
    departures
}

/// Where each channel of each value that leaves goes, as the kernel `leave` reads it: the first number of its output, its
/// place among the output's channels, their number, and through what: 0 nothing, -1 a sigmoid, else a softmax over so many.
pub(super) fn leaving(lowered: &Lowered, batch: Batch, rooms: &Rooms) -> Vec<u8> {
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let mut end = 0;
    let mut begins = Vec::with_capacity(lowered.leaving.len());
    for leaving in &lowered.leaving {
        begins.push(end);
        end += batch.pictures * leaving.channels.1 * rooms.extents[leaving.value].pixels();
    }
    let rows = departures(lowered).into_iter().flat_map(|(value, indices)| {
        let mut rows = vec![[0; 4]; rooms.extents[value].channels];
        for index in indices {
            let (first, count) = lowered.leaving[index].channels;
            let ending = match lowered.leaving[index].ending {
                Ending::Plain => 0,
                Ending::Sigmoid => -1,
                Ending::Softmax(classes) => number(classes),
            };
            for (place, row) in rows[first..first + count].iter_mut().enumerate() {
                *row = [number(begins[index]), number(place), number(count), ending];
            }
        }
        rows
    });
    rows.flatten().flat_map(i32::to_le_bytes).collect()
}

fn sizes(from: Extent, made: Extent, batch: Batch) -> Sizes {
    Sizes {
        pictures: batch.pictures,
        height: from.height,
        width: from.width,
        channels: from.channels,
        made_height: made.height,
        made_width: made.width,
        made_channels: made.channels,
        pixels: batch.pictures * made.pixels(),
        ..Sizes::default()
    }
}

fn named(kernel: &str, precision: Precision) -> String {
    let precision = match precision {
        Precision::Full => "single",
        Precision::Half => "half",
    };
    format!("{kernel}_{precision}")
}

/// A kernel whose threads know nothing of each other.
fn each(kernel: &str, on: On, count: usize, places: Places, sizes: Sizes) -> Launch {
    let blocks = u32::try_from(count.div_ceil(THREADS as usize)).unwrap_or(u32::MAX);
    Launch { kernel: named(kernel, on.precision), grid: [blocks, 1, 1], threads: THREADS, places, sizes }
}

fn of_layer(layer: &Layer, lowered: &Lowered, batch: Batch, rooms: &Rooms, on: On) -> Vec<Launch> {
    let (from, made) = (rooms.extents[layer.input], rooms.extents[layer.output]);
    let place = |value: usize| on.memory + if value == PICTURE { 0 } else { rooms.places[value] as u64 };
    let constant = |place: usize| on.constants + place as u64;
    let mut places = Places { input: place(layer.input), output: place(layer.output), ..Places::default() };
    let mut sizes = sizes(from, made, batch);
    let packed = |places: &mut Places, sizes: &mut Sizes, op: &Packed| {
        (places.weight, places.bias, places.slope) = (constant(op.weight), constant(op.bias), constant(op.slope));
        (sizes.kernel, sizes.stride, sizes.pad) = (op.kernel, op.stride, op.pad);
    };
    // 16 bytes of channels a thread.
    let wide = on.precision.bytes() * made.channels / 16;
    let pixels = sizes.pixels;
    let others: Vec<u64> = layer.others.iter().map(|value| place(*value)).collect();
    let other = |index: usize| others.get(index).copied().unwrap_or(0);
    let one = |kernel, count, places, sizes| vec![each(kernel, on, count, places, sizes)];
    match &layer.work {
        Work::Mix(_) | Work::Linear { .. } => {
            let Some(product) = product(layer, &rooms.extents, batch) else { return Vec::new() };
            packed(&mut places, &mut sizes, product.op);
            (sizes.depth, places.added) = (product.depth, other(0));
            mixed(&product, places, sizes, on.memory + rooms.parts as u64, on)
        }
        Work::Colours { op, scale } => {
            packed(&mut places, &mut sizes, op);
            places.other = constant(*scale);
            one("colours", pixels * made.channels / 8, places, sizes)
        }
        Work::Taken => one("take", pixels, places, sizes),
        Work::Filter(op) => {
            packed(&mut places, &mut sizes, op);
            let of_rows = batch.pictures * made.height * made.width.div_ceil(4) * wide;
            // Four neighbours a thread where that leaves every processor enough threads to hide its memory behind.
            let is_large = of_rows >= on.processors * 512;
            match (op.kernel, op.stride, is_large) {
                (3, 1, true) => one("filter_3x3_by_1", of_rows, places, sizes),
                (3, 2, true) => one("filter_3x3_by_2", of_rows, places, sizes),
                (3, 1, false) => one("filter_3x3_by_1_small", pixels * wide, places, sizes),
                (3, 2, false) => one("filter_3x3_by_2_small", pixels * wide, places, sizes),
                _ => one("filter_any", pixels * wide, places, sizes),
            }
        }
        Work::HalveByMax => one("halve_by_max", pixels * wide, places, sizes),
        Work::AddDoubled => {
            places.other = other(0);
            one("add_doubled", pixels * wide, places, sizes)
        }
        Work::Add { slope } => {
            (places.added, places.slope) = (other(0), constant(*slope));
            one("add", pixels * wide, places, sizes)
        }
        Work::Concat(channels) => {
            let mut launches = Vec::with_capacity(channels.len());
            for (index, (value, count)) in layer.read().zip(channels).enumerate() {
                (places.input, sizes.channels) = (place(value), rooms.extents[value].channels);
                // The last one fills up.
                let is_last = index + 1 == channels.len();
                sizes.count = if is_last { made.channels - sizes.first } else { *count };
                launches.push(each("join", on, pixels * sizes.count, places, sizes));
                sizes.first += count;
            }
            launches
        }
        Work::GlobalMean => {
            // A block for each run of channels of each picture.
            vec![each("global_mean", on, batch.pictures * wide * THREADS as usize, places, sizes)]
        }
        Work::ScaleBy => {
            (places.other, places.added) = (other(0), other(1));
            one("scale_by", pixels * wide, places, sizes)
        }
        Work::Affine { scale, shift, slope } => {
            (places.weight, places.bias, places.slope) = (constant(*scale), constant(*shift), constant(*slope));
            one("affine", pixels * wide, places, sizes)
        }
        Work::Sigmoid => {
            sizes.count = lowered.channels[layer.output];
            one("sigmoid", pixels * wide, places, sizes)
        }
    }
}

/// A matrix product: one launch, or two where its sums are cut.
fn mixed(product: &Product<'_>, mut places: Places, mut sizes: Sizes, parts: u64, on: On) -> Vec<Launch> {
    let cut = Cut::new(product.pixels, product.channels, product.depth, on.processors);
    let kind = if product.is_pointwise { "mix" } else { "window" };
    let (down, across) = cut.tile;
    let grid = [cut.grid.0, cut.grid.1, cut.grid.2].map(|blocks| u32::try_from(blocks).unwrap_or(u32::MAX));
    sizes.slice = cut.slice;
    let output = places.output;
    if cut.is_sliced() {
        places.output = parts;
    }
    let kernel = format!("{}_{down}x{across}", named(kind, on.precision));
    let mut launches = vec![Launch { kernel, grid, threads: cut.threads(on.precision), places, sizes }];
    if cut.is_sliced() {
        (places.input, places.output) = (parts, output);
        launches.push(each("finish", on, product.pixels * filled(product.channels) / 4, places, sizes));
    }
    launches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_product_of_every_sum_is_in_one_slice(
            pixels in 1usize..100_000, eights in 1usize..130, depth in 1usize..7000, processors in 1usize..200
        ) {
            let (channels, depth) = (8 * eights, 8 * depth);
            let cut = Cut::new(pixels, channels, depth, processors);
            let (down, across, slices) = cut.grid;
            prop_assert!((down * cut.tile.0) >= pixels && ((down - 1) * cut.tile.0) < pixels);
            prop_assert!((across * cut.tile.1) >= channels && ((across - 1) * cut.tile.1) < channels);
            prop_assert!(slices * cut.slice >= depth && (slices - 1) * cut.slice < depth);
            prop_assert!(slices == 1 || cut.slice.is_multiple_of(STEP));
            prop_assert!(cut.is_sliced() == (cut.slice < depth));
        }
    }

    #[test]
    fn a_long_sum_of_few_pixels_is_cut_and_a_full_device_is_not() {
        assert!(Cut::new(1, 128, 50_176, 132).grid.2 > 30, "the last layer of an embedder");
        assert_eq!(Cut::new(12_544 * 8, 64, 512, 132).grid.2, 1);
    }
}
