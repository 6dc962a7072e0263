//! Where every value of a batch lies: one piece of memory, in which values that never meet share room.
//!
//! In this order: the caller's picture, the values, partial sums, what leaves. Places are bytes.

use crate::{
    cuda::{
        constants::filled,
        lower::{Lowered, PICTURE, Work},
    },
    plan::arena::Batch,
};
use std::ops::Range;

/// Everything begins at a multiple of this many bytes.
const LINE: usize = 256;
/// The most numbers of a value: kernels count in `i32`.
const MOST: usize = 1 << 30;

/// The size of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Filled up, but for the caller's picture.
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Whether it is `(pictures, channels)`.
    pub(super) is_flat: bool,
}

impl Extent {
    pub(super) fn pixels(&self) -> usize {
        self.height * self.width
    }
}

/// The rooms of one batch.
#[derive(Debug)]
pub(super) struct Rooms {
    pub(super) extents: Vec<Extent>,
    /// Where each value begins.
    pub(super) places: Vec<usize>,
    /// Where partial sums go.
    pub(super) parts: usize,
    /// What leaves.
    pub(super) made: Range<usize>,
}

impl Rooms {
    /// Room for every value of a batch, whose numbers have so many bytes, and for so many partial sums; `None` where a
    /// value would have no pixels or too many, or two that belong together do not fit.
    pub(super) fn new(
        lowered: &Lowered,
        batch: Batch,
        bytes: usize,
        parts: impl Fn(&[Extent]) -> usize,
    ) -> Option<Self> {
        let extents = extents(lowered, batch)?;
        let picture = extents[PICTURE];
        let begin = (batch.pictures * picture.channels * picture.pixels() * size_of::<f32>()).next_multiple_of(LINE);
        let last = last_readers(lowered);
        let length = |value: usize| {
            let of = extents[value];
            (batch.pictures * of.channels * of.pixels() * bytes).next_multiple_of(LINE)
        };
        // Greedy first fit: each value at the lowest place that nothing alive takes.
        let mut places = vec![0; extents.len()];
        let mut alive: Vec<usize> = Vec::new();
        let mut end = begin;
        for (index, layer) in lowered.layers.iter().enumerate() {
            alive.sort_by_key(|value| places[*value]);
            let wanted = length(layer.output);
            let place = alive.iter().fold(begin, |place, value| {
                let taken = places[*value];
                if place + wanted <= taken { place } else { place.max(taken + length(*value)) }
            });
            places[layer.output] = place;
            end = end.max(place + wanted);
            alive.push(layer.output);
            alive.retain(|value| last[*value] > index);
        }
        let parts_end = end + (parts(&extents) * size_of::<f32>()).next_multiple_of(LINE);
        let numbers: usize = lowered
            .leaving
            .iter()
            .map(|leaving| batch.pictures * leaving.channels.1 * extents[leaving.value].pixels())
            .sum();
        let made = parts_end..parts_end + numbers * size_of::<f32>();
        Some(Self { extents, places, parts: end, made })
    }
}

fn extents(lowered: &Lowered, batch: Batch) -> Option<Vec<Extent>> {
    let mut extents = vec![Extent::default(); lowered.channels.len()];
    let Batch { pictures, height, width } = batch;
    extents[PICTURE] = Extent { channels: lowered.channels[PICTURE], height, width, is_flat: false };
    for layer in &lowered.layers {
        let from = extents[layer.input];
        let channels = filled(lowered.channels[layer.output]);
        let size = |height, width| Extent { channels, height, width, is_flat: false };
        let others: Vec<Extent> = layer.others.iter().map(|value| extents[*value]).collect();
        let made = match &layer.work {
            Work::Colours { op, .. } | Work::Mix(op) | Work::Filter(op) if !from.is_flat => {
                size(op.side(from.height)?, op.side(from.width)?)
            }
            Work::HalveByMax if !from.is_flat => size(from.height / 2, from.width / 2),
            Work::AddDoubled if !from.is_flat => {
                let doubled = |small: &Extent| Extent { height: 2 * small.height, width: 2 * small.width, ..*small };
                others.iter().all(|small| doubled(small) == from).then_some(from)?
            }
            Work::Concat(_) if !from.is_flat => {
                let fits = |other: &Extent| !other.is_flat && (other.height, other.width) == (from.height, from.width);
                others.iter().all(fits).then_some(size(from.height, from.width))?
            }
            Work::GlobalMean if !from.is_flat => size(1, 1),
            Work::ScaleBy => (*others.first()? == Extent { height: 1, width: 1, ..from }).then_some(from)?,
            Work::Taken => size(from.height, from.width),
            Work::Affine { .. } | Work::Add { .. } | Work::Sigmoid => from,
            Work::Linear { pixels, .. } if *pixels == from.pixels() => Extent { is_flat: true, ..size(1, 1) },
            _ => return None,
        };
        // What is added is of the same extent.
        let added = match &layer.work {
            Work::Mix(_) | Work::Add { .. } => &others[..],
            Work::ScaleBy => &others[1..],
            _ => &[],
        };
        if added.iter().any(|other| *other != made) {
            return None;
        }
        let numbers = [pictures, made.channels, made.height, made.width]
            .into_iter()
            .try_fold(1usize, |numbers, side| numbers.checked_mul(side))?;
        if !(1..=MOST).contains(&numbers) {
            return None;
        }
        extents[layer.output] = made;
    }
    Some(extents)
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
