//! Error rates with their uncertainty: a number of errors is no rate.
//!
//! FPIR: of the walks of people who never enrolled, the share that was named. FNIR: of the walks of enrolled people, the
//! share that was not named right. FMR: of the comparisons of two different people, the share above the threshold
//! (ISO/IEC 19795-1). Trials of one person are not independent; where people come several times, count people.

use std::fmt;

/// The 97.5 % quantile of the normal distribution: intervals here hold 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Errors among trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Rate {
    /// How often it went wrong; never more than `trials`.
    pub errors: u64,
    /// How often it was tried.
    pub trials: u64,
}

impl Rate {
    /// Counts one trial.
    pub fn count(&mut self, error: bool) {
        self.trials += 1;
        self.errors += u64::from(error);
    }

    /// The share of errors, 0..=1; `None` where nothing was tried.
    pub fn share(&self) -> Option<f64> {
        (self.trials > 0).then(|| self.errors as f64 / self.trials as f64)
    }

    /// The 95 % interval of the true rate after Wilson (1927). (0, 1) where nothing was tried.
    pub fn interval(&self) -> (f64, f64) {
        let Some(p) = self.share() else { return (0.0, 1.0) };
        let n = self.trials as f64;
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + Z * Z / n;
        (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
    }

    /// What the true rate is below, with 95 % confidence: 3/n where no error was seen (the rule of three), else the
    /// upper end of the interval.
    pub fn at_most(&self) -> f64 {
        match (self.errors, self.trials) {
            (_, 0) => 1.0,
            (0, n) => (3.0 / n as f64).min(1.0),
            _ => self.interval().1,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, trials) = (self.errors, self.trials);
        let percent = |share: f64| format!("{} %", significant(100.0 * share));
        match self.share() {
            None => f.write_str("nothing tried"),
            Some(_) if errors == 0 => write!(f, "0 of {trials} (< {})", percent(self.at_most())),
            Some(share) => {
                let (low, high) = self.interval();
                write!(f, "{errors} of {trials} ({}, 95 % {} to {})", percent(share), percent(low), percent(high))
            }
        }
    }
}

/// Two digits that mean something.
fn significant(value: f64) -> String {
    let places = (1.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 8.0);
    format!("{value:.*}", places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wilson_as_in_the_tables() {
        let (low, high) = Rate { errors: 10, trials: 100 }.interval();
        assert!((low - 0.055_2).abs() < 1e-4 && (high - 0.174_4).abs() < 1e-4, "{low} {high}");
        let (low, high) = Rate { errors: 0, trials: 10 }.interval();
        assert!(low == 0.0 && (high - 0.277_5).abs() < 1e-4, "{high}");
    }

    #[test]
    fn no_error_in_n_trials_is_less_than_three_in_n() {
        assert_eq!(Rate { errors: 0, trials: 300 }.to_string(), "0 of 300 (< 1.0 %)");
        assert_eq!(Rate { errors: 0, trials: 30_000 }.to_string(), "0 of 30000 (< 0.010 %)");
        assert_eq!(Rate { errors: 0, trials: 2 }.to_string(), "0 of 2 (< 100 %)");
        assert_eq!(Rate::default().to_string(), "nothing tried");
        assert_eq!(Rate { errors: 3, trials: 1000 }.to_string(), "3 of 1000 (0.30 %, 95 % 0.10 % to 0.88 %)");
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval_and_more_trials_narrow_it(trials in 1..100_000u64, part in 0.0..=1.0_f64) {
            let rate = Rate { errors: (trials as f64 * part) as u64, trials };
            let (low, high) = rate.interval();
            let share = rate.share().unwrap();
            prop_assert!(0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0);
            let more = Rate { errors: rate.errors * 4, trials: trials * 4 };
            prop_assert!(more.interval().1 - more.interval().0 < high - low);
            prop_assert!(rate.errors == 0 || (rate.at_most() - high).abs() < 1e-12);
        }
    }
}
