//! Calibration on simulated sites: is what it promises true?

use crate::{
    accuracy::{
        calibration::{Walks, needed},
        rates::Rate,
        site::Site,
    },
    identify::threshold::Law,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_models::template::ModelId;

/// People who walk, in multiples of what the rule of three asks for.
const PEOPLE: std::ops::Range<f64> = 1.2..5.0;

/// What came of some sites.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Simulated {
    /// Sites whose true FPIR at the threshold is above the target.
    pub above_target: Rate,
    /// Sites whose nominal 95 % interval of the FPIR does not hold the true one.
    pub not_covered: Rate,
    /// Target over true FPIR, by site, rising.
    pub stricter: Vec<f64>,
    /// Sites whose threshold falls somewhere as the gallery grows.
    pub falling: Rate,
}

/// Calibrates `sites` sites for a share of `target` wrong greetings, and judges each by its truth. `told` hears of each.
pub fn simulated(sites: u64, target: f64, mut told: impl FnMut()) -> Simulated {
    let mut simulated = Simulated::default();
    for seed in 0..sites {
        let site = Site::drawn(seed);
        let more = ChaCha8Rng::seed_from_u64(seed ^ 0x5175).random_range(PEOPLE);
        let people = (needed(target) as f64 * more) as usize;
        let walks = Walks::new(&site.walks(people, seed + sites));
        // So many people always support the target.
        let Ok(supported) = walks.threshold(target) else { continue };
        let truth = site.fpir(supported.threshold);
        simulated.above_target.count(truth > target);
        simulated.stricter.push(target / truth.max(1e-12));
        let covered =
            walks.rate(site.threshold(target)).is_some_and(|(_, (low, high))| low <= target && target <= high);
        simulated.not_covered.count(!covered);
        simulated.falling.count(falls(&walks, site.enrolled(), target));
        told();
    }
    simulated.stricter.sort_by(f64::total_cmp);
    simulated
}

/// Whether the law that these walks make ever asks for less of a larger gallery.
fn falls(walks: &Walks, enrolled: usize, target: f64) -> bool {
    let points: Vec<_> = [0.2, 0.1, 0.05, 0.02, 0.01, target]
        .into_iter()
        .filter(|rate| *rate >= target)
        .filter_map(|rate| walks.threshold(rate).ok().map(|supported| (rate, supported.threshold)))
        .collect();
    let Ok(law) = Law::of_site(ModelId("simulated".into()), enrolled, &points) else { return true };
    let thresholds: Vec<_> = (0..20).map(|doubled| law.threshold(target, 1 << doubled)).collect();
    thresholds.windows(2).any(|pair| pair[1] < pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `usher calibrate --simulate`, on as few sites as a test has time for.
    #[test]
    fn the_promise_holds_on_sites_whose_truth_is_known() {
        let simulated = simulated(24, 0.03, || {});
        assert_eq!(simulated.above_target.trials, 24);
        assert!(simulated.above_target.errors <= 3, "{}", simulated.above_target);
        assert!(simulated.not_covered.errors <= 4, "{}", simulated.not_covered);
        assert_eq!(simulated.falling.errors, 0);
        assert!(simulated.stricter[12] < 5.0, "a bound that greets nobody is no bound: {}", simulated.stricter[12]);
    }
}
