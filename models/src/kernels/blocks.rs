//! How values lie: blocks of eight channels, `(channels / 8, pictures, height, width, 8)`.
//!
//! Channels are filled up to whole blocks with zeros. A layer sees all pictures of a batch as one long picture where it
//! does not look at neighbours.

use crate::kernels::simd::LANES;

/// Blocks that hold `channels` channels.
pub(crate) fn blocks(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// Extent of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Channels, not filled up.
    pub(crate) channels: usize,
    /// Rows.
    pub(crate) height: usize,
    /// Columns.
    pub(crate) width: usize,
}

impl Extent {
    /// Floats of it in blocks, for `pictures` pictures.
    pub(crate) fn floats(self, pictures: usize) -> usize {
        blocks(self.channels) * pictures * self.pixels() * LANES
    }

    /// Pixels of one picture.
    pub(crate) fn pixels(self) -> usize {
        self.height * self.width
    }
}

/// A copy with a border of zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padded {
    /// Rows with the border.
    pub(crate) height: usize,
    /// Columns with the border.
    pub(crate) width: usize,
}

/// Copies `input`, `(planes, height, width, 8)`, into the middle of `(planes, height + 2·pad, width + 2·pad, 8)`.
pub(crate) fn pad_blocks(input: &[f32], size: (usize, usize), pad: usize, into: &mut Vec<f32>) {
    pad_with(input, size, pad, into, |_, row, from| row.copy_from_slice(from));
}

/// The same, each number times `scale` plus `shift` of its channel on the way: both filled up to whole blocks. The border
/// stays zero.
pub(crate) fn pad_scaled(
    input: &[f32],
    size: (usize, usize),
    pad: usize,
    (scale, shift): (&[f32], &[f32]),
    into: &mut Vec<f32>,
) {
    let planes_a_block = input.len() / (size.0 * size.1 * LANES).max(1) / (scale.len() / LANES).max(1);
    pad_with(input, size, pad, into, |plane, row, from| {
        let first = plane / planes_a_block * LANES;
        let (scale, shift) = (&scale[first..][..LANES], &shift[first..][..LANES]);
        for (into, from) in row.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks::<LANES>().0) {
            for lane in 0..LANES {
                into[lane] = from[lane] * scale[lane] + shift[lane];
            }
        }
    });
}

/// Copies with a border of zeros; `copy` is told the plane and given a row to write and the one to read.
fn pad_with(
    input: &[f32],
    (height, width): (usize, usize),
    pad: usize,
    into: &mut Vec<f32>,
    copy: impl Fn(usize, &mut [f32], &[f32]),
) {
    let line = width * LANES;
    let (tall, wide) = (height + 2 * pad, (width + 2 * pad) * LANES);
    let planes = input.len() / (height * line).max(1);
    into.clear();
    into.resize(planes * tall * wide, 0.0);
    let planes = into.chunks_exact_mut(tall * wide).zip(input.chunks_exact(height * line));
    for (index, (plane, picture)) in planes.enumerate() {
        for (row, from) in plane.chunks_exact_mut(wide).skip(pad).zip(picture.chunks_exact(line)) {
            copy(index, &mut row[pad * LANES..][..line], from);
        }
    }
}

/// `(pictures, channels, pixels)` to blocks.
pub(crate) fn to_blocks(input: &[f32], extent: Extent, pictures: usize, into: &mut [f32]) {
    let pixels = extent.pixels();
    into.fill(0.0);
    for (index, plane) in input.chunks_exact(pixels).enumerate() {
        let (picture, channel) = (index / extent.channels, index % extent.channels);
        let block = &mut into[(channel / LANES * pictures + picture) * pixels * LANES..][..pixels * LANES];
        for (eight, value) in block.as_chunks_mut::<LANES>().0.iter_mut().zip(plane) {
            eight[channel % LANES] = *value;
        }
    }
}

/// `count` channels from `first` on, of blocks, to `(pictures, count, pixels)`.
pub(crate) fn from_blocks(value: &[f32], pixels: usize, pictures: usize, (first, count): (usize, usize)) -> Vec<f32> {
    let mut plain = Vec::with_capacity(pictures * count * pixels);
    for picture in 0..pictures {
        for channel in first..first + count {
            let block = &value[(channel / LANES * pictures + picture) * pixels * LANES..][..pixels * LANES];
            plain.extend(block.as_chunks::<LANES>().0.iter().map(|eight| eight[channel % LANES]));
        }
    }
    plain
}
