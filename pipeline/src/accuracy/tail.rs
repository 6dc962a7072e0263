//! The tail of a distribution of scores, beyond what was counted.
//!
//! Excesses over a high score follow a generalised Pareto distribution (Pickands 1975; Balkema and de Haan 1974); its two
//! parameters are taken from two L-moments, which serve better than likelihood where excesses are few (Hosking and Wallis
//! 1987).

/// The share of scores whose excesses are fitted. With a tenth instead, simulated sites had wider intervals that covered
/// no better; with more, the fit is no longer about the tail.
const SHARE: f64 = 0.25;
/// Fewest scores that a tail is fitted to.
const FEWEST: f64 = 20.0;

/// The upper part of a distribution of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// Excesses are counted from here.
    from: f64,
    /// The share of scores beyond.
    share: f64,
    /// Hosking's shape: above 0 there is a greatest score.
    shape: f64,
    scale: f64,
}

impl Tail {
    /// Of `falling` scores, each counted as often as `times` says of its owner. `None` where there are too few.
    pub fn fit(falling: &[(f32, usize)], times: Option<&[u32]>) -> Option<Self> {
        let weight = |owner: usize| times.map_or(1.0, |times| f64::from(times[owner]));
        let all: f64 = falling.iter().map(|(_, owner)| weight(*owner)).sum();
        let beyond = all * SHARE;
        if beyond < FEWEST {
            return None;
        }
        let (mut counted, mut end) = (0.0, 0);
        while end < falling.len() && counted < beyond {
            counted += weight(falling[end].1);
            end += 1;
        }
        let from = f64::from(falling.get(end)?.0);
        // The mean, and the mean of each excess times the share of excesses above it.
        let (mut mean, mut upper, mut rank) = (0.0, 0.0, 0.0);
        for (score, owner) in &falling[..end] {
            let weight = weight(*owner);
            let excess = f64::from(*score) - from;
            // The middle of the ranks that this score has, counted from the greatest; .35 is Hosking's plotting position.
            let above = (rank + (weight + 1.0) / 2.0 - 0.65) / counted;
            mean += weight * excess / counted;
            upper += weight * excess * above / counted;
            rank += weight;
        }
        let spread = mean - 2.0 * upper;
        let fits = spread > 1e-12 && mean > 0.0;
        fits.then(|| Self {
            from,
            share: counted / all,
            shape: mean / spread - 2.0,
            scale: 2.0 * mean * upper / spread,
        })
    }

    /// The share of scores at or above `score`, which is not below the fitted part.
    pub fn exceeded(&self, score: f64) -> f64 {
        let excess = (score - self.from).max(0.0) / self.scale;
        let share = if self.shape.abs() < 1e-9 {
            (-excess).exp()
        } else {
            (1.0 - self.shape * excess).max(0.0).powf(1.0 / self.shape)
        };
        self.share * share
    }

    /// The score that a share of `rate` reaches; where `rate` is more than the fitted part, its beginning.
    pub fn score(&self, rate: f64) -> f64 {
        let part = rate / self.share;
        if part >= 1.0 {
            return self.from;
        }
        let excess = if self.shape.abs() < 1e-9 { -part.ln() } else { (1.0 - part.powf(self.shape)) / self.shape };
        self.from + self.scale * excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Quantiles of a generalised Pareto distribution above .3, falling.
    fn falling(shape: f64, scale: f64, n: usize) -> Vec<(f32, usize)> {
        let excess = |p: f64| if shape == 0.0 { -p.ln() } else { (1.0 - p.powf(shape)) / shape };
        let at = |i: usize| (0.3 + scale * excess((i as f64 + 0.65) / n as f64)) as f32;
        (0..n).map(|i| (at(i), i)).collect()
    }

    #[test]
    fn a_known_tail_is_found_again() {
        for (shape, scale) in [(0.2, 0.05), (0.0, 0.05), (-0.1, 0.03)] {
            let scores = falling(shape, scale, 40_000);
            let tail = Tail::fit(&scores, None).unwrap();
            for rate in [0.1, 0.01, 0.001] {
                let truth = f64::from(scores[(rate * 40_000.0) as usize].0);
                assert!((tail.score(rate) - truth).abs() < 2e-3, "{shape} {rate}: {} {truth}", tail.score(rate));
                assert!((tail.exceeded(truth) / rate - 1.0).abs() < 0.1, "{shape} {rate}");
            }
        }
    }

    #[test]
    fn counting_an_owner_twice_is_the_same_as_two_owners() {
        let once = falling(0.1, 0.05, 200);
        let twice: Vec<_> = once.iter().flat_map(|score| [*score; 2]).collect();
        let (a, b) = (Tail::fit(&once, Some(&[2; 200])).unwrap(), Tail::fit(&twice, None).unwrap());
        assert!((a.score(0.01) - b.score(0.01)).abs() < 1e-3);
    }

    #[test]
    fn too_few_or_all_alike_have_no_tail() {
        assert_eq!(Tail::fit(&falling(0.1, 0.05, 79), None), None);
        assert_eq!(Tail::fit(&[(0.4, 0); 1000], None), None);
    }

    proptest! {
        #[test]
        fn a_smaller_rate_has_a_higher_score(shape in -0.4..0.6f64, rate in 1e-6..0.2f64, less in 1.001..100.0f64) {
            let tail = Tail::fit(&falling(shape, 0.05, 1000), None).unwrap();
            prop_assert!(tail.score(rate / less) > tail.score(rate));
            prop_assert!((tail.exceeded(tail.score(rate)) / rate - 1.0).abs() < 1e-6);
        }
    }
}
