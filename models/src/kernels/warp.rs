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
fn mix_of<S: Simd, const LEFT: i32, const RIGHT: i32>(simd: S, rows: [S::I; 2], corner: &Corner<S>, mask: i32) -> S::F {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::isa::Isa;
    use proptest::prelude::*;

    const SIDE: usize = 16;

    /// One sample, the nearest where there is none; zero where the plane is shorter than promised.
    fn sample(plane: Plane<'_>, size: Size, step: usize, offset: usize, x: i64, y: i64) -> f64 {
        let (x, y) = (x.clamp(0, i64::from(size.width) - 1), y.clamp(0, i64::from(size.height) - 1));
        f64::from(plane.data.get(y as usize * plane.stride + x as usize * step + offset).copied().unwrap_or(0))
    }

    fn between(plane: Plane<'_>, size: Size, step: usize, offset: usize, x: f64, y: f64) -> f64 {
        let (x, y) = (x.clamp(0.0, f64::from(size.width) - 1.0), y.clamp(0.0, f64::from(size.height) - 1.0));
        let at = |dx: i64, dy: i64| sample(plane, size, step, offset, x as i64 + dx, y as i64 + dy);
        let (fx, fy) = (x.fract(), y.fract());
        (at(0, 0) * (1.0 - fx) + at(1, 0) * fx) * (1.0 - fy) + (at(0, 1) * (1.0 - fx) + at(1, 1) * fx) * fy
    }

    fn run(isa: Isa, source: impl Source, map: Map, mix: Mix) -> Vec<f32> {
        let mut into = vec![-1.0; 3 * SIDE * SIDE];
        isa.run(Warp { source, map, mix, into: &mut into, side: SIDE });
        into
    }

    fn near(a: &[f32], b: &[f32], bound: f32) -> Result<(), TestCaseError> {
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            prop_assert!((a - b).abs() < bound, "{i}: {a} {b}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_warp_is_what_double_precision_says(
            width in 1u32..40, height in 1u32..40, gap in 0usize..5, short in 0usize..300, angle in -3.1f32..3.1,
            scale in 0.2f32..3.0, dx in -20f32..50.0, dy in -20f32..50.0, data in proptest::collection::vec(any::<u8>(), 4000)
        ) {
            let (size, half) = (Size { width, height }, half(Size { width, height }));
            let map = Map { a: scale * angle.cos(), b: scale * angle.sin(), dx, dy };
            let plane = |stride: usize, rows: u32, from: usize| {
                let stride = stride + gap;
                Plane { data: &data[from..from + (stride * rows as usize).saturating_sub(short)], stride }
            };
            let luma = plane(width as usize, height, 0);
            let [u, v] = [0, 100].map(|from| plane(half.width as usize, half.height, from));
            let chroma = plane(2 * half.width as usize, half.height, 50);
            let mix = Mix::Colours(1.0);
            let nv12 = |isa: Isa| run(isa, Nv12::new(luma, chroma, size).unwrap(), map, mix);
            let i420 = |isa: Isa| run(isa, I420::new(luma, u, v, size).unwrap(), map, mix);
            let [mut from_nv12, mut from_i420] = [Vec::new(), Vec::new()];
            for channel in 0..3 {
                for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x as f64, y as f64))) {
                    let [a, b, dx, dy] = [map.a, map.b, map.dx, map.dy].map(f64::from);
                    let (px, py) = (a * x - b * y + dx, b * x + a * y + dy);
                    let (cx, cy) = (px / 2.0 - 0.25, py / 2.0 - 0.25);
                    from_nv12.push(match channel {
                        0 => between(luma, size, 1, 0, px, py) as f32,
                        _ => between(chroma, half, 2, channel - 1, cx, cy) as f32,
                    });
                    from_i420.push(match channel {
                        0 => between(luma, size, 1, 0, px, py) as f32,
                        _ => between([u, v][channel - 1], half, 1, 0, cx, cy) as f32,
                    });
                }
            }
            // Positions of up to 100 in single precision are wrong by 1e-5, samples differ by up to 255 a pixel.
            for isa in Isa::all() {
                near(&nv12(isa), &nv12(Isa::Portable), 0.02)?;
                near(&i420(isa), &i420(Isa::Portable), 0.02)?;
                near(&nv12(isa), &from_nv12, 0.05)?;
                near(&i420(isa), &from_i420, 0.05)?;
            }
        }

        #[test]
        fn a_packed_picture_is_read_as_it_was_made(
            width in 1u32..40, height in 1u32..40, dx in -20f32..50.0, dy in -20f32..50.0, angle in -3.1f32..3.1
        ) {
            let size = Size { width, height };
            let packed = Packed::new(size, |y, lines| {
                for (channel, line) in lines.into_iter().enumerate() {
                    line.iter_mut().enumerate().for_each(|(x, v)| *v = (x * 3 + y * 2 + channel) as f32 + 0.25);
                }
            });
            let (map, mix) = (Map { a: angle.cos(), b: angle.sin(), dx, dy }, Mix::Colours(1.0 / Packed::UNIT));
            for isa in Isa::all() {
                let made = run(isa, &packed, map, mix);
                near(&made, &run(Isa::Portable, &packed, map, mix), 0.02)?;
                for (i, made) in made.iter().enumerate() {
                    let (channel, x, y) = (i / (SIDE * SIDE), (i % SIDE) as f32, (i / SIDE % SIDE) as f32);
                    let px = (map.a * x - map.b * y + dx).clamp(0.0, (width - 1) as f32);
                    let py = (map.b * x + map.a * y + dy).clamp(0.0, (height - 1) as f32);
                    let wanted = px * 3.0 + py * 2.0 + channel as f32 + 0.25;
                    prop_assert!((made - wanted).abs() < 0.01, "{isa:?}: {made} {wanted}");
                }
            }
        }
    }

    #[test]
    fn a_plane_that_32_bits_do_not_count_is_refused() {
        let plane = Plane { data: &[], stride: usize::MAX };
        assert!(Nv12::new(plane, plane, Size { width: 4, height: 4 }).is_none());
    }
}
