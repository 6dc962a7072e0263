//! A switch that does not flutter: thresholds to enter and to leave, and a least time in each state.

use std::time::Duration;

/// What must hold for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dwell {
    /// How long there must be reason before it goes on.
    pub confirmed: Duration,
    /// Least time on.
    pub on: Duration,
    /// Least time off.
    pub off: Duration,
}

/// A switch; off at first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Latch {
    is_on: bool,
    changed: Option<Duration>,
    /// Since when there has been reason to go on without a break.
    reason: Option<Duration>,
}

impl Latch {
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// What it is after `at` (steady time), where `enter` is reason to go on, `leave` reason to go off, and neither to stay.
    pub(super) fn feed(&mut self, dwell: &Dwell, at: Duration, enter: bool, leave: bool) -> bool {
        let reason = self.reason.filter(|_| enter).or(enter.then_some(at));
        self.reason = reason;
        let held = |least: Duration| self.changed.is_none_or(|changed| at.saturating_sub(changed) >= least);
        let is_confirmed = reason.is_some_and(|since| at.saturating_sub(since) >= dwell.confirmed);
        if !self.is_on && is_confirmed && held(dwell.off) {
            (self.is_on, self.changed) = (true, Some(at));
        } else if self.is_on && leave && !enter && held(dwell.on) {
            (self.is_on, self.changed) = (false, Some(at));
        }
        self.is_on
    }

    /// Off at once: what it was about is gone.
    pub(super) fn drop(&mut self, at: Duration) {
        if self.is_on {
            (self.is_on, self.changed) = (false, Some(at));
        }
        self.reason = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DWELL: Dwell =
        Dwell { confirmed: Duration::from_secs(60), on: Duration::from_secs(300), off: Duration::from_secs(120) };

    proptest! {
        #[test]
        fn no_noise_makes_it_flutter(values in prop::collection::vec(0.0..2.0_f64, 1..400)) {
            let (mut latch, mut was, mut changes) = (Latch::default(), false, Vec::new());
            for (tens, value) in values.iter().enumerate() {
                let at = Duration::from_secs(10 * tens as u64);
                let is = latch.feed(&DWELL, at, *value >= 1.0, *value < 0.8);
                if is != was {
                    changes.push((at, is));
                }
                was = is;
            }
            for pair in changes.windows(2) {
                let least = if pair[0].1 { DWELL.on } else { DWELL.off };
                prop_assert!(pair[1].0 - pair[0].0 >= least, "{changes:?}");
            }
        }

        #[test]
        fn what_lasts_is_told_and_what_is_over_ends(lasts in 7..60_u64) {
            let mut latch = Latch::default();
            for tens in 0..lasts {
                latch.feed(&DWELL, Duration::from_secs(10 * tens), true, false);
            }
            prop_assert!(latch.is_on());
            for tens in lasts..lasts + 31 {
                latch.feed(&DWELL, Duration::from_secs(10 * tens), false, true);
            }
            prop_assert!(!latch.is_on());
        }
    }

    #[test]
    fn between_the_thresholds_it_stays_what_it_is() {
        let mut latch = Latch::default();
        for minute in 0..60 {
            assert!(!latch.feed(&DWELL, Duration::from_secs(60 * minute), false, false));
        }
        for minute in 60..62 {
            latch.feed(&DWELL, Duration::from_secs(60 * minute), true, false);
        }
        for minute in 62..120 {
            assert!(latch.feed(&DWELL, Duration::from_secs(60 * minute), false, false));
        }
    }
}
