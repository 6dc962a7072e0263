//! How long to wait before the next try: doubling, with jitter, up to a limit.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(3);
/// Part of each wait that is left to chance, so that cameras behind one failed switch do not all come back at once.
const JITTER: f64 = 0.25;

/// The waits between tries: 250 ms, doubling to 3 s, each ± 25 %.
#[derive(Default)]
pub(crate) struct Backoff {
    tries: u32,
    doublings: u32,
}

impl Backoff {
    /// The next wait; `chance` is 0..=1.
    pub(crate) fn next(&mut self, chance: f64) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.doublings.min(8)).min(MOST);
        self.doublings = self.doublings.saturating_add(1);
        self.tried();
        wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
    }

    /// A try that says nothing about how long the next wait should be.
    pub(crate) fn tried(&mut self) {
        self.tries = self.tries.saturating_add(1);
    }

    /// Something has changed at the camera: waits are short again, though it is not well yet.
    pub(crate) fn begin_anew(&mut self) {
        self.doublings = 0;
    }

    /// Tries since the camera was last well.
    pub(crate) fn tries(&self) -> u32 {
        self.tries
    }

    /// The camera is well again.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_three_seconds_and_begin_anew_when_the_camera_is_well() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..7).map(|_| backoff.next(0.5).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 3000, 3000, 3000]);
        assert_eq!(backoff.tries(), 7);
        backoff.begin_anew();
        assert_eq!((backoff.next(0.5), backoff.tries()), (FIRST, 8));
        backoff.reset();
        assert_eq!(backoff.next(0.5), FIRST);
    }

    #[test]
    fn chance_moves_a_wait_by_a_quarter_at_most() {
        assert_eq!(Backoff::default().next(0.0), FIRST.mul_f64(0.75));
        assert_eq!(Backoff::default().next(1.0), FIRST.mul_f64(1.25));
    }
}
