//! What cameras make of a simulated minute: some missed, some twice, some minutes not seen at all.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};

/// How often a camera of a gate and day is lost.
const LOST: f64 = 0.15;

/// One gate's cameras on one day.
pub(super) struct Cameras {
    /// Shares of people who are missed, and counted twice: at the back of the queue, and at the gate.
    missed: [f64; 2],
    twice: [f64; 2],
    /// Minutes in which one of the two is lost.
    lost: [std::ops::Range<usize>; 2],
    random: ChaCha8Rng,
}

impl Cameras {
    /// Cameras of a day of so many minutes; `busy` is a minute around which a loss would hurt.
    pub(super) fn drawn(faults: bool, minutes: usize, busy: usize, random: &mut ChaCha8Rng) -> Self {
        let worst = |share: f64| if faults { share } else { 0.0 };
        let missed = [0; 2].map(|_| worst(random.random_range(0.0..0.02)));
        let twice = [0; 2].map(|_| worst(random.random_range(0.0..0.01)));
        let mut lost = [0..0, 0..0];
        if random.random_bool(LOST) && faults {
            let begins = (busy + random.random_range(0..150)).saturating_sub(120).min(minutes);
            let ends = (begins + random.random_range(10..35)).min(minutes);
            lost[usize::from(random.random_bool(0.5))] = begins..ends;
        }
        Self { missed, twice, lost, random: ChaCha8Rng::seed_from_u64(random.random()) }
    }

    /// What the camera at the back (`0`) or at the gate (`1`) counts of so many people.
    pub(super) fn count(&mut self, which: usize, minute: usize, people: u32) -> Option<u32> {
        if self.lost[which].contains(&minute) {
            return None;
        }
        let (missed, twice) = (self.some(people, self.missed[which]), self.some(people, self.twice[which]));
        Some(people - missed + twice)
    }

    fn some(&mut self, of: u32, share: f64) -> u32 {
        Binomial::new(u64::from(of), share).map_or(0, |law| law.sample(&mut self.random) as u32)
    }
}
