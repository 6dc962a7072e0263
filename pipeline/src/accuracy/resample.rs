//! The bootstrap by person: how far a figure would move with other people.
//!
//! Comparisons that share a person go wrong together, so people are drawn again, with all that is theirs, never single
//! comparisons (Efron and Tibshirani 1993; Bolle, Ratha, Pankanti 2004 for biometrics).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many times people are drawn.
pub const TIMES: usize = 1000;

/// How often each of `people` was drawn in `people` draws with replacement.
pub fn drawn(people: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
    let mut times = vec![0; people];
    for _ in 0..people {
        times[random.random_range(0..people)] += 1;
    }
    times
}

/// The 95 % percentile interval of a figure over [`TIMES`] draws of `people`; draws for which there is no figure do not
/// count. The same seed gives the same interval.
pub fn interval(people: usize, seed: u64, mut figure: impl FnMut(&[u32]) -> Option<f64>) -> Option<(f64, f64)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut figures: Vec<f64> = (0..TIMES).filter_map(|_| figure(&drawn(people, &mut random))).collect();
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| figures.get(((figures.len().checked_sub(1)?) as f64 * share).round() as usize).copied();
    Some((at(0.025)?, at(0.975)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_what_theory_says() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 2)).collect();
        let mean = |times: &[u32]| {
            let sum: f64 = values.iter().zip(times).map(|(v, n)| v * f64::from(*n)).sum();
            Some(sum / values.len() as f64)
        };
        let (low, high) = interval(values.len(), 7, mean).unwrap();
        // .5 plus and minus 1.96 · .5 / √400.
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");
        assert_eq!(interval(values.len(), 7, mean), Some((low, high)));
    }

    #[test]
    fn no_figure_is_no_interval() {
        assert_eq!(interval(3, 1, |_| None), None);
    }
}
