//! Weighted sums of rows of samples: the first half of scaling a plane.
//!
//! Rows first, because neighbours in a row then stay neighbours: whole registers of bytes are multiplied and added.
//! Sums are signed numbers of 16 bits, half the memory of `f32`, and what the second half ([`crate::kernels::across`])
//! multiplies pairwise.

use crate::{
    kernels::simd::loops::{Lanes, fma, vectorised},
    taps::{Taps, Whole},
};

/// What a sample of 1 counts for in sums whose weights are no fractions of a small number. Such sums are rounded, to
/// 1/256 of a sample at most for every four rows.
const DEPTH: i16 = 128;
/// Rows in one pass.
const ROWS: usize = 4;

/// What every output row is made of.
pub(crate) struct Down {
    taps: Taps,
    whole: Whole,
}

impl Down {
    pub(crate) fn new(taps: Taps) -> Self {
        let whole = taps.whole();
        Self { taps, whole }
    }

    /// What a sample of 1 counts for in the sums.
    pub(crate) fn unit(&self) -> i16 {
        if self.whole.is_exact() { self.whole.total } else { DEPTH }
    }

    /// Sums the rows of output `y`. Channel `c` of `C` interleaved ones, from pixel `first` on, goes to `sums[c]`; all are
    /// of one length. A row that is not there reads as zeros.
    pub(crate) fn sum<'a, const C: usize>(
        &self,
        y: usize,
        row: impl Fn(usize) -> Option<&'a [[u8; C]]>,
        sums: &mut [&mut [i16]; C],
    ) {
        let (first, shares) = self.taps.of(y);
        let counts = self.whole.weights.chunks_exact(shares.len()).nth(y).unwrap_or_default();
        let (mut pass, mut waiting, mut is_first) = (Pass::new(self.whole.is_exact()), 0, true);
        for ((row_at, share), count) in (first..).zip(shares).zip(counts) {
            if *share == 0.0 {
                continue;
            }
            let Some(samples) = row(row_at) else { continue };
            (pass.rows[waiting], pass.shares[waiting], pass.counts[waiting]) = (samples, *share, *count);
            waiting += 1;
            if waiting == ROWS {
                pass.run(waiting, is_first, sums);
                (waiting, is_first) = (0, false);
            }
        }
        if waiting > 0 {
            pass.run(waiting, is_first, sums);
        } else if is_first {
            sums.iter_mut().for_each(|sums| sums.fill(0));
        }
    }
}

/// A few rows and their weights.
struct Pass<'a, const C: usize> {
    rows: [&'a [[u8; C]]; ROWS],
    shares: [f32; ROWS],
    counts: [i16; ROWS],
    is_exact: bool,
}

impl<const C: usize> Pass<'_, C> {
    fn new(is_exact: bool) -> Self {
        Self { rows: [&[]; ROWS], shares: [0.0; ROWS], counts: [0; ROWS], is_exact }
    }

    fn run(&self, rows: usize, is_first: bool, sums: &mut [&mut [i16]; C]) {
        // The number of rows as a constant: the loop over them is unrolled.
        match rows {
            1 => self.counted::<1>(is_first, sums),
            2 => self.counted::<2>(is_first, sums),
            3 => self.counted::<3>(is_first, sums),
            _ => self.counted::<ROWS>(is_first, sums),
        }
    }

    fn counted<const N: usize>(&self, is_first: bool, sums: &mut [&mut [i16]; C]) {
        let rows = std::array::from_fn(|n| self.rows[n]);
        let before = if is_first { 0 } else { -1 };
        if self.is_exact {
            let weights = std::array::from_fn(|n| self.counts[n]);
            vectorised(Exact::<N, C> { rows, weights, before, sums });
        } else {
            let weights = std::array::from_fn(|n| self.shares[n] * f32::from(DEPTH));
            vectorised(Rounded::<N, C> { rows, weights, before, sums });
        }
    }
}

/// `sums = (sums & before) + Σ weight · row`, in whole numbers.
struct Exact<'a, 'b, const N: usize, const C: usize> {
    rows: [&'a [[u8; C]]; N],
    weights: [i16; N],
    before: i16,
    sums: &'a mut [&'b mut [i16]; C],
}

impl<const N: usize, const C: usize> Lanes for Exact<'_, '_, N, C> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let length = self.sums[0].len();
        let rows = self.rows.map(|row| &row[..length]);
        let mut sums = self.sums.each_mut().map(|sums| &mut sums[..length]);
        for i in 0..length {
            for (c, sums) in sums.iter_mut().enumerate() {
                let mut sum = sums[i] & self.before;
                for (row, weight) in rows.iter().zip(self.weights) {
                    // The weights sum to 128 at most: nothing wraps, and nothing is checked.
                    sum = sum.wrapping_add(channel(row[i], c).wrapping_mul(weight));
                }
                sums[i] = sum;
            }
        }
    }
}

