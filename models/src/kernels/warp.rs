//! Pictures turned, scaled and shifted by bilinear interpolation, eight pixels at a time, straight from the planes.

use crate::{
    image::{Plane, Size},
    kernels::{
        across::{Mix, Mixing},
        simd::{
            LANES, Simd, Work,
            loops::{Lanes, fma, vectorised},
        },
    },
};

/// Where pixels are read: three channels between the four nearest samples.
pub(crate) trait Source {
    /// The channels at these positions; beyond the edge it is repeated. (0, 0) is the centre of the first sample.
    fn between<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> [S::F; 3];
}

/// From output pixel (x, y) to its position in the source: `(a·x − b·y + dx, b·x + a·y + dy)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    pub(crate) a: f32,
    pub(crate) b: f32,
    pub(crate) dx: f32,
    pub(crate) dy: f32,
}

/// A square picture read through a map.
pub(crate) struct Warp<'a, T> {
    pub(crate) source: T,
    pub(crate) map: Map,
    pub(crate) mix: Mix,
    /// Red, green, blue; each `SIDE` rows of `SIDE`.
    pub(crate) into: &'a mut [f32],
    /// Pixels in a row, whole eights.
    pub(crate) side: usize,
}

impl<T: Source> Work for Warp<'_, T> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Map { a, b, dx, dy } = self.map;
        let mix = Mixing::new(simd, self.mix);
        let (red, rest) = self.into.split_at_mut(self.side * self.side);
        let (green, blue) = rest.split_at_mut(self.side * self.side);
        let (red, green, blue) =
            (red.as_chunks_mut::<LANES>().0, green.as_chunks_mut::<LANES>().0, blue.as_chunks_mut::<LANES>().0);
        let places = red.iter_mut().zip(green).zip(blue);
        let along = simd.load(&std::array::from_fn(|lane| lane as f32));
        let (step_x, step_y) = (simd.splat(a), simd.splat(b));
        let (mut column, mut row) = (0usize, 0usize);
        for ((red, green), blue) in places {
            let across = simd.add(along, simd.splat(column as f32));
            let x = simd.mul_add(across, step_x, simd.splat(dx - b * row as f32));
            let y = simd.mul_add(across, step_y, simd.splat(dy + a * row as f32));
            mix.store(simd, self.source.between(simd, x, y), [red, green, blue]);
            column = column.wrapping_add(LANES);
            if column >= self.side {
                (column, row) = (0, row.wrapping_add(1));
            }
        }
    }
}

/// Where the top left of four samples is, and how far the position is from it.
struct Corner<S: Simd> {
    column: S::I,
    row: S::I,
    right: S::F,
    below: S::F,
}

impl<S: Simd> Corner<S> {
    #[inline(always)]
    fn new(simd: S, x: S::F, y: S::F, last: [f32; 2]) -> Self {
        let zero = simd.splat(0.0);
        let x = simd.min(simd.max(x, zero), simd.splat(last[0]));
        let y = simd.min(simd.max(y, zero), simd.splat(last[1]));
        let (column, row, minus) = (simd.whole(x), simd.whole(y), simd.splat(-1.0));
        let right = simd.mul_add(simd.float(column), minus, x);
        let below = simd.mul_add(simd.float(row), minus, y);
        Self { column, row, right, below }
    }
}

/// `a + (b − a) · part`.
#[inline(always)]
fn mean<S: Simd>(simd: S, a: S::F, b: S::F, part: S::F) -> S::F {
    simd.mul_add(simd.mul_add(a, simd.splat(-1.0), b), part, a)
}

/// The last position of each axis of a plane.
fn last(size: Size) -> [f32; 2] {
    [size.width, size.height].map(|side| side.saturating_sub(1) as f32)
}

/// A plane whose rows begin at no more than 2³⁰ bytes, and its size.
#[derive(Clone, Copy)]
struct Samples<'a> {
    data: &'a [u8],
    stride: i32,
    last: [f32; 2],
}

impl<'a> Samples<'a> {
    fn new(plane: Plane<'a>, size: Size) -> Option<Self> {
        let stride = i32::try_from(plane.stride).ok()?;
        let end = stride.checked_mul(i32::try_from(size.height).ok()?)?;
        (end < 1 << 30 && size.width < 1 << 24).then_some(Self { data: plane.data, stride, last: last(size) })
    }

    /// The four bytes from the corner on, and those below them.
    #[inline(always)]
    fn pair<S: Simd>(&self, simd: S, corner: &Corner<S>, step: i32) -> [S::I; 2] {
        let zero = simd.whole(simd.splat(0.0));
        let column = simd.times_add(corner.column, step, zero);
        let at = simd.times_add(corner.row, self.stride, column);
        let one = simd.whole(simd.splat(1.0));
        [simd.gather(self.data, at), simd.gather(self.data, simd.times_add(one, self.stride, at))]
    }

    /// A plane of its own between its samples.
    #[inline(always)]
    fn between<S: Simd>(&self, simd: S, corner: &Corner<S>) -> S::F {
        mix_of::<S, 0, 8>(simd, self.pair(simd, corner, 1), corner, 255)
    }
}

/// Between two fields of two numbers each.
#[inline(always)]
fn mix_of<S: Simd, const LEFT: i32, const RIGHT: i32>(
    simd: S,
    rows: [S::I; 2],
    corner: &Corner<S>,
    mask: i32,
) -> S::F {
    let upper = mean(simd, simd.field::<LEFT>(rows[0], mask), simd.field::<RIGHT>(rows[0], mask), corner.right);
    let lower = mean(simd, simd.field::<LEFT>(rows[1], mask), simd.field::<RIGHT>(rows[1], mask), corner.right);
    mean(simd, upper, lower, corner.below)
}

