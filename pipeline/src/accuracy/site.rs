//! Simulated sites whose true rates are known: what a calibration is judged by.
//!
//! Scores of two different people are normal, with the mean and spread of SFace's, and share something: some people who
//! walk are alike to everybody ("wolves"), some who enrolled too ("lambs"; Doddington et al. 1998). Of one walk the best
//! score over the gallery counts. The true FPIR is the integral over all people who might walk, by quadrature.

use crate::accuracy::calibration::NonMated;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Mean and standard deviation of scores of two people.
const SCORES: (f64, f64) = (0.03, 0.115);
/// Nodes of the quadrature, and how many standard deviations to either side they reach.
const NODES: (usize, f64) = (161, 6.0);

/// A venue with a gallery, and people who walk past it.
#[derive(Clone, Debug)]
pub struct Site {
    /// How alike each enrolled person is to everybody.
    lambs: Vec<f64>,
    /// Shares of the variance that walkers and enrolled people bring.
    wolfish: f64,
    lambish: f64,
    walks_each: usize,
}

impl Site {
    /// A site drawn from `seed`.
    pub fn drawn(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let enrolled = [40, 80, 150, 400][random.random_range(0..4)];
        let (wolfish, lambish) = (random.random_range(0.0..0.15), random.random_range(0.0..0.1));
        let walks_each = random.random_range(1..3);
        let lambs = (0..enrolled).map(|_| normal(&mut random)).collect();
        Self { lambs, wolfish, lambish, walks_each }
    }

    /// People enrolled.
    pub fn enrolled(&self) -> usize {
        self.lambs.len()
    }

    /// Walks of `people` who never enrolled.
    pub fn walks(&self, people: usize, seed: u64) -> Vec<NonMated> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let own = (1.0 - self.wolfish - self.lambish).sqrt();
        let mut walks = Vec::with_capacity(people * self.walks_each);
        for person in 0..people {
            let wolf = self.wolfish.sqrt() * normal(&mut random);
            for _ in 0..self.walks_each {
                let score = |lamb: &f64| wolf + self.lambish.sqrt() * lamb + own * normal(&mut random);
                let best = self.lambs.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
                walks.push(NonMated { person, best: (SCORES.0 + SCORES.1 * best) as f32 });
            }
        }
        walks
    }

    /// The true share of walks of people who never enrolled that reach `threshold`.
    pub fn fpir(&self, threshold: f32) -> f64 {
        let own = (1.0 - self.wolfish - self.lambish).sqrt();
        let reached = (f64::from(threshold) - SCORES.0) / SCORES.1;
        let (nodes, far) = NODES;
        let (mut sum, mut weights) = (0.0, 0.0);
        for node in 0..nodes {
            let wolf = far * (2.0 * node as f64 / (nodes - 1) as f64 - 1.0);
            let weight = (-wolf * wolf / 2.0).exp();
            let below: f64 = self
                .lambs
                .iter()
                .map(|lamb| (reached - self.wolfish.sqrt() * wolf - self.lambish.sqrt() * lamb) / own)
                // The chance that the score stays below: 1 - erfc(x / √2) / 2, its logarithm.
                .map(|x| (-0.5 * libm::erfc(x / std::f64::consts::SQRT_2)).ln_1p())
                .sum();
            sum += weight * -below.exp_m1();
            weights += weight;
        }
        sum / weights
    }

    /// The threshold that a share of `fpir` truly reaches.
    pub fn threshold(&self, fpir: f64) -> f32 {
        let (mut low, mut high) = (-1.0, 2.0);
        for _ in 0..40 {
            let middle = f32::midpoint(low, high);
            if self.fpir(middle) > fpir { low = middle } else { high = middle }
        }
        high
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_truth_is_what_many_walks_show() {
        for seed in 0..4 {
            let site = Site::drawn(seed);
            let threshold = site.threshold(0.05);
            assert!((site.fpir(threshold) - 0.05).abs() < 1e-4);
            let walks = site.walks(6000, seed + 100);
            let share = walks.iter().filter(|walk| walk.best >= threshold).count() as f64 / walks.len() as f64;
            assert!((share - 0.05).abs() < 0.012, "{seed}: {share}");
        }
    }
}
