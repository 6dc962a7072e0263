//! Where every value lies: one piece of memory, in which values that never meet share room.

use crate::{
    kernels::{aligned::Aligned, blocks::Extent},
    plan::lower::{Lowered, PICTURE, Work},
};
use std::ops::Range;

/// Values begin at multiples of this many floats: a cache line.
const LINE: usize = 16;

/// What the caller gives: `pictures` of `(channels, height, width)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) pictures: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// The room of all values of one batch.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// What it is for.
    pub(super) batch: Option<Batch>,
    memory: Aligned,
    values: Vec<Value>,
}

/// A value's extent and place.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) of: Extent,
    /// Whether it is `(pictures, channels)`, not in blocks.
    pub(super) is_flat: bool,
    room: Range<usize>,
}

impl Arena {
    /// Room for every value of a batch; `None` where a value would have no pixels, or two that belong together do not fit.
    pub(super) fn new(lowered: &Lowered, batch: Batch) -> Option<Self> {
        let picture = Extent { channels: lowered.channels[PICTURE], height: batch.height, width: batch.width };
        // Values between two layers that were joined have no room.
        let mut values = vec![Value { of: picture, is_flat: false, room: 0..0 }; lowered.channels.len()];
        for layer in &lowered.layers {
            let from = values[layer.input].of;
            let channels = lowered.channels[layer.output];
            let size = |height, width| Extent { channels, height, width };
            let others: Vec<Extent> = layer.others.iter().map(|value| values[*value].of).collect();
            let (of, is_flat) = match &layer.work {
                Work::Chain(links) => {
                    let (height, width) =
                        links.iter().try_fold((from.height, from.width), |size, link| link.made(size))?;
                    (size(height, width), false)
                }
                Work::Dense(op) | Work::Scaled { op, .. } => (size(op.side(from.height)?, op.side(from.width)?), false),
                Work::Depthwise(op) => (size(op.side(from.height), op.side(from.width)), false),
                Work::Window(op) => (size(op.side(from.height)?, op.side(from.width)?), false),
                Work::HalveByMax => (size(from.height / 2, from.width / 2), false),
                Work::AddDoubled => {
                    let small = others.first()?;
                    let fits =
                        (small.channels, 2 * small.height, 2 * small.width) == (from.channels, from.height, from.width);
                    (fits.then_some(from)?, false)
                }
                Work::Concat(_) => {
                    let fit = others.iter().all(|other| (other.height, other.width) == (from.height, from.width));
                    (fit.then_some(size(from.height, from.width))?, false)
                }
                Work::GlobalMean => (size(1, 1), false),
                Work::ScaleBy => {
                    let by = Extent { channels: from.channels, height: 1, width: 1 };
                    ((*others.first()? == by).then_some(from)?, false)
                }
                Work::Taken | Work::Affine { .. } | Work::Add { .. } | Work::Sigmoid => (from, false),
                Work::Pairs(_) | Work::Winograd { .. } => (size(from.height, from.width), false),
                Work::Row(_) => ((from.pixels() == 1).then_some(size(1, 1))?, false),
                Work::Linear(op) => {
                    ((op.channels, op.pixels) == (from.channels, from.pixels())).then_some((size(1, 1), true))?
                }
            };
            // What is added is of the same extent.
            let added = match &layer.work {
                Work::Chain(_) | Work::Dense(_) | Work::Scaled { .. } | Work::Winograd { .. } | Work::Add { .. } => {
                    &others[..]
                }
                Work::ScaleBy => &others[1..],
                _ => &[],
            };
            if added.iter().any(|other| *other != of) || layer.read().any(|value| values[value].is_flat) {
                return None;
            }
            if of.pixels() == 0 {
                return None;
            }
            values[layer.output] = Value { of, is_flat, room: 0..0 };
        }
        let last = last_readers(lowered);
        // Greedy first fit: each value at the lowest place that nothing alive takes.
        let mut alive: Vec<usize> = Vec::new();
        let mut length = 0;
        for (index, layer) in lowered.layers.iter().enumerate() {
            let value = &values[layer.output];
            let floats =
                if value.is_flat { batch.pictures * value.of.channels } else { value.of.floats(batch.pictures) };
            let floats = floats.next_multiple_of(LINE);
            alive.sort_by_key(|value| values[*value].room.start);
            let start = alive.iter().fold(0, |start, value| {
                let room = &values[*value].room;
                if start + floats <= room.start { start } else { start.max(room.end) }
            });
            values[layer.output].room = start..start + floats;
            length = length.max(start + floats);
            alive.push(layer.output);
            alive.retain(|value| last[*value] > index);
        }
        Some(Self { batch: Some(batch), memory: Aligned::zeros(length), values })
    }

    /// A value's extent.
    pub(super) fn extent(&self, value: usize) -> Extent {
        self.values[value].of
    }

    /// A value and where its numbers are.
    pub(super) fn value(&self, value: usize) -> (&Value, &[f32]) {
        (&self.values[value], &self.memory[self.room(value)])
    }

    /// The room of a value without what fills its last line.
    fn room(&self, value: usize) -> Range<usize> {
        let pictures = self.batch.map_or(0, |batch| batch.pictures);
        let Value { of, is_flat, room } = &self.values[value];
        let floats = if *is_flat { pictures * of.channels } else { of.floats(pictures) };
        room.start..room.start + floats
    }

    /// A value to write to.
    pub(super) fn into(&mut self, value: usize) -> &mut [f32] {
        let room = self.room(value);
        &mut self.memory[room]
    }

    /// A value to read and one to write to.
    pub(super) fn read_and_write(&mut self, from: usize, into: usize) -> (&[f32], &mut [f32]) {
        let rooms = [self.room(from), self.room(into)];
        let [from, into] = self.memory.get_disjoint_mut(rooms).expect("what is read is alive while the other is made");
        (from, into)
    }

    /// Values to read, however often one is among them, and one to write to.
    pub(super) fn read_all_and_write(
        &mut self,
        from: impl Iterator<Item = usize>,
        into: usize,
    ) -> (Vec<&[f32]>, &mut [f32]) {
        let into = self.room(into);
        let from: Vec<Range<usize>> = from.map(|value| self.room(value)).collect();
        let (before, rest) = self.memory.split_at_mut(into.start);
        let (made, after) = rest.split_at_mut(into.len());
        let read = |room: Range<usize>| {
            // What is read is alive while the other is made: it lies on one side of it.
            if room.start < into.start { &before[room] } else { &after[room.start - into.end..room.end - into.end] }
        };
        (from.into_iter().map(read).collect(), made)
    }
}

/// The last layer that reads each value; none is later than what leaves the network.
fn last_readers(lowered: &Lowered) -> Vec<usize> {
    let mut last = vec![0; lowered.channels.len()];
    for (index, layer) in lowered.layers.iter().enumerate() {
        for value in layer.read() {
            last[value] = index;
        }
    }
    for leaving in &lowered.leaving {
        last[leaving.value] = usize::MAX;
    }
    last
}
