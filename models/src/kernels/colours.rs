//! The first convolution: a 3×3 over the caller's picture, colour by colour.
//!
//! Three rows of each colour are kept, scaled and with their border; the picture is read once and never copied whole. A
//! row of the kernel is three neighbours of one colour.

use crate::kernels::{
    dense::{Dense, row},
    simd::{LANES, Simd, Work},
};

/// Side of the kernel.
const KERNEL: usize = 3;
/// Colours of a picture.
const COLOURS: usize = 3;

/// Of `(pictures, 3, height, width)` makes `(blocks, pictures, rows, columns, 8)`.
pub(crate) struct FromColours<'a> {
    pub(crate) op: &'a Dense,
    pub(crate) input: &'a [f32],
    /// What each colour is multiplied by, and what is added then; the border stays zero.
    pub(crate) scale: [f32; COLOURS],
    pub(crate) shift: [f32; COLOURS],
    pub(crate) pictures: usize,
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    /// Rows and columns of what is made.
    pub(crate) made: (usize, usize),
    /// Room for the rows that are kept.
    pub(crate) kept: &'a mut Vec<f32>,
    pub(crate) out: &'a mut [f32],
}

impl Work for FromColours<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if self.op.stride == 1 { self.rows::<S, 1>(simd) } else { self.rows::<S, 2>(simd) }
    }
}

impl FromColours<'_> {
    #[inline(always)]
    fn rows<S: Simd, const STRIDE: usize>(self, simd: S) {
        let Self { op, input, scale, shift, pictures, size: (height, width), made: (rows, columns), kept, out } = self;
        let wide = width + 2 * op.pad;
        kept.clear();
        kept.resize(KERNEL * COLOURS * wide, 0.0);
        let plane = pictures * rows * columns * LANES;
        for picture in 0..pictures {
            // Rows are counted from the border above; row `r` is kept in slot `r % 3`.
            let mut next = 0;
            for y in 0..rows {
                next = next.max(y * STRIDE);
                while next < y * STRIDE + KERNEL {
                    for colour in 0..COLOURS {
                        let into = &mut kept[(next % KERNEL * COLOURS + colour) * wide + op.pad..][..width];
                        match next.checked_sub(op.pad).filter(|row| *row < height) {
                            None => into.fill(0.0),
                            Some(row) => {
                                let from = &input[((picture * COLOURS + colour) * height + row) * width..][..width];
                                for (into, v) in into.iter_mut().zip(from) {
                                    *into = v * scale[colour] + shift[colour];
                                }
                            }
                        }
                    }
                    next += 1;
                }
                let mut taps = [0; KERNEL * COLOURS];
                for (index, tap) in taps.iter_mut().enumerate() {
                    let (colour, ky) = (index / KERNEL, index % KERNEL);
                    *tap = ((y * STRIDE + ky) % KERNEL * COLOURS + colour) * wide;
                }
                let from = (picture * rows + y) * columns;
                for (block, blocks, weight) in op.panels() {
                    let panel = op.panel(block, blocks, &taps, weight, (true, true));
                    let out = &mut out[block * plane..];
                    row::<S, STRIDE, KERNEL>(simd, kept, panel, blocks, out, plane, from..from + columns);
                }
            }
        }
    }
}
