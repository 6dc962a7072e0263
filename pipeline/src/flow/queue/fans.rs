//! Quantiles of samples, and numbers drawn from a fan.

use crate::flow::told::Fan;

/// Where the quantiles of a fan lie, in standard deviations of a normal law.
const Z: [f64; 5] = [-1.959_964, -1.281_552, 0.0, 1.281_552, 1.959_964];

/// Values with weights, in order.
pub(super) fn weighted(mut values: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    values
}

/// The value below which `share` of the weight lies, of values in order whose weights add up to 1.
pub(super) fn quantile(sorted: &[(f64, f64)], share: f64) -> f64 {
    let mut sum = 0.0;
    for (value, weight) in sorted {
        sum += weight;
        if sum >= share {
            return *value;
        }
    }
    sorted.last().map_or(0.0, |(value, _)| *value)
}

/// The fan of samples of equal weight; at least one.
pub(super) fn fan(samples: &mut [f64]) -> Fan {
    samples.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (samples.len() - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let above = (below + 1).min(samples.len() - 1);
        samples[below] + part * (samples[above] - samples[below])
    };
    Fan { median: at(0.5), low80: at(0.1), high80: at(0.9), low95: at(0.025), high95: at(0.975) }
}

/// The value of a fan at `z` standard deviations, by lines between its quantiles; never below zero.
pub(super) fn at(fan: &Fan, z: f64) -> f64 {
    let values = [fan.low95, fan.low80, fan.median, fan.high80, fan.high95];
    let upper = Z.iter().position(|known| z < *known).unwrap_or(4).max(1);
    let (low, high) = (upper - 1, upper);
    let part = (z - Z[low]) / (Z[high] - Z[low]);
    (values[low] + part * (values[high] - values[low])).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_drawn_from_is_found_again() {
        let told = Fan { median: 30.0, low80: 20.0, high80: 45.0, low95: 16.0, high95: 60.0 };
        // Evenly spaced quantiles of the normal law, by its inverse in Z's own points.
        let drawn: Vec<f64> = Z.iter().map(|z| at(&told, *z)).collect();
        assert_eq!(drawn, [16.0, 20.0, 30.0, 45.0, 60.0]);
        assert!(at(&told, 3.0) > 60.0 && at(&told, -9.0) == 0.0);
    }

    #[test]
    fn quantiles_go_by_weight() {
        let sorted = weighted(vec![(3.0, 0.1), (1.0, 0.8), (2.0, 0.1)]);
        assert_eq!([0.5, 0.85, 0.99].map(|share| quantile(&sorted, share)), [1.0, 2.0, 3.0]);
    }
}
