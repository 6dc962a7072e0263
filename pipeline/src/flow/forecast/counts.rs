//! Distributions of counts: mean, spread, and where a share of them lies below.
//!
//! A negative binomial: Poisson where the variance is the mean, wider elsewhere. Its quantiles are made continuous by
//! spreading a count evenly over its cell, half a person to either side (0 over `[0, 0.5]`): the fuzzy confidence intervals
//! of Geyer and Meeden (2005). An interval that is told has whole ends; whether counts fall into it as often as promised is
//! judged by cells, since of somebody who is there in one night of fifty no closed interval is right four times of five.

use crate::flow::told::Fan;

/// The shares below the ends and the middle of a fan: 95 % low, 80 % low, median, 80 % high, 95 % high.
pub const LEVELS: [f64; 5] = [0.025, 0.1, 0.5, 0.9, 0.975];
/// Means up to here are summed up count by count; above, the gamma distribution is the same to the eye.
const SUMMED: f64 = 60.0;
/// Counts that are summed up before a tail is given up on.
const LAST: usize = 4000;

/// The quantiles of [`LEVELS`] of a count, continuous: not yet whole people.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread(pub [f64; 5]);

impl Spread {
    /// As told: whole people.
    pub fn fan(&self) -> Fan {
        let [low95, low80, median, high80, high95] = self.0.map(f64::round);
        Fan { median, low80, high80, low95, high95 }
    }

    /// The share of a count's cell within the 80 % interval, 0..=1; for counts beyond a dozen 0 or 1, mostly.
    pub fn inside80(&self, count: f64) -> f64 {
        below(count, self.0[3]) - below(count, self.0[1])
    }

    /// The same of the 95 % interval.
    pub fn inside95(&self, count: f64) -> f64 {
        below(count, self.0[4]) - below(count, self.0[0])
    }
}

/// The share of a count's cell that lies below `end`.
pub(crate) fn below(count: f64, end: f64) -> f64 {
    let low = (count - 0.5).max(0.0);
    ((end - low) / (count + 0.5 - low)).clamp(0.0, 1.0)
}

/// The quantiles at `levels` (each in 0..1, rising) of a count of this mean and variance.
pub(crate) fn quantiles(mean: f64, variance: f64, levels: &[f64; 5]) -> Spread {
    let mean = mean.max(1e-6);
    if mean > SUMMED {
        return Spread(levels.map(|level| gamma_quantile(mean, variance.max(mean), level)));
    }
    // Without any extra variance the formulas below divide by zero; this much is no visible difference.
    let ratio = (variance / mean).max(1.0 + 1e-4);
    let (size, fail) = (mean / (ratio - 1.0), 1.0 - 1.0 / ratio);
    let mut share = (-size * ratio.ln()).exp();
    let (mut sum, mut count, mut found) = (0.0, 0usize, [0.0; 5]);
    for (level, end) in levels.iter().zip(&mut found) {
        while sum + share < *level && count < LAST {
            sum += share;
            count += 1;
            let k = count as f64;
            share *= (k - 1.0 + size) / k * fail;
        }
        let within = ((level - sum) / share.max(1e-300)).clamp(0.0, 1.0);
        *end = if count == 0 { 0.5 * within } else { count as f64 - 0.5 + within };
    }
    Spread(found)
}

/// Wilson and Hilferty's (1931) cube root of a gamma distribution is nearly normal.
fn gamma_quantile(mean: f64, variance: f64, level: f64) -> f64 {
    let shape = mean * mean / variance;
    let root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(level) / (3.0 * shape.sqrt());
    mean * root.max(0.0).powi(3)
}

/// The standard normal distribution's quantile: a first guess (Shore 1982) and Newton's steps on the tail.
fn normal_quantile(level: f64) -> f64 {
    let level = level.clamp(1e-9, 1.0 - 1e-9);
    let guess = |p: f64| 5.5556 * (1.0 - ((1.0 - p) / p).powf(0.1186));
    let mut z: f64 = if level >= 0.5 { guess(level) } else { -guess(1.0 - level) };
    for _ in 0..4 {
        let reached = 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        z -= (reached - level) / density.max(1e-300);
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_those_of_the_distribution() {
        // Poisson of mean 3: P(0..=5) = .0498 .1494 .2240 .2240 .1680 .1008.
        let Spread([_, low, median, high, _]) = quantiles(3.0, 3.0, &LEVELS);
        assert!((low - (0.5 + (0.1 - 0.0498) / 0.1494)).abs() < 1e-3, "{low}");
        assert!((median - (2.5 + (0.5 - 0.4232) / 0.2240)).abs() < 1e-3, "{median}");
        assert!((high - (4.5 + (0.9 - 0.8152) / 0.1008)).abs() < 2e-3, "{high}");
        for (level, z) in [(0.025, -1.959_964), (0.5, 0.0), (0.9, 1.281_552), (0.999, 3.090_232)] {
            assert!((normal_quantile(level) - z).abs() < 1e-5);
        }
    }

    #[test]
    fn sums_and_the_gamma_distribution_meet() {
        let summed = quantiles(60.0, 180.0, &LEVELS).0;
        let smooth = LEVELS.map(|level| gamma_quantile(60.0, 180.0, level));
        for (summed, smooth) in summed.iter().zip(smooth) {
            assert!((summed - smooth).abs() < 0.6, "{summed} {smooth}");
        }
    }

    #[test]
    fn a_count_on_an_end_counts_by_its_share() {
        // Nobody comes in 98 of 100 nights: the interval is a part of nobody's cell.
        let night = quantiles(0.02, 0.0201, &LEVELS);
        assert_eq!(night.fan(), Fan::default());
        assert!((night.inside80(0.0) - 0.8 / 0.98).abs() < 0.01, "{}", night.inside80(0.0));
        assert_eq!((night.inside80(5.0), night.inside95(5.0)), (0.0, 0.0));
    }

    proptest! {
        #[test]
        fn ends_are_in_order_and_never_below_nobody(mean in 0.0f64..1e5, extra in 0.0f64..9.0) {
            let spread = quantiles(mean, mean * (1.0 + extra), &LEVELS);
            prop_assert!(spread.0.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", spread);
            prop_assert!(spread.0[0] >= 0.0 && spread.0[4].is_finite());
        }
    }
}
