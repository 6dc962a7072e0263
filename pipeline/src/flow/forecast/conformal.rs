//! Intervals that are right as often as they say: variance learnt, levels corrected.
//!
//! Variance grows with the mean in two ways, `mean + a mean + b mean²`: people who come together, and days on which more come
//! than expected. Both are fitted to what forecasts missed by, apart for each horizon and kind of hour. Whatever is then
//! still wrong with the distribution, the levels take up: adaptive conformal inference (Gibbs and Candès 2021) on each
//! quantile, with steps that shrink as experience grows (Angelopoulos, Barber and Bates 2024) but never to nothing.

use crate::flow::forecast::counts::{LEVELS, Spread, below, quantiles};

/// Weight of an observation after one more: a memory of about 700.
const MEMORY: f64 = 0.996;
/// A miss counts for at most so many times the variance: one broken day must not widen a month.
const WILD: f64 = 30.0;
/// The smallest step of a level: it follows a change within a few hundred forecasts.
const STEP: f64 = 0.02;
/// The median's step as a part of the others': what there is to mend is small, and a level that trembles costs more than it mends.
const MIDDLE: f64 = 0.3;
/// Experience with which a level begins.
const PATIENCE: f64 = 12.0;

/// Variance beyond Poisson's, as a share of the mean, of people who come in groups.
const GROUPS: f64 = 0.6;

/// An observation's part of the sums, scaled so that neither quiet nor busy hours have all the say.
fn add(sums: &mut [f64; 5], weight: f64, mean: f64, miss: f64) {
    let scale = 1.0 / (mean + 0.05 * mean * mean);
    let (x, z, y) = (mean * scale, mean * mean * scale, miss * scale);
    for (sum, new) in sums.iter_mut().zip([x * x, x * z, z * z, x * y, z * y]) {
        *sum += weight * new;
    }
}

/// What is known of forecasts of one horizon in one kind of hour.
#[derive(Clone, Debug)]
pub(crate) struct Conformal {
    /// Sums of weighted least squares: of (miss² - mean) on mean and mean².
    sums: [f64; 5],
    levels: [f64; 5],
    seen: f64,
}

impl Conformal {
    /// Before any experience: `apart` is how far a day's factor is likely to be from 1.
    pub(crate) fn new(apart: f64) -> Self {
        // As much as six quiet and six busy observations that showed just this, and groups of a few.
        let mut sums = [0.0; 5];
        for mean in [2.0, 100.0] {
            add(&mut sums, 6.0, mean, GROUPS * mean + apart * apart * mean * mean);
        }
        Self { sums, levels: LEVELS, seen: 0.0 }
    }

    /// The variance of a count around a mean.
    pub(crate) fn variance(&self, mean: f64) -> f64 {
        let (a, b) = self.growth();
        mean + a * mean + b * mean * mean
    }

    /// `a` and `b`, neither below zero.
    fn growth(&self) -> (f64, f64) {
        let [xx, xz, zz, xy, zy] = self.sums;
        let whole = xx * zz - xz * xz;
        let (a, b) = if whole > 1e-9 * xx * zz {
            ((xy * zz - zy * xz) / whole, (zy * xx - xy * xz) / whole)
        } else {
            (xy / xx.max(1e-9), 0.0)
        };
        match (a >= 0.0, b >= 0.0) {
            (true, true) => (a, b),
            (true, false) => ((xy / xx).max(0.0), 0.0),
            _ => (0.0, (zy / zz).max(0.0)),
        }
    }

    /// The quantiles of a count of this mean.
    pub(crate) fn spread(&self, mean: f64) -> Spread {
        quantiles(mean, self.variance(mean), &self.levels)
    }

    /// Learns from what came: `spread` and `mean` were forecast.
    pub(crate) fn learn(&mut self, mean: f64, spread: &Spread, count: f64) {
        let mean = mean.max(1e-3);
        let miss = (count - mean).powi(2).min(WILD * self.variance(mean)) - mean;
        self.sums.iter_mut().for_each(|sum| *sum *= MEMORY);
        add(&mut self.sums, 1.0, mean, miss);
        self.seen += 1.0;
        let step = STEP.max(0.5 / (self.seen + PATIENCE));
        for (index, level) in self.levels.iter_mut().enumerate() {
            let wanted = LEVELS[index];
            // A tail's level moves by parts of itself.
            let part = if index == LEVELS.len() / 2 { MIDDLE } else { (4.0 * wanted * (1.0 - wanted)).sqrt() };
            let step = step * part;
            *level += step * (wanted - below(count, spread.0[index]));
        }
        let [low95, low80, median, high80, high95] = self.levels;
        let low80 = low80.clamp(0.004, 0.4);
        let high80 = high80.clamp(0.6, 0.996);
        self.levels =
            [low95.clamp(0.001, low80), low80, median.clamp(low80, high80), high80, high95.clamp(high80, 0.999)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn an_overconfident_model_learns_to_be_right_four_times_of_five() {
        let mut random: rand_chacha::ChaCha8Rng = rand::SeedableRng::seed_from_u64(7);
        let (mut known, mut inside, mut inside95) = (Conformal::new(0.05), 0.0, 0.0);
        for turn in 0..6000 {
            // Every day has a factor of its own, which nobody told the model.
            let factor = if random.random_bool(0.5) { 0.6 } else { 1.4 };
            let mean = 40.0 * factor;
            let count = (mean + f64::sqrt(mean) * 3.5 * (random.random::<f64>() - 0.5)).round();
            let spread = known.spread(40.0);
            if turn >= 1000 {
                inside += spread.inside80(count) / 5000.0;
                inside95 += spread.inside95(count) / 5000.0;
            }
            known.learn(40.0, &spread, count);
        }
        assert!((0.78..0.82).contains(&inside) && (0.935..0.965).contains(&inside95), "{inside} {inside95}");
    }

    #[test]
    fn both_ways_of_growing_are_told_apart() {
        let mut random: rand_chacha::ChaCha8Rng = rand::SeedableRng::seed_from_u64(8);
        let mut known = Conformal::new(0.3);
        for turn in 0..4000 {
            let mean = [5.0, 50.0, 300.0][turn % 3];
            let wide: f64 = (3.0f64 * mean).sqrt() * 3f64.sqrt();
            let count = mean + wide * (2.0 * random.random::<f64>() - 1.0);
            known.learn(mean, &known.spread(mean), count);
        }
        for mean in [5.0, 50.0, 300.0] {
            let ratio = known.variance(mean) / (3.0 * mean);
            assert!((0.8..1.25).contains(&ratio), "{mean}: {ratio}");
        }
    }
}
