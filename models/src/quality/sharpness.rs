//! Sharpness, in all directions and in each of two.
//!
//! What moves while the shutter is open loses its edges along the way only; what is out of focus, compressed or drawn
//! larger than it was loses them in every direction. So the two directions are told apart.

use crate::quality::luma::{INNER_FACE, Luma};

/// Standard deviation of the Laplacian at which an aligned crop is half sharp, 8-bit luma.
const HALF_LAPLACIAN: f32 = 10.0;
/// The same of each direction's second derivative, about half of the Laplacian's.
const HALF_ALONG: f32 = 5.0;

/// How sharp, 0..=1.
pub(super) struct Sharpness {
    /// From the Laplacian: σ / (σ + 10).
    pub(super) all: f32,
    /// From the second derivative from left to right: σ / (σ + 5). What moves sideways loses it.
    pub(super) sideways: f32,
    /// From the second derivative downwards. What moves up or down loses it.
    pub(super) upright: f32,
}

/// Sums that a variance needs.
#[derive(Default)]
struct Spread {
    sum: f64,
    squares: f64,
}

impl Spread {
    fn add(&mut self, value: f32) {
        let value = f64::from(value);
        self.sum += value;
        self.squares += value * value;
    }

    fn deviation(&self, n: f64) -> f32 {
        (self.squares / n - (self.sum / n) * (self.sum / n)).max(0.0).sqrt() as f32
    }
}

/// Measures the inner face.
pub(super) fn sharpness(luma: &Luma) -> Sharpness {
    let (mut all, mut sideways, mut upright) = (Spread::default(), Spread::default(), Spread::default());
    for y in INNER_FACE.top..INNER_FACE.bottom {
        let (from, to) = (INNER_FACE.left, INNER_FACE.right);
        let (above, row, below) = (&luma.row(y - 1)[from..to], luma.row(y), &luma.row(y + 1)[from..to]);
        let neighbours = row[from - 1..to - 1].iter().zip(&row[from + 1..=to]).zip(above.iter().zip(below));
        for (((left, right), (above, below)), here) in neighbours.zip(&row[from..to]) {
            all.add(left + right + above + below - 4.0 * here);
            sideways.add(left + right - 2.0 * here);
            upright.add(above + below - 2.0 * here);
        }
    }
    let n = f64::from(INNER_FACE.pixels());
    let share = |spread: &Spread, half: f32| {
        let deviation = spread.deviation(n);
        deviation / (deviation + half)
    };
    Sharpness {
        all: share(&all, HALF_LAPLACIAN),
        sideways: share(&sideways, HALF_ALONG),
        upright: share(&upright, HALF_ALONG),
    }
}
