//! Drift: whether strangers have come nearer to the enrolled than they should.
//!
//! A threshold rests on how alike strangers and enrolled people were when that was measured. Light, cameras and people change.
//! Of walks that ended without a name, a tenth should reach a score that the law knows; where more than twice as many do, the
//! threshold promises too much, and somebody must calibrate again. Counts only; nothing of a face is kept.

use std::collections::VecDeque;

/// The share of strangers whose score is watched: often enough to be counted within an hour, far enough out to be about
/// the tail.
pub const SHARE: f64 = 0.1;
/// How many times as many must reach it. Enrolled people who were missed are among them, so not every excess is a drift.
const TIMES: f64 = 2.0;
/// Fewest walks that say anything: twice a tenth of them is 4.7 standard deviations off.
const FEWEST: usize = 200;
/// Most walks remembered, the newest.
const MOST: usize = 1000;

/// The last walks that ended without a name.
#[derive(Clone, Debug, Default)]
pub struct Drift {
    near: VecDeque<bool>,
}

impl Drift {
    /// Takes in a walk that ended without a name: whether it reached the score that [`SHARE`] of strangers reach.
    pub fn ended(&mut self, is_near: bool) {
        if self.near.len() == MOST {
            self.near.pop_front();
        }
        self.near.push_back(is_near);
    }

    /// The share that reached it; `None` where too few walked to tell.
    pub fn share(&self) -> Option<f64> {
        let near = self.near.iter().filter(|near| **near).count();
        (self.near.len() >= FEWEST).then(|| near as f64 / self.near.len() as f64)
    }

    /// Whether many more reached it than should.
    pub fn is_moved(&self) -> bool {
        self.share().is_some_and(|share| share > TIMES * SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn walks(share: f64, n: usize, seed: u64) -> Drift {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut drift = Drift::default();
        (0..n).for_each(|_| drift.ended(random.random_bool(share)));
        drift
    }

    #[test]
    fn as_many_as_should_are_no_drift_whoever_walks() {
        for seed in 0..200 {
            for n in [0, 199, 200, 1000, 5000] {
                assert!(!walks(SHARE, n, seed).is_moved(), "seed {seed}, {n} walks");
            }
        }
    }

    #[test]
    fn three_times_as_many_are_noticed_as_soon_as_anything_can_be_said() {
        for seed in 0..200 {
            assert_eq!(walks(0.35, 199, seed).share(), None);
            assert!(walks(0.35, 200, seed).is_moved(), "seed {seed}");
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut drift = walks(0.9, 1000, 1);
        (0..1000).for_each(|_| drift.ended(false));
        assert_eq!(drift.share(), Some(0.0));
    }
}
