//! Scores of forecasts: errors beside those of others, and how often intervals held the truth.

use crate::flow::forecast::{baseline::Library, counts::Spread};
use serde::Serialize;
use std::collections::BTreeMap;

/// The scores of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// Minutes ahead.
    pub minutes: u32,
    /// Of all steps.
    #[serde(flatten)]
    pub all: Figures,
    /// Of those alone that are an event's, where a programme was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_hours: Option<Figures>,
}

/// Figures of some forecasts; those that nothing is known of are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Mean absolute error of the median over that of "as a week ago" in the training period.
    pub mase: Option<f64>,
    /// The same of "as a week ago" in the test.
    pub mase_seasonal_naive: Option<f64>,
    /// The same of the best single model of the library.
    pub mase_best_library: Option<f64>,
    /// Which that is.
    pub best_library: Option<&'static str>,
    /// The same of all of them.
    pub mase_library: BTreeMap<&'static str, f64>,
    /// The share of counts inside the 80 % interval; a count on an end by the share of its cell that is inside.
    pub coverage80: Option<f64>,
    /// The same of the 95 % interval.
    pub coverage95: Option<f64>,
    /// The share of counts from end to end of the 80 % interval, as told in whole people, both ends included.
    pub closed80: Option<f64>,
    /// The same of the 95 % interval.
    pub closed95: Option<f64>,
    /// Forecasts whose intervals were judged.
    pub forecasts: u64,
    /// Forecasts whose errors were compared.
    pub compared: u64,
}

/// Sums of what figures are made of.
#[derive(Clone, Debug, Default)]
struct Sums {
    error: f64,
    naive: f64,
    library: BTreeMap<Library, f64>,
    compared: u64,
    inside: [f64; 4],
    forecasts: u64,
}

/// Scores while a backtest runs.
pub(crate) struct Scores<'a> {
    counts: &'a [Option<f64>],
    week: usize,
    scale: f64,
    /// By horizon: of all steps, of an event's.
    sums: Vec<[Sums; 2]>,
}

impl<'a> Scores<'a> {
    /// Counts of all steps, of which those before `from` are training.
    pub(crate) fn new(counts: &'a [Option<f64>], from: usize, week: usize, horizons: &[usize]) -> Self {
        let naive = (week..from).filter_map(|at| Some((counts[at]? - counts[at - week]?).abs()));
        let (sum, many) = naive.fold((0.0, 0u32), |(sum, many), error| (sum + error, many + 1));
        Self { counts, week, scale: sum / f64::from(many.max(1)), sums: vec![Default::default(); horizons.len()] }
    }

    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// Adds a forecast of step `target`; `library` holds the others' where errors are compared. Gaps are not scored.
    pub(crate) fn add(
        &mut self,
        horizon: usize,
        target: usize,
        of_event: bool,
        spread: &Spread,
        library: Option<&[(Library, f64)]>,
    ) {
        let Some(count) = self.counts[target] else { return };
        let naive = target.checked_sub(self.week).and_then(|before| self.counts[before]);
        let fan = spread.fan();
        let within = |low: f64, high: f64| f64::from(u8::from((low..=high).contains(&count)));
        let inside = [
            spread.inside80(count),
            spread.inside95(count),
            within(fan.low80, fan.high80),
            within(fan.low95, fan.high95),
        ];
        let [all, event] = &mut self.sums[horizon];
        for sums in [Some(all), of_event.then_some(event)].into_iter().flatten() {
            sums.inside.iter_mut().zip(inside).for_each(|(sum, inside)| *sum += inside);
            sums.forecasts += 1;
            let Some((naive, library)) = naive.zip(library) else { continue };
            sums.error += (fan.median - count).abs();
            sums.naive += (naive - count).abs();
            sums.compared += 1;
            for (library, point) in library {
                *sums.library.entry(*library).or_default() += (point - count).abs();
            }
        }
    }

    /// The scores by horizon.
    pub(crate) fn scored(&self, minutes: &[u32], with_events: bool) -> Vec<Scored> {
        let scored = |([all, event], minutes): (&[Sums; 2], &u32)| Scored {
            minutes: *minutes,
            all: self.figures(all),
            event_hours: with_events.then(|| self.figures(event)),
        };
        self.sums.iter().zip(minutes).map(scored).collect()
    }

    fn figures(&self, sums: &Sums) -> Figures {
        let mase = |error: f64| {
            let many = sums.compared as f64 * self.scale;
            (many > 0.0).then(|| round(error / many))
        };
        let share = |inside: f64| (sums.forecasts > 0).then(|| round(inside / sums.forecasts as f64));
        let best = sums.library.iter().min_by(|a, b| a.1.total_cmp(b.1));
        let [coverage80, coverage95, closed80, closed95] = sums.inside.map(share);
        Figures {
            mase: mase(sums.error),
            mase_seasonal_naive: mase(sums.naive),
            mase_best_library: best.and_then(|(_, error)| mase(*error)),
            best_library: best.map(|(library, _)| library.name()),
            mase_library: sums
                .library
                .iter()
                .filter_map(|(library, error)| Some((library.name(), mase(*error)?)))
                .collect(),
            coverage80,
            coverage95,
            closed80,
            closed95,
            forecasts: sums.forecasts,
            compared: sums.compared,
        }
    }
}

/// Four digits: more is noise.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
