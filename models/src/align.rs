//! The aligned crop: five landmarks moved onto the places that embedders were trained with.

use crate::{
    colour::ToRgb,
    image::{Plane, Planes, Point, Rgb, Size, View},
};

/// Side of an aligned crop in pixels.
pub const SIDE: u32 = 112;

/// Where the landmarks lie in an aligned crop: the template of ArcFace (Deng et al. 2019, insightface `arcface_src`).
pub const TEMPLATE: [Point; 5] = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// A turn, a scale and a shift: `x' = a·x − b·y + dx`, `y' = b·x + a·y + dy`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Scale times cosine.
    pub a: f32,
    /// Scale times sine.
    pub b: f32,
    /// Shift to the right, pixels.
    pub dx: f32,
    /// Shift downwards, pixels.
    pub dy: f32,
}

impl Similarity {
    /// The similarity that moves `from` closest to `onto` by least squares (Umeyama 1991 without reflection).
    ///
    /// `None` when the points of `from` fall together or are not finite: no direction can be read from them.
    pub fn fitted(from: &[Point; 5], onto: &[Point; 5]) -> Option<Self> {
        let mean = |points: &[Point; 5]| {
            let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + f64::from(p.x), y + f64::from(p.y)));
            (x / 5.0, y / 5.0)
        };
        let ((fx, fy), (ox, oy)) = (mean(from), mean(onto));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (f, o) in from.iter().zip(onto) {
            let (x, y) = (f64::from(f.x) - fx, f64::from(f.y) - fy);
            let (u, v) = (f64::from(o.x) - ox, f64::from(o.y) - oy);
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        if !(spread.is_finite() && spread > 1e-6) || along.hypot(across) <= 1e-9 * spread {
            return None;
        }
        let (a, b) = (along / spread, across / spread);
        Some(Self { a: a as f32, b: b as f32, dx: (ox - a * fx + b * fy) as f32, dy: (oy - b * fx - a * fy) as f32 })
    }

    /// The position of `p` after the move.
    pub fn moved(&self, p: Point) -> Point {
        Point { x: self.a * p.x - self.b * p.y + self.dx, y: self.b * p.x + self.a * p.y + self.dy }
    }

    /// The way back. Must not be asked of a similarity of scale 0.
    fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, dx: -(a * self.dx - b * self.dy), dy: -(b * self.dx + a * self.dy) }
    }
}

/// The face with these landmarks (frame pixels) as an upright crop of 112×112, straight from the planes.
///
/// Bilinear; a face larger than the crop is averaged over the area of each pixel, so that a close look is not aliased
/// into a worse one. Outside the picture is black, as in training. Landmarks that span nothing give a black crop.
pub fn aligned(view: &View<'_>, landmarks: &[Point; 5]) -> Rgb {
    let pixels = (SIDE * SIDE) as usize;
    let mut crop = Rgb { size: Size { width: SIDE, height: SIDE }, data: vec![0.0; 3 * pixels] };
    let Some(onto) = Similarity::fitted(landmarks, &TEMPLATE) else { return crop };
    let back = onto.inverse();
    if ![back.a, back.b, back.dx, back.dy].iter().all(|v| v.is_finite()) {
        return crop;
    }
    // Samples an axis: as many as frame pixels a crop pixel covers; beyond 8 the means no longer change visibly.
    let per_axis = back.a.hypot(back.b).ceil().clamp(1.0, 8.0) as usize;
    let (samples, share) = (Samples::new(view), 1.0 / (per_axis * per_axis) as f32);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let mut sum = [0f32; 3];
            for sub in 0..per_axis * per_axis {
                let inside = |i: usize| (i as f32 + 0.5) / per_axis as f32 - 0.5;
                let at = Point { x: x as f32 + inside(sub % per_axis), y: y as f32 + inside(sub / per_axis) };
                let yuv = samples.at(back.moved(at));
                sum.iter_mut().zip(yuv).for_each(|(sum, v)| *sum += v);
            }
            let index = (y * SIDE + x) as usize;
            for (channel, value) in samples.rgb(sum.map(|v| v * share)).into_iter().enumerate() {
                crop.data[channel * pixels + index] = value;
            }
        }
    }
    crop
}

/// The planes as a field of three numbers, in the colour space they are stored in.
struct Samples<'a> {
    view: &'a View<'a>,
    to_rgb: ToRgb,
    width: f32,
    height: f32,
    black: [f32; 3],
}

impl<'a> Samples<'a> {
    fn new(view: &'a View<'a>) -> Self {
        let black = match (view.planes, view.range) {
            (Planes::Rgb(_), _) => [0.0; 3],
            (_, crate::image::Range::Limited) => [16.0, 128.0, 128.0],
            (_, crate::image::Range::Full) => [0.0, 128.0, 128.0],
        };
        let (width, height) = (view.size.width as f32, view.size.height as f32);
        Self { view, to_rgb: ToRgb::new(view.matrix, view.range), width, height, black }
    }

