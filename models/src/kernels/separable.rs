//! A 1×1 convolution and the depthwise one that follows, row by row.
//!
//! What the first makes is four times read and once written by the second: kept as three rows, it never leaves the
//! cache. One after the other both would wait for memory.

use crate::kernels::{
    blocks::blocks,
    dense::Dense,
    depthwise::Depthwise,
    simd::{LANES, Simd, Work},
};

/// Over `(blocks, pictures, height, width, 8)`.
pub(crate) struct Separable<'a> {
    pub(crate) mix: &'a Dense,
    pub(crate) filter: &'a Depthwise,
    pub(crate) input: &'a [f32],
    pub(crate) pictures: usize,
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    /// Room for three rows between the two.
    pub(crate) between: &'a mut Vec<f32>,
    pub(crate) out: &'a mut [f32],
}

impl Work for Separable<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { mix, filter, input, pictures, size: (height, width), between, out } = self;
        let (rows, columns) = (filter.side(height), filter.side(width));
        let line = width * LANES;
        let row = mix.blocks() * line;
        // Three rows, and one of zeros for what lies outside.
        between.resize(3 * row + line, 0.0);
        let (between, nothing) = between.split_at_mut(3 * row);
        nothing.fill(0.0);
        let taps: Vec<usize> = (0..blocks(mix.inputs)).map(|block| block * pictures * height * line).collect();
        for picture in 0..pictures {
            let mut next = 0;
            for y in 0..rows {
                let middle = y * filter.stride;
                while next < height.min(middle + 2) {
                    let input = &input[(picture * height + next) * line..];
                    mix.row_of_pixels(simd, input, &taps, &mut between[next % 3 * row..][..row]);
                    next += 1;
                }
                for block in 0..mix.blocks() {
                    let seen = |y: Option<usize>| match y.filter(|y| *y < height) {
                        Some(y) => &between[y % 3 * row + block * line..][..line],
                        None => &nothing[..line],
                    };
                    let lines = [seen(middle.checked_sub(1)), seen(Some(middle)), seen(Some(middle + 1))];
                    let out =
                        &mut out[((block * pictures + picture) * rows + y) * columns * LANES..][..columns * LANES];
                    filter.row(simd, block, lines, out);
                }
            }
        }
    }
}
