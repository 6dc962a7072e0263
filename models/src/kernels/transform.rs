//! What Winograd's convolution does before and after it multiplies: transforms of a tile, one direction at a time.
//!
//! A 3-tap filter over `IN` numbers is a product of polynomials: taken at `IN − 1` points and at infinity it is `IN`
//! products, where the plain sums are `3 · OUT`. In both directions: `IN²` for `9 · OUT²` (Lavin and Gray, 2015).

use crate::kernels::{
    simd::{LANES, Simd},
    tile::{eight, eight_mut},
};

/// Taps of a filter in one direction.
pub(crate) const TAPS: usize = 3;
/// Most numbers that a transform reads.
pub(crate) const MOST: usize = 6;

/// Which points.
pub(crate) trait Points {
    /// Outputs of a tile in one direction.
    const OUT: usize;
    /// Inputs of it: `OUT + 2`.
    const IN: usize;
    /// Filter taps at the points.
    fn filter(taps: [f64; 3]) -> [f64; MOST];
    /// Inputs, the first `IN` of them, so that products with the filter give [`Self::output`] what it wants.
    fn input<S: Simd>(simd: S, tile: [S::F; MOST]) -> [S::F; MOST];
    /// From products at the points to the first `OUT` numbers.
    fn output<S: Simd>(simd: S, products: [S::F; MOST]) -> [S::F; MOST];
}

/// Tiles of 2×2 outputs: 16 products for 36. Points 0, 1, −1 and infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Two;

impl Points for Two {
    const OUT: usize = 2;
    const IN: usize = 4;

    fn filter([a, b, c]: [f64; 3]) -> [f64; MOST] {
        [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c, 0.0, 0.0]
    }

    #[inline(always)]
    fn input<S: Simd>(simd: S, d: [S::F; MOST]) -> [S::F; MOST] {
        let less = |a, b| simd.mul_add(b, simd.splat(-1.0), a);
        [less(d[0], d[2]), simd.add(d[2], d[1]), less(d[2], d[1]), less(d[3], d[1]), d[4], d[5]]
    }

    #[inline(always)]
    fn output<S: Simd>(simd: S, m: [S::F; MOST]) -> [S::F; MOST] {
        let less = |a, b| simd.mul_add(b, simd.splat(-1.0), a);
        let (sum, difference) = (simd.add(m[1], m[2]), less(m[1], m[2]));
        [simd.add(m[0], sum), simd.add(difference, m[3]), m[2], m[3], m[4], m[5]]
    }
}

/// Tiles of 4×4 outputs: 36 products for 144.
///
/// Points 0, ±√½, ±√2 and infinity: sums of 2304 products are off by 2.1e-6 of the greatest at most, plain sums by 1.5e-6;
/// those of most texts, ±1 and ±2, by 7.6e-6 (measured).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Four;

/// The points of [`Four`] and their squares, of which the product is 1.
const NEAR: f32 = std::f32::consts::FRAC_1_SQRT_2;
const FAR: f32 = std::f32::consts::SQRT_2;

impl Points for Four {
    const OUT: usize = 4;
    const IN: usize = 6;

    fn filter([a, b, c]: [f64; 3]) -> [f64; MOST] {
        // Each value over the product of the distances to the other points.
        let at = |point: f64, over: f64| (a + point * b + point * point * c) / over;
        let (near, far) = (std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::SQRT_2);
        [a, at(near, -1.5), at(-near, -1.5), at(far, 6.0), at(-far, 6.0), c]
    }

    #[inline(always)]
    fn input<S: Simd>(simd: S, d: [S::F; MOST]) -> [S::F; MOST] {
        let times_add = |a, times: f32, b| simd.mul_add(a, simd.splat(times), b);
        // Even and odd powers apart: points of two signs share both.
        let (even_near, even_far) = (times_add(d[2], -2.0, d[4]), times_add(d[2], -0.5, d[4]));
        let (odd_near, odd_far) = (times_add(d[1], -2.0, d[3]), times_add(d[1], -0.5, d[3]));
        [
            times_add(d[2], -2.5, simd.add(d[0], d[4])),
            times_add(odd_near, NEAR, even_near),
            times_add(odd_near, -NEAR, even_near),
            times_add(odd_far, FAR, even_far),
            times_add(odd_far, -FAR, even_far),
            times_add(d[3], -2.5, simd.add(d[1], d[5])),
        ]
    }

    #[inline(always)]
    fn output<S: Simd>(simd: S, m: [S::F; MOST]) -> [S::F; MOST] {
        let times_add = |a, times: f32, b| simd.mul_add(a, simd.splat(times), b);
        let times = |a, times: f32| simd.mul_add(a, simd.splat(times), simd.splat(0.0));
        let less = |a, b| times_add(b, -1.0, a);
        let (even_near, odd_near) = (simd.add(m[1], m[2]), less(m[1], m[2]));
        let (even_far, odd_far) = (simd.add(m[3], m[4]), less(m[3], m[4]));
        [
            simd.add(m[0], simd.add(even_near, even_far)),
            times_add(odd_near, NEAR, times(odd_far, FAR)),
            times_add(even_near, 0.5, times(even_far, 2.0)),
            times_add(odd_near, 0.5 * NEAR, times_add(odd_far, 2.0 * FAR, m[5])),
            m[4],
            m[5],
        ]
    }
}

/// A filter at all points in both directions, row by row; in double precision until the end.
pub(crate) fn filter<P: Points>(taps: &[f32; TAPS * TAPS]) -> [f32; MOST * MOST] {
    let rows: [[f64; MOST]; TAPS] =
        std::array::from_fn(|y| P::filter(std::array::from_fn(|x| f64::from(taps[y * TAPS + x]))));
    let mut made = [0.0; MOST * MOST];
    for x in 0..P::IN {
        let column = P::filter(rows.map(|row| row[x]));
        for y in 0..P::IN {
            made[y * P::IN + x] = column[y] as f32;
        }
    }
    made
}

/// Both directions of the input's transform: rows, then columns. Rows lie `line` floats apart.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "a range of known length is unrolled")]
pub(crate) fn transformed<S: Simd, P: Points>(simd: S, from: &[f32], line: usize, into: &mut [f32], apart: usize) {
    let mut rows = [[simd.splat(0.0); MOST]; MOST];
    for y in 0..P::IN {
        let row = &from[y * line..][..P::IN * LANES];
        let mut tile = [simd.splat(0.0); MOST];
        for x in 0..P::IN {
            tile[x] = simd.load(eight(row, x));
        }
        rows[y] = P::input(simd, tile);
    }
    for x in 0..P::IN {
        let mut tile = [simd.splat(0.0); MOST];
        for y in 0..P::IN {
            tile[y] = rows[y][x];
        }
        let tile = P::input(simd, tile);
        for y in 0..P::IN {
            simd.store(tile[y], eight_mut(&mut into[(y * P::IN + x) * apart..], 0));
        }
    }
}
