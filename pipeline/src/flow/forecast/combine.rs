//! Members of a forecast, each heard by how well it did lately.
//!
//! Exponentially weighted averaging (Vovk 1990; Cesa-Bianchi and Lugosi 2006) on the Poisson loss, which is mixable, so the
//! average is hardly worse than the best member; the past is forgotten, since which member is best changes. The loss is
//! divided by how much wider than Poisson counts lie, or a few busy hours would decide alone.

/// Weight of a loss after one more: a memory of about 500 forecasts of the kind.
const MEMORY: f64 = 0.998;
/// How much a loss counts. Errors of neighbouring forecasts are alike: fewer are independent than are counted.
const RATE: f64 = 0.35;
/// A share that every member keeps, so that none is silent when its time comes.
const KEPT: f64 = 0.001;

/// The weights of members for one horizon in one kind of hour.
#[derive(Clone, Debug)]
pub(crate) struct Weights(Vec<f64>);

impl Weights {
    /// All members alike.
    pub(crate) fn new(members: usize) -> Self {
        Self(vec![0.0; members])
    }

    /// The members' common mean; those that are absent are left out.
    pub(crate) fn mean(&self, members: &[f64]) -> f64 {
        let least = self.0.iter().zip(members).filter(|(_, mean)| !mean.is_nan()).map(|(loss, _)| *loss);
        let least = least.fold(f64::INFINITY, f64::min);
        let (mut all, mut sum) = (0.0, 0.0);
        for (loss, mean) in self.0.iter().zip(members).filter(|(_, mean)| !mean.is_nan()) {
            let weight = (-(loss - least) * RATE).exp() + KEPT;
            all += weight;
            sum += weight * mean;
        }
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// Learns from what came; `wide` is variance over mean, at least 1.
    pub(crate) fn learn(&mut self, members: &[f64], count: f64, wide: f64) {
        let loss = |mean: f64| {
            let mean = mean.max(1e-3);
            (mean - count * mean.ln()) / wide
        };
        let heard = members.iter().filter(|mean| !mean.is_nan()).map(|mean| loss(*mean));
        let (sum, many) = heard.fold((0.0, 0.0), |(sum, many), loss| (sum + loss, many + 1.0));
        for (total, mean) in self.0.iter_mut().zip(members) {
            // Whoever was absent is taken for an average one.
            let new = if mean.is_nan() { sum / f64::max(many, 1.0) } else { loss(*mean) };
            *total = *total * MEMORY + new - sum / f64::max(many, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_member_is_heard_and_a_change_is_followed() {
        let mut weights = Weights::new(2);
        for turn in 0..200 {
            weights.learn(&[10.0, 20.0], if turn % 2 == 0 { 9.0 } else { 11.0 }, 2.0);
        }
        assert!(weights.mean(&[10.0, 20.0]) < 10.5);
        for _ in 0..800 {
            weights.learn(&[10.0, 20.0], 20.0, 2.0);
        }
        assert!(weights.mean(&[10.0, 20.0]) > 19.5);
        assert_eq!(weights.mean(&[f64::NAN, 20.0]), 20.0);
        assert_eq!(weights.mean(&[f64::NAN, f64::NAN]), 0.0);
    }
}