/// One channel of a pixel.
#[inline(always)]
fn channel<const C: usize>(pixel: [u8; C], c: usize) -> i16 {
    // A pair as one number: the channels are its halves, where separate bytes would have to be moved.
    match pixel.first_chunk::<2>() {
        Some(pair) if C == 2 => (u16::from_le_bytes(*pair) >> (8 * c) & 255).cast_signed(),
        _ => i16::from(pixel[c]),
    }
}

/// The same with any weights; each pass is rounded to the nearest.
struct Rounded<'a, 'b, const N: usize, const C: usize> {
    rows: [&'a [[u8; C]]; N],
    weights: [f32; N],
    before: i16,
    sums: &'a mut [&'b mut [i16]; C],
}

/// Added to a number of less than 2²², leaves it in the low bits, rounded.
const ROUND: f32 = 12_582_912.0;

impl<const N: usize, const C: usize> Lanes for Rounded<'_, '_, N, C> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let length = self.sums[0].len();
        let rows = self.rows.map(|row| &row[..length]);
        let mut sums = self.sums.each_mut().map(|sums| &mut sums[..length]);
        for i in 0..length {
            for (c, sums) in sums.iter_mut().enumerate() {
                let mut sum = 0.0;
                for (row, weight) in rows.iter().zip(self.weights) {
                    sum = fma::<FMA>(f32::from(channel(row[i], c)), weight, sum);
                }
                sums[i] = (sums[i] & self.before).wrapping_add((sum + ROUND).to_bits() as i16);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_of_rows_are_what_double_precision_says(
            rows in 1usize..60, width in 1usize..70, outputs in 1usize..20, start in -9f32..50.0, length in 0.5f32..90.0,
            missing in 0usize..90
        ) {
            let samples: Vec<[u8; 2]> = (0..rows * width).map(|i| [(i * 73 % 256) as u8, (i * i % 251) as u8]).collect();
            let down = Down::new(Taps::new(outputs, start, length, rows));
            for y in 0..outputs {
                let row = |row: usize| (row != missing).then(|| &samples[row * width..][..width]);
                let mut sums = [vec![7i16; width], vec![7; width]];
                let [first, second] = &mut sums;
                down.sum(y, row, &mut [first, second]);
                let (from, weights) = down.taps.of(y);
                for (channel, sums) in sums.iter().enumerate() {
                    for (x, sum) in sums.iter().enumerate() {
                        let share = |(row_at, weight): (usize, &f32)| {
                            row(row_at).map_or(0.0, |row| f64::from(*weight) * f64::from(row[x][channel]))
                        };
                        let wanted: f64 = (from..).zip(weights).map(share).sum();
                        // Half a unit is lost in every pass of four rows.
                        let bound = 3e-3 + 0.5 / f64::from(DEPTH) * weights.len().div_ceil(ROWS) as f64;
                        let got = f64::from(*sum) / f64::from(down.unit());
                        prop_assert!((got - wanted).abs() < bound, "{got} {wanted}");
                    }
                }
            }
        }

        #[test]
        fn wide_and_narrow_registers_agree(
            rows in proptest::array::uniform3(proptest::collection::vec(any::<[u8; 2]>(), 100)), width in 0usize..100,
            weights in proptest::array::uniform3(0f32..0.33), is_first in any::<bool>()
        ) {
            let before = if is_first { 0 } else { -1 };
            let run = |is_wide: bool| {
                let mut made = [vec![5i16; width], vec![6; width], vec![5; width], vec![6; width]];
                let [a, b, c, d] = made.each_mut().map(Vec::as_mut_slice);
                let rows = rows.each_ref().map(Vec::as_slice);
                let (exact, rounded) = (weights.map(|w| (w * 100.0) as i16), weights.map(|w| w * f32::from(DEPTH)));
                let mut sums = [a, b];
                let exact = Exact { rows, weights: exact, before, sums: &mut sums };
                if is_wide { vectorised(exact) } else { exact.run::<false>() }
                let mut sums = [c, d];
                let rounded = Rounded { rows, weights: rounded, before, sums: &mut sums };
                if is_wide { vectorised(rounded) } else { rounded.run::<false>() }
                made
            };
            let (wide, narrow) = (run(true), run(false));
            prop_assert_eq!(&wide[..2], &narrow[..2]);
            // One rounding or two: a tie may fall to either side.
            let pairs = wide[2..].iter().flatten().zip(narrow[2..].iter().flatten());
            pairs.for_each(|(wide, narrow)| assert!((wide - narrow).abs() <= 1));
        }
    }
}
