//! The aligned crop: five landmarks moved onto the places that embedders were trained with.

use crate::{
    image::{Point, Rect, Rgb, Size, View},
    resample::reduced,
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
/// The part of the frame that the crop shows is first reduced by a whole factor to about the crop's resolution (the
/// mean of each area, so that a close look is not aliased into a worse one), then turned by bilinear interpolation.
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
    let region = Rect { x: left - 0.5, y: top - 0.5, width: width * factor, height: height * factor };
    let reduced = reduced(view, region, Size { width: width as u32, height: height as u32 });
    let (frame_width, frame_height) = (view.size.width as f32 - 0.5, view.size.height as f32 - 0.5);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let p = back.moved(Point { x: x as f32, y: y as f32 });
            if p.x < -0.5 || p.y < -0.5 || p.x > frame_width || p.y > frame_height {
                continue;
            }
            // Positions count from the centre of the first pixel; reducing is about its corner.
            let place = |p: f32, start: f32| ((p - start + 0.5) / factor - 0.5).max(0.0);
            let values = between(&reduced, place(p.x, left), place(p.y, top));
            for (channel, value) in values.into_iter().enumerate() {
                crop.data[channel * pixels + (y * SIDE + x) as usize] = value;
            }
        }
    }
    crop
}

/// Bilinear interpolation; the edge is repeated.
#[inline]
fn between(picture: &Rgb, x: f32, y: f32) -> [f32; 3] {
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let (left, top) = ((x as usize).min(width - 1), (y as usize).min(height - 1));
    let (right, below) = (usize::from(left + 1 < width), if top + 1 < height { width } else { 0 });
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = top * width + left;
    [0, 1, 2].map(|channel| {
        let plane = &picture.data[channel * width * height..][at..];
        let upper = plane[0] + (plane[right] - plane[0]) * fx;
        let lower = plane[below] + (plane[below + right] - plane[below]) * fx;
        upper + (lower - upper) * fy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Matrix, Plane, Planes, Range};
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
