//! Depthwise 3×3 convolution: one filter a channel, eight channels at once.

use crate::kernels::{
    aligned::Aligned,
    epilogue::Epilogue,
    simd::{LANES, Simd, Work},
    tile::eight,
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
        let mut weight = [[bias; 3]; 3];
        for (tap, weight) in weight.iter_mut().flatten().enumerate() {
            *weight = simd.load(eight(&self.weight, block * 9 + tap));
        }
        let lines = lines.map(|line| line.as_chunks().0);
        let filter = Filter { simd, lines, weight, bias, slope };
        let out = out.as_chunks_mut().0;
        if self.stride == 1 { filter.row::<1>(out) } else { filter.row::<2>(out) }
    }
}

/// The filter of one block of channels, over the three rows that an output row sees.
struct Filter<'a, S: Simd> {
    simd: S,
    lines: [&'a [[f32; LANES]]; 3],
    weight: [[S::F; 3]; 3],
    bias: S::F,
    slope: S::F,
}

impl<S: Simd> Filter<'_, S> {
    #[inline(always)]
    fn row<const STRIDE: usize>(&self, out: &mut [[f32; LANES]]) {
        // Outputs whose three columns all lie inside.
        let inside = ((self.lines[0].len() + STRIDE - 2) / STRIDE).min(out.len());
        self.edge(0, STRIDE, out);
        let mut x = 1;
        while x + 2 <= inside {
            self.pair::<STRIDE>(x, out);
            x += 2;
        }
        while x < out.len() {
            self.edge(x, STRIDE, out);
            x += 1;
        }
    }

    /// Two outputs from column `x` on; every column that they see lies inside.
    ///
    /// Each has a sum for every row, so that no addition waits for more than two others; two of them and the weights are
    /// as many numbers as there are registers.
    #[expect(clippy::needless_range_loop, reason = "iterators of three would not be unrolled: half the speed")]
    #[inline(always)]
    fn pair<const STRIDE: usize>(&self, x: usize, out: &mut [[f32; LANES]]) {
        let simd = self.simd;
        let nothing = simd.splat(0.0);
        let mut sums = [[self.bias, self.bias], [nothing; 2], [nothing; 2]];
        for y in 0..3 {
            let line = &self.lines[y][x * STRIDE - 1..][..STRIDE + 3];
            for tap in 0..3 {
                for i in 0..2 {
                    sums[y][i] = simd.mul_add(simd.load(&line[i * STRIDE + tap]), self.weight[y][tap], sums[y][i]);
                }
            }
        }
        let out = &mut out[x..][..2];
        for i in 0..2 {
            let sum = simd.add(simd.add(sums[0][i], sums[1][i]), sums[2][i]);
            simd.store(simd.bend(sum, self.slope), &mut out[i]);
        }
    }

    /// One output; columns outside are zeros.
    #[inline(always)]
    fn edge(&self, x: usize, stride: usize, out: &mut [[f32; LANES]]) {
        let mut sum = self.bias;
        for (line, weight) in self.lines.iter().zip(&self.weight) {
            for (tap, weight) in weight.iter().enumerate() {
                // Column `x · stride + tap - 1`.
                if let Some(value) = (x * stride + tap).checked_sub(1).and_then(|column| line.get(column)) {
                    sum = self.simd.mul_add(self.simd.load(value), *weight, sum);
                }
            }
        }
        self.simd.store(self.simd.bend(sum, self.slope), &mut out[x]);
    }
}
