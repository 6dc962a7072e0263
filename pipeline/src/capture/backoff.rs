//! How long to wait before the next try: doubling, with jitter, up to a limit.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(5);
/// Part of each wait that is left to chance, so that cameras behind one failed switch do not all come back at once.
const JITTER: f64 = 0.25;

/// The waits between tries: 250 ms, doubling to 5 s, each ± 25 %.
#[derive(Default)]
pub(crate) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The next wait; `chance` is 0..=1.
    pub(crate) fn next(&mut self, chance: f64) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.tries.min(8)).min(MOST);
        self.tries = self.tries.saturating_add(1);
        wait.mul_f64(1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
    }

    /// Tries since the camera was last well.
    pub(crate) fn tries(&self) -> u32 {
        self.tries
    }

    /// The camera is well again.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_five_seconds_and_begin_anew_when_the_camera_is_well() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..7).map(|_| backoff.next(0.5).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!(backoff.tries(), 7);
        backoff.reset();
        assert_eq!(backoff.next(0.5), FIRST);
    }

    #[test]
    fn chance_moves_a_wait_by_a_quarter_at_most() {
        assert_eq!(Backoff::default().next(0.0), FIRST.mul_f64(0.75));
        assert_eq!(Backoff::default().next(1.0), FIRST.mul_f64(1.25));
    }
}