/// Positions of luma as positions of chroma, whose samples lie in the middle of four.
#[inline(always)]
fn halved<S: Simd>(simd: S, position: S::F) -> S::F {
    simd.mul_add(position, simd.splat(0.5), simd.splat(-0.25))
}

/// Luma and interleaved chroma.
pub(crate) struct Nv12<'a> {
    luma: Samples<'a>,
    chroma: Samples<'a>,
}

impl<'a> Nv12<'a> {
    /// Planes of a picture of `size`; `None` where they are too large to be counted in 32 bits.
    pub(crate) fn new(luma: Plane<'a>, chroma: Plane<'a>, size: Size) -> Option<Self> {
        Some(Self { luma: Samples::new(luma, size)?, chroma: Samples::new(chroma, half(size))? })
    }
}

fn half(size: Size) -> Size {
    Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) }
}

impl Source for Nv12<'_> {
    #[inline(always)]
    fn between<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> [S::F; 3] {
        let luma = self.luma.between(simd, &Corner::new(simd, x, y, self.luma.last));
        let corner = Corner::new(simd, halved(simd, x), halved(simd, y), self.chroma.last);
        let rows = self.chroma.pair(simd, &corner, 2);
        [luma, mix_of::<S, 0, 16>(simd, rows, &corner, 255), mix_of::<S, 8, 24>(simd, rows, &corner, 255)]
    }
}

/// Luma, U and V.
pub(crate) struct I420<'a> {
    luma: Samples<'a>,
    u: Samples<'a>,
    v: Samples<'a>,
}

impl<'a> I420<'a> {
    /// Planes of a picture of `size`; `None` where they are too large to be counted in 32 bits.
    pub(crate) fn new(luma: Plane<'a>, u: Plane<'a>, v: Plane<'a>, size: Size) -> Option<Self> {
        let chroma = half(size);
        Some(Self { luma: Samples::new(luma, size)?, u: Samples::new(u, chroma)?, v: Samples::new(v, chroma)? })
    }
}

impl Source for I420<'_> {
    #[inline(always)]
    fn between<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> [S::F; 3] {
        let luma = self.luma.between(simd, &Corner::new(simd, x, y, self.luma.last));
        let corner = Corner::new(simd, halved(simd, x), halved(simd, y), self.u.last);
        [luma, self.u.between(simd, &corner), self.v.between(simd, &corner)]
    }
}

/// A picture of four bytes a pixel: ten bits for each colour, which are quarters of 0..=255.
pub(crate) struct Packed {
    data: Vec<u8>,
    stride: i32,
    last: [f32; 2],
}

impl Packed {
    /// What a colour of 1 is.
    pub(crate) const UNIT: f32 = 4.0;

    /// A picture of rows that `fill` makes, each as long as it is wide. Sides must not be above 4096.
    pub(crate) fn new(size: Size, mut fill: impl FnMut(usize, [&mut [f32]; 3])) -> Self {
        let row = 4 * size.width as usize;
        // Two neighbours are read at once: there is one beyond the last, of which nothing is taken.
        let mut data = vec![0; row * size.height as usize + 4];
        let mut lines: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; size.width as usize]);
        for (y, into) in data.chunks_exact_mut(row.max(4)).take(size.height as usize).enumerate() {
            fill(y, lines.each_mut().map(Vec::as_mut_slice));
            vectorised(Pack { lines: lines.each_ref().map(Vec::as_slice), into: into.as_chunks_mut().0 });
        }
        Self { data, stride: 4 * size.width as i32, last: last(size) }
    }
}

struct Pack<'a> {
    lines: [&'a [f32]; 3],
    into: &'a mut [[u8; 4]],
}

impl Lanes for Pack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        // Added to a number of less than 2²², leaves it in the low bits, rounded.
        let whole = |v: f32| fma::<FMA>(v, Packed::UNIT, 8_388_608.0).to_bits() & 1023;
        let [red, green, blue] = self.lines;
        for (((red, green), blue), into) in red.iter().zip(green).zip(blue).zip(self.into) {
            *into = (whole(*red) | whole(*green) << 10 | whole(*blue) << 20).to_le_bytes();
        }
    }
}

impl Source for &Packed {
    #[inline(always)]
    fn between<S: Simd>(&self, simd: S, x: S::F, y: S::F) -> [S::F; 3] {
        let corner = Corner::new(simd, x, y, self.last);
        let zero = simd.whole(simd.splat(0.0));
        let upper = simd.times_add(corner.row, self.stride, simd.times_add(corner.column, 4, zero));
        let lower = simd.times_add(simd.whole(simd.splat(1.0)), self.stride, upper);
        let (upper, lower) = (simd.gather_two(&self.data, upper), simd.gather_two(&self.data, lower));
        [
            packed::<S, 0>(simd, upper, lower, &corner),
            packed::<S, 10>(simd, upper, lower, &corner),
            packed::<S, 20>(simd, upper, lower, &corner),
        ]
    }
}

#[inline(always)]
fn packed<S: Simd, const AT: i32>(simd: S, upper: [S::I; 2], lower: [S::I; 2], corner: &Corner<S>) -> S::F {
    let upper = mean(simd, simd.field::<AT>(upper[0], 1023), simd.field::<AT>(upper[1], 1023), corner.right);
    let lower = mean(simd, simd.field::<AT>(lower[0], 1023), simd.field::<AT>(lower[1], 1023), corner.right);
    mean(simd, upper, lower, corner.below)
}
