//! The aligned crop, 112×112, from five landmarks.

use crate::{
    colour::ToRgb,
    image::{Plane, Planes, Point, Rect, Rgb, Size, View},
    kernels::{
        across::Mix,
        scale::Scaling,
        simd::isa::Isa,
        warp::{I420, Map, Nv12, Packed, Warp},
    },
};

/// Side of an aligned crop in pixels.
pub const SIDE: u32 = 112;

/// Rows of a picture that a crop can show without being reduced: it is turned and no more than 1.5 times as large.
const ROWS: u32 = 4 * SIDE;

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
/// Where the face is large, the part of the frame that the crop shows is first reduced by a whole factor to about the
/// crop's resolution (the mean of each area, so that a close look is not aliased into a worse one). Then, or from the
/// planes themselves, it is turned by bilinear interpolation.
/// Outside the picture is black, as in training. Landmarks that span nothing give a black crop.
pub fn aligned(view: &View<'_>, landmarks: &[Point; 5]) -> Rgb {
    let pixels = (SIDE * SIDE) as usize;
    let mut crop = Rgb { size: Size { width: SIDE, height: SIDE }, data: vec![0.0; 3 * pixels] };
    let Some(onto) = Similarity::fitted(landmarks, &TEMPLATE) else { return crop };
    let back = onto.inverse();
    if ![back.a, back.b, back.dx, back.dy].iter().all(|v| v.is_finite()) {
        return crop;
    }
    let far = (SIDE - 1) as f32;
    let corners = [(0.0, 0.0), (far, 0.0), (0.0, far), (far, far)].map(|(x, y)| back.moved(Point { x, y }));
    let least = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::INFINITY, f32::min).floor() - 1.0;
    let most = |of: fn(&Point) -> f32| corners.iter().map(of).fold(f32::NEG_INFINITY, f32::max).ceil() + 1.0;
    let (left, top) = (least(|p| p.x), least(|p| p.y));
    let factor = back.a.hypot(back.b).round().max(1.0);
    let side = |length: f32| (length / factor).ceil() + 1.0;
    let (width, height) = (side(most(|p| p.x) - left), side(most(|p| p.y) - top));
    // A crop pixel covers less than 1.5 reduced ones, in any direction; more is a number that is no position.
    if !(width <= 4.0 * SIDE as f32 && height <= 4.0 * SIDE as f32) {
        return crop;
    }
    let (frame_width, frame_height) = (view.size.width as f32 - 0.5, view.size.height as f32 - 0.5);
    let isa = Isa::best();
    let direct = if factor == 1.0 { Direct::new(view, top) } else { None };
    let (side, mix) = (SIDE as usize, direct.as_ref().map(|_| ToRgb::new(view.matrix, view.range).mix([1.0, 1.0])));
    match (direct, mix) {
        (Some(Direct { planes, above }), Some(mix)) => {
            let map = Map { a: back.a, b: back.b, dx: back.dx, dy: back.dy - above };
            let into = crop.data.as_mut_slice();
            match planes {
                DirectPlanes::Nv12(source) => isa.run(Warp { source, map, mix, into, side }),
                DirectPlanes::I420(source) => isa.run(Warp { source, map, mix, into, side }),
            }
        }
        _ => {
            let region = Rect { x: left - 0.5, y: top - 0.5, width: width * factor, height: height * factor };
            let size = Size { width: width as u32, height: height as u32 };
            let mut scaling = Scaling::new(view, region, size);
            let reduced = Packed::new(size, |y, line| scaling.row(y, line));
            // Positions count from the centre of the first pixel; reducing is about its corner.
            let place = |p: f32, start: f32| (p - start + 0.5) / factor - 0.5;
            let map = Map { a: back.a / factor, b: back.b / factor, dx: place(back.dx, left), dy: place(back.dy, top) };
            let mix = Mix::Colours(1.0 / Packed::UNIT);
            isa.run(Warp { source: &reduced, map, mix, into: &mut crop.data, side });
        }
    }
    let is_outside = |p: Point| p.x < -0.5 || p.y < -0.5 || p.x > frame_width || p.y > frame_height;
    if corners.iter().any(|p| is_outside(*p)) {
        for (index, (x, y)) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))).enumerate() {
            if is_outside(back.moved(Point { x: x as f32, y: y as f32 })) {
                (0..3).for_each(|channel| crop.data[channel * pixels + index] = 0.0);
            }
        }
    }
    crop
}

/// Planes that can be read without being reduced first, from a row near the crop's top on.
struct Direct<'a> {
    planes: DirectPlanes<'a>,
    /// Rows above the first of these planes.
    above: f32,
}

enum DirectPlanes<'a> {
    Nv12(Nv12<'a>),
    I420(I420<'a>),
}

impl<'a> Direct<'a> {
    fn new(view: &View<'a>, top: f32) -> Option<Self> {
        // Two rows above, and an even number, so that chroma begins with a row of its own.
        let above = (top.max(0.0) as u32).saturating_sub(2).min(view.size.height.saturating_sub(1)) & !1;
        let rows = (view.size.height - above).min(ROWS);
        let size = Size { width: view.size.width, height: rows };
        let from = |plane: Plane<'a>, rows: u32| {
            let start = plane.stride.saturating_mul(rows as usize);
            Plane { data: plane.data.get(start..).unwrap_or_default(), ..plane }
        };
        let planes = match view.planes {
            Planes::Nv12 { luma, chroma } => {
                DirectPlanes::Nv12(Nv12::new(from(luma, above), from(chroma, above / 2), size)?)
            }
            Planes::I420 { luma, u, v } => {
                DirectPlanes::I420(I420::new(from(luma, above), from(u, above / 2), from(v, above / 2), size)?)
            }
            Planes::Rgb(_) => return None,
        };
        Some(Self { planes, above: above as f32 })
    }
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

    /// Luma rises to the right, chroma says grey: in every layout, at every size of the face, a pixel tells its column.
    #[test]
    fn planes_are_read_where_the_landmarks_are() {
        let luma: Vec<u8> = (0..240usize * 240).map(|i| (i % 240) as u8).collect();
        let grey = vec![128; 120 * 240];
        let plane = |data, stride| Plane { data, stride };
        let (y, uv, u) = (plane(luma.as_slice(), 240), plane(grey.as_slice(), 240), plane(grey.as_slice(), 120));
        let size = Size { width: 240, height: 240 };
        for planes in [Planes::Nv12 { luma: y, chroma: uv }, Planes::I420 { luma: y, u, v: u }] {
            let view = View { size, planes, matrix: Matrix::Bt709, range: Range::Full };
            for scale in [0.4, 1.0, 1.4, 1.9] {
                let onto = Similarity { a: scale, b: 0.1, dx: 20.0, dy: 5.0 };
                let crop = aligned(&view, &TEMPLATE.map(|p| onto.moved(p)));
                for (i, got) in crop.data.iter().enumerate() {
                    let at = i as u32 % (SIDE * SIDE);
                    let wanted = onto.moved(Point { x: (at % SIDE) as f32, y: (at / SIDE) as f32 });
                    // The ramp ends at the edge, which the mean of an area over it does not know.
                    if wanted.x < 236.0 && wanted.y < 236.0 {
                        assert!((got - wanted.x).abs() < 0.2, "{scale}: {got} {wanted:?}");
                    }
                }
            }
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
