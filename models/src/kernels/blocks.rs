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
pub(crate) fn pad_blocks(input: &[f32], (height, width): (usize, usize), pad: usize, into: &mut Vec<f32>) {
    let line = width * LANES;
    let (tall, wide) = (height + 2 * pad, (width + 2 * pad) * LANES);
    let planes = input.len() / (height * line).max(1);
    into.clear();
    into.resize(planes * tall * wide, 0.0);
    for (plane, picture) in into.chunks_exact_mut(tall * wide).zip(input.chunks_exact(height * line)) {
        for (row, from) in plane.chunks_exact_mut(wide).skip(pad).zip(picture.chunks_exact(line)) {
            row[pad * LANES..][..line].copy_from_slice(from);
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
