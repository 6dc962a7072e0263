//! Depthwise 3×3 convolution: one filter a channel, eight channels at once.

use crate::kernels::{
    aligned::Aligned,
    epilogue::Epilogue,
    simd::{LANES, Simd, Work},
    tile::{eight, eight_mut},
};

/// A depthwise 3×3 convolution with padding 1.
#[derive(Debug)]
pub(crate) struct Depthwise {
    /// 1 or 2.
    pub(crate) stride: usize,
    /// `(blocks, 9, 8)`.
    weight: Aligned,
    epilogue: Epilogue,
}

impl Depthwise {
    /// `weight` is `(channels, 1, 3, 3)`. `None` where the kernel below has no form for it.
    pub(crate) fn new(weight: &[f32], stride: usize, epilogue: &Epilogue) -> Option<Self> {
        let channels = epilogue.bias.len();
        if !matches!(stride, 1 | 2) || weight.len() != channels * 9 {
            return None;
        }
        let epilogue = epilogue.padded();
        let mut blocked = vec![0.0; epilogue.bias.len() * 9];
        for (channel, taps) in weight.as_chunks::<9>().0.iter().enumerate() {
            for (tap, value) in taps.iter().enumerate() {
                blocked[(channel / LANES * 9 + tap) * LANES + channel % LANES] = *value;
            }
        }
        Some(Self { stride, weight: Aligned::of(&blocked), epilogue })
    }

    /// Rows or columns of what it makes of `side`.
    pub(crate) fn side(&self, side: usize) -> usize {
        (side - 1) / self.stride + 1
    }
}

/// Over `(blocks, pictures, height, width, 8)`.
pub(crate) struct Filtered<'a> {
    pub(crate) op: &'a Depthwise,
    pub(crate) input: &'a [f32],
    pub(crate) pictures: usize,
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    pub(crate) out: &'a mut [f32],
}

impl Work for Filtered<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { op, input, pictures, size: (height, width), out } = self;
        let (rows, columns) = (op.side(height), op.side(width));
        let nothing = vec![0.0; width * LANES];
        let line = |plane: usize, y: Option<usize>| match y.filter(|y| *y < height) {
            Some(y) => &input[(plane * height + y) * width * LANES..][..width * LANES],
            None => &nothing[..],
        };
        for (index, out) in out.chunks_exact_mut(columns * LANES).enumerate() {
            let (plane, y) = (index / rows, index % rows * op.stride);
            let lines = [line(plane, y.checked_sub(1)), line(plane, Some(y)), line(plane, Some(y + 1))];
            op.row(simd, plane / pictures, lines, out);
        }
    }
}

impl Depthwise {
    /// One output row of a block of eight channels, from the three rows that it sees.
    #[inline(always)]
    pub(crate) fn row<S: Simd>(&self, simd: S, block: usize, lines: [&[f32]; 3], out: &mut [f32]) {
        let bias = simd.load(eight(&self.epilogue.bias, block));
        let slope = simd.load(eight(&self.epilogue.slope, block));
        let mut weight = [bias; 9];
        for (tap, weight) in weight.iter_mut().enumerate() {
            *weight = simd.load(eight(&self.weight, block * 9 + tap));
        }
        let filter = Filter { simd, lines, weight, bias, slope };
        if self.stride == 1 { filter.row::<1>(out) } else { filter.row::<2>(out) }
    }
}

/// The filter of one block of channels, over the three rows that an output row sees.
struct Filter<'a, S: Simd> {
    simd: S,
    lines: [&'a [f32]; 3],
    weight: [S::F; 9],
    bias: S::F,
    slope: S::F,
}

impl<S: Simd> Filter<'_, S> {
    #[inline(always)]
    fn row<const STRIDE: usize>(&self, out: &mut [f32]) {
        let (width, columns) = (self.lines[0].len() / LANES, out.len() / LANES);
        // Outputs whose three columns all lie inside.
        let inside = ((width + STRIDE - 2) / STRIDE).min(columns);
        self.edge::<STRIDE>(0, out);
        let mut x = 1;
        while x + 4 <= inside {
            self.group::<STRIDE, 4>(x, out);
            x += 4;
        }
        while x < inside {
            self.group::<STRIDE, 1>(x, out);
            x += 1;
        }
        while x < columns {
            self.edge::<STRIDE>(x, out);
            x += 1;
        }
    }

    /// `N` outputs from column `x` on; every column that they see lies inside.
    #[inline(always)]
    fn group<const STRIDE: usize, const N: usize>(&self, x: usize, out: &mut [f32]) {
        let mut sums = [self.bias; N];
        for (y, line) in self.lines.iter().enumerate() {
            let line = &line[(x * STRIDE - 1) * LANES..][..((N - 1) * STRIDE + 3) * LANES];
            for column in 0..(N - 1) * STRIDE + 3 {
                let value = self.simd.load(eight(line, column));
                for tap in 0..3 {
                    // A column is read once, for every output that it belongs to.
                    if column >= tap && (column - tap) % STRIDE == 0 && (column - tap) / STRIDE < N {
                        let sum = &mut sums[(column - tap) / STRIDE];
                        *sum = self.simd.mul_add(value, self.weight[y * 3 + tap], *sum);
                    }
                }
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            self.simd.store(self.simd.bend(*sum, self.slope), eight_mut(out, x + i));
        }
    }

    /// One output at the edge: columns outside are zeros.
    #[inline(always)]
    fn edge<const STRIDE: usize>(&self, x: usize, out: &mut [f32]) {
        let mut sum = self.bias;
        for (y, line) in self.lines.iter().enumerate() {
            for tap in 0..3 {
                // Column `x · STRIDE + tap - 1`.
                if let Some(column) = (x * STRIDE + tap).checked_sub(1).filter(|column| *column < line.len() / LANES) {
                    let value = self.simd.load(eight(line, column));
                    sum = self.simd.mul_add(value, self.weight[y * 3 + tap], sum);
                }
            }
        }
        self.simd.store(self.simd.bend(sum, self.slope), eight_mut(out, x));
    }
}