    /// The three numbers at a frame position; black outside.
    #[inline]
    fn at(&self, p: Point) -> [f32; 3] {
        if !(p.x >= -0.5 && p.y >= -0.5 && p.x <= self.width - 0.5 && p.y <= self.height - 0.5) {
            return self.black;
        }
        let (w, h) = (self.view.size.width as usize, self.view.size.height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        // The centre of a chroma sample lies between four luma samples.
        let (cx, cy) = ((p.x - 0.5) / 2.0, (p.y - 0.5) / 2.0);
        match self.view.planes {
            Planes::Rgb(plane) => [0, 1, 2].map(|c| between(plane, p.x, p.y, (w, h), 3, c)),
            Planes::Nv12 { luma, chroma } => [
                between(luma, p.x, p.y, (w, h), 1, 0),
                between(chroma, cx, cy, (cw, ch), 2, 0),
                between(chroma, cx, cy, (cw, ch), 2, 1),
            ],
            Planes::I420 { luma, u, v } => [
                between(luma, p.x, p.y, (w, h), 1, 0),
                between(u, cx, cy, (cw, ch), 1, 0),
                between(v, cx, cy, (cw, ch), 1, 0),
            ],
        }
    }

    /// The three numbers as R, G and B.
    fn rgb(&self, [a, b, c]: [f32; 3]) -> [f32; 3] {
        match self.view.planes {
            Planes::Rgb(_) => [a, b, c],
            _ => self.to_rgb.rgb(a, b, c),
        }
    }
}

/// Bilinear interpolation of one channel of a plane; the edge is repeated.
#[inline]
fn between(plane: Plane<'_>, x: f32, y: f32, (w, h): (usize, usize), channels: usize, channel: usize) -> f32 {
    let (w, h) = (w.max(1), h.max(1));
    let (x, y) = (x.clamp(0.0, (w - 1) as f32), y.clamp(0.0, (h - 1) as f32));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(w - 1), (top + 1).min(h - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    // A plane shorter than promised reads as black instead of ending the process.
    let sample =
        |x: usize, y: usize| f32::from(plane.data.get(y * plane.stride + x * channels + channel).copied().unwrap_or(0));
    let upper = sample(left, top) * (1.0 - fx) + sample(right, top) * fx;
    let lower = sample(left, bottom) * (1.0 - fx) + sample(right, bottom) * fx;
    upper * (1.0 - fy) + lower * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Matrix, Range};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_known_similarity_is_recovered(
            angle in -3.1f32..3.1, scale in 0.1f32..20.0, dx in -2000f32..2000.0, dy in -2000f32..2000.0
        ) {
            let known = Similarity { a: scale * angle.cos(), b: scale * angle.sin(), dx, dy };
            let moved = TEMPLATE.map(|p| known.moved(p));
            let found = Similarity::fitted(&TEMPLATE, &moved).unwrap();
            for (p, wanted) in TEMPLATE.iter().zip(moved) {
                let got = found.moved(*p);
                prop_assert!((got.x - wanted.x).hypot(got.y - wanted.y) < 1e-2, "{got:?} {wanted:?}");
            }
            let back = found.inverse().moved(found.moved(Point { x: 10.0, y: 20.0 }));
            prop_assert!((back.x - 10.0).hypot(back.y - 20.0) < 2e-2);
        }
    }

    /// Red rises to the right, green downwards: a crop pixel then tells where it was read.
    fn ramp() -> Vec<u8> {
        (0..200u32 * 200).flat_map(|i| [(i % 200) as u8, (i / 200) as u8, 7]).collect()
    }

    fn ramp_view(data: &[u8]) -> View<'_> {
        let size = Size { width: 200, height: 200 };
        View { size, planes: Planes::Rgb(Plane { data, stride: 600 }), matrix: Matrix::Bt601, range: Range::Full }
    }

    #[test]
    fn landmarks_land_on_the_template() {
        let data = ramp();
        let onto = Similarity { a: 1.1, b: 0.4, dx: 30.0, dy: 10.0 };
        let crop = aligned(&ramp_view(&data), &TEMPLATE.map(|p| onto.moved(p)));
        for (x, y) in [(38u32, 52u32), (73, 52), (56, 72), (41, 92), (71, 92)] {
            let wanted = onto.moved(Point { x: x as f32, y: y as f32 });
            let index = (y * SIDE + x) as usize;
            assert!((crop.data[index] - wanted.x).abs() < 0.1, "{} {wanted:?}", crop.data[index]);
            assert!((crop.data[(SIDE * SIDE) as usize + index] - wanted.y).abs() < 0.1);
        }
    }

    #[test]
    fn outside_the_picture_is_black() {
        let data = ramp();
        let crop = aligned(&ramp_view(&data), &TEMPLATE.map(|p| Point { x: p.x - 56.0, y: p.y }));
        assert_eq!(crop.data[2 * (SIDE * SIDE) as usize], 0.0, "blue is 7 everywhere inside");
        assert_eq!(crop.data[2 * (SIDE * SIDE) as usize + 100], 7.0);
    }

    #[test]
    fn landmarks_that_span_nothing_give_black_not_a_panic() {
        let data = ramp();
        for p in [Point { x: 5.0, y: 5.0 }, Point { x: f32::NAN, y: 0.0 }, Point { x: f32::INFINITY, y: 1.0 }] {
            assert!(aligned(&ramp_view(&data), &[p; 5]).data.iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn a_plane_shorter_than_promised_does_not_panic() {
        let data = [9u8; 100];
        aligned(&ramp_view(&data), &TEMPLATE);
        crate::resample::letterbox(&ramp_view(&data), Size { width: 64, height: 32 });
    }
}
