//! Models of a library and "as a week ago": what a forecaster must beat.
//!
//! ETS and MSTL (seasons taken off by repeated LOESS, ETS for what is left) are `augurs`' own. Prophet is `augurs-prophet` with
//! `crate::flow::forecast::map` as its optimiser: the same posterior as Stan's, without Stan.

use crate::flow::forecast::map::Map;
use augurs_core::{Fit, Predict};
use augurs_ets::AutoETS;
use augurs_mstl::MSTLModel;
use augurs_prophet::{
    OptProphetOptions, PredictionData, Prophet, SeasonalityOption, TrainingData, optimizer::OptimizeOpts,
};
use std::num::NonZeroU32;

/// A single model of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Library {
    /// Exponential smoothing, the form chosen by AICc; without a season, which the library fits for no count of zero.
    Ets,
    /// Seasons of a day and a week by MSTL, ETS for the rest.
    Mstl,
    /// Trend with changes, a Fourier season of a week.
    Prophet,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ets, Self::Mstl, Self::Prophet];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ets => "ets",
            Self::Mstl => "mstl",
            Self::Prophet => "prophet",
        }
    }

    /// The next `ahead` counts after `counts` (without gaps), none below zero. `day` steps make a day; `None` where the library
    /// finds no model, for instance with less than two weeks.
    pub fn forecast(self, counts: &[f64], day: usize, ahead: usize) -> Option<Vec<f64>> {
        let enough = counts.len() > 2 * 7 * day;
        let point = match self {
            Self::Ets => AutoETS::non_seasonal().fit(counts).ok()?.predict(ahead, None).ok()?.point,
            Self::Mstl if enough => {
                let model = MSTLModel::new(vec![day, 7 * day], AutoETS::non_seasonal().into_trend_model());
                model.fit(counts).ok()?.predict(ahead, None).ok()?.point
            }
            Self::Prophet if enough => prophet(counts, day, ahead)?,
            Self::Mstl | Self::Prophet => return None,
        };
        Some(point.into_iter().map(|count| count.max(0.0)).collect())
    }
}

/// What MSTL takes for usual in the `ahead` steps after `counts` (without gaps), none below zero: its seasons around its trend's
/// last week. ETS, which [`Library::Mstl`] runs over what the seasons leave, takes five times as long and says hardly more of a
/// level than the live deviation does. `None` with less than two weeks.
pub(crate) fn seasons(counts: &[f64], day: usize, ahead: usize) -> Option<Vec<f64>> {
    let (last, week) = (counts.len(), 7 * day);
    if last <= 2 * week {
        return None;
    }
    let model = MSTLModel::naive(vec![day, week]).fit(counts).ok()?;
    let parts = model.fit();
    let level = parts.trend()[last - week..].iter().map(|count| f64::from(*count)).sum::<f64>() / week as f64;
    let usual = |index: usize| {
        let of = |(season, long): (&Vec<f32>, usize)| f64::from(season[last - long + index % long]);
        (level + parts.seasonal().iter().zip([day, week]).map(of).sum::<f64>()).max(0.0)
    };
    Some((0..ahead).map(usual).collect())
}

/// Steps are given to Prophet as fractions of a day that begins at a step: its seasons need phases, not dates.
fn prophet(counts: &[f64], day: usize, ahead: usize) -> Option<Vec<f64>> {
    let step = 86_400 / i64::try_from(day).ok()?;
    let at = |index: usize| i64::try_from(index).ok().map(|index| index * step);
    let order = |n: u32| NonZeroU32::new(n).map(SeasonalityOption::Fourier);
    // One season of a week, so fine that it holds a day's up to the eighth harmonic: Prophet's own orders of 4 and 3 follow no
    // lunch hour, and of two seasons its hash map would decide which comes first, and rounding with it.
    let options = OptProphetOptions {
        yearly_seasonality: Some(SeasonalityOption::Manual(false)),
        daily_seasonality: Some(SeasonalityOption::Manual(false)),
        weekly_seasonality: order(60),
        // Only the middle is asked for; a thousand drawn futures would take most of the time.
        uncertainty_samples: Some(0),
        ..OptProphetOptions::default()
    };
    let mut model = Prophet::new(options.into(), Map);
    let times: Option<Vec<i64>> = (0..counts.len()).map(at).collect();
    model.fit(TrainingData::new(times?, counts.to_vec()).ok()?, OptimizeOpts::default()).ok()?;
    let times: Option<Vec<i64>> = (counts.len()..counts.len() + ahead).map(at).collect();
    Some(model.predict(PredictionData::new(times?)).ok()?.yhat.point)
}

/// Counts without gaps: a gap becomes what was a week before, or a day, or the last count.
pub fn filled(counts: &[Option<f64>], day: usize) -> Vec<f64> {
    let mut filled: Vec<f64> = Vec::with_capacity(counts.len());
    for (index, count) in counts.iter().enumerate() {
        let ago = |steps: usize| index.checked_sub(steps).map(|at| filled[at]);
        let guess = || ago(7 * day).or_else(|| ago(day)).or_else(|| ago(1)).unwrap_or(0.0);
        filled.push(count.unwrap_or_else(guess));
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_alike_go_on_alike_whichever_model_is_asked() {
        let usual = |step: usize| {
            let (weekday, slot) = (step / 24 % 7, (step % 24) as f64);
            let size = if weekday < 5 { 20.0 } else { 8.0 };
            size * (-(slot - 12.0).powi(2) / 18.0).exp() + 1.0
        };
        let counts: Vec<f64> = (0..35 * 24).map(usual).collect();
        let models = [
            seasons(&counts, 24, 169),
            Library::Mstl.forecast(&counts, 24, 169),
            Library::Prophet.forecast(&counts, 24, 169),
        ];
        for (model, week) in models.into_iter().enumerate() {
            let week = week.unwrap();
            assert_eq!(week.len(), 169);
            let errors = week.iter().enumerate().map(|(step, count)| (count - usual(35 * 24 + step)).abs());
            let error = errors.sum::<f64>() / 169.0;
            assert!(error < 0.5, "{model}: {error}");
        }
        assert_eq!(seasons(&counts[..14 * 24], 24, 1), None);
    }
}
