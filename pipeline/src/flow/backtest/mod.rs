//! Rolling origin: forecasts of a known past, each made from what was known before it.
//!
//! At every step of the test period the forecaster has seen the steps before it and no other; then the step's count is shown
//! to it. "As a week ago" and the library's models forecast from the same origins. Errors are told as MASE (Hyndman and
//! Koehler 2006): mean absolute error over that of "as a week ago" within the training period, so that 1 is no gain.

pub mod report;
pub mod score;

use crate::flow::{
    forecast::{
        Forecaster, Settings,
        baseline::{Library, filled},
        counts::Spread,
        events::Event,
        weather::Weather,
    },
    series::Series,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use score::{Scored, Scores};

/// Origins from which the library's models are fitted anew, at most; beyond, they and the errors they are compared with are
/// told of every second origin, or third, and so on.
const FITS: usize = 2000;
/// Days that the library's models look back.
const LOOK_BACK: usize = 70;

/// What is to be tested.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Ahead by so much; whole steps.
    pub horizons: Vec<SignedDuration>,
    /// Steps at the end that are forecast; what is before them is history.
    pub test: usize,
    /// The venue's clocks.
    pub zone: TimeZone,
    /// What was on, and would be.
    pub events: Vec<Event>,
    /// What weather there was: as if it had been forecast without error.
    pub weather: Option<Weather>,
    /// Whether the library's models are run as well.
    pub library: bool,
}

/// A plan that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A horizon between two steps.
    #[error(
        "a horizon of {horizon} is no whole number of steps of {step}, or more than a week; name one that is, such as {near}"
    )]
    Horizon {
        /// As asked.
        horizon: String,
        /// The file's step.
        step: String,
        /// The nearest that is.
        near: String,
    },
    /// Too little before or in the test period.
    #[error(
        "{before} steps before the test and {test} in it are too few: a week and a day before, and {least} in it, are the \
         least; give more counts, or a shorter `--test`"
    )]
    Short {
        /// Before it.
        before: usize,
        /// In it.
        test: usize,
        /// The longest horizon, in steps.
        least: usize,
    },
    /// A step longer than a day, or one that no whole number of makes a day.
    #[error(
        "steps of {0} do not make a day: counts of steps that do are forecast, such as 5m, 30m or 1h; try `--step`"
    )]
    Step(String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// By horizon, in the plan's order.
    pub scored: Vec<Scored>,
    /// Steps of history.
    pub trained: usize,
    /// The mean absolute error, in people a step, that a MASE of 1 is.
    pub scale: f64,
    /// What was forecast, step by step.
    pub trace: Vec<Traced>,
}

/// One step of the test.
#[derive(Clone, Debug)]
pub struct Traced {
    /// When it begins.
    pub at: Timestamp,
    /// What came.
    pub count: Option<f64>,
    /// What was forecast of it, by horizon; `None` where its origin lies before the test.
    pub spreads: Vec<Option<Spread>>,
    /// Whether it is an event's.
    pub of_event: bool,
}

/// Runs a backtest; `told` hears how many origins of how many are done.
///
/// # Errors
/// [`Unfit`], when the plan does not fit the series.
pub fn run(series: &Series, plan: &Plan, told: &mut dyn FnMut(usize, usize)) -> Result<Backtest, Unfit> {
    let day = day(series.step)?;
    let steps = steps(series.step, &plan.horizons)?;
    let furthest = steps.iter().copied().max().unwrap_or(1);
    let (all, from) = (series.counts.len(), series.counts.len().saturating_sub(plan.test));
    if from < 8 * day || all - from < furthest.max(1) {
        return Err(Unfit::Short { before: from, test: all - from, least: furthest });
    }
    let minutes: Vec<u32> =
        plan.horizons.iter().map(|horizon| u32::try_from(horizon.as_mins()).unwrap_or(u32::MAX)).collect();
    let settings = Settings { step: series.step, zone: plan.zone.clone(), horizons: minutes.clone() };
    let history = Series { start: series.start, step: series.step, counts: series.counts[..from].to_vec() };
    let mut forecaster = Forecaster::new(settings, Some(&history), plan.events.clone(), plan.weather.clone());
    let mut trace: Vec<Traced> = (from..all)
        .map(|at| Traced {
            at: series.at(at),
            count: series.counts[at],
            spreads: vec![None; steps.len()],
            of_event: false,
        })
        .collect();
    let mut scores = Scores::new(&series.counts, from, 7 * day, &steps);
    let every = (all - from).div_ceil(FITS);
    let mut library = Rolling { counts: filled(&series.counts, day), day, prophet: None };
    for origin in from..all {
        told(origin - from, all - from);
        let at = series.at(origin);
        let spreads = forecaster.spreads(at, &minutes);
        let compared = (origin - from) % every == 0;
        let points = if plan.library && compared { library.forecast(origin, furthest) } else { Vec::new() };
        for (horizon, (ahead, spread)) in steps.iter().zip(spreads).enumerate() {
            let target = origin + ahead - 1;
            let Some(step) = trace.get_mut(target - from) else { continue };
            step.spreads[horizon] = Some(spread);
            step.of_event = forecaster.of_event(step.at);
            let points = points.iter().map(|(library, points)| (*library, points[ahead - 1])).collect::<Vec<_>>();
            scores.add(horizon, target, step.of_event, &spread, compared.then_some(points.as_slice()));
        }
        forecaster.observe(at, series.counts[origin]);
    }
    let scored = scores.scored(&minutes, !plan.events.is_empty());
    Ok(Backtest { scored, trained: from, scale: scores.scale(), trace })
}

/// The library's models, fitted at each origin to what lies before it.
struct Rolling {
    /// All counts, without gaps: a gap is filled from before it.
    counts: Vec<f64>,
    day: usize,
    /// Prophet knows no "now", so that it is fitted once a day: until when its forecast reaches, and the forecast.
    prophet: Option<(usize, Vec<f64>)>,
}

impl Rolling {
    fn forecast(&mut self, origin: usize, furthest: usize) -> Vec<(Library, Vec<f64>)> {
        let before = &self.counts[origin.saturating_sub(LOOK_BACK * self.day)..origin];
        let mut points = Vec::new();
        for library in [Library::Ets, Library::Mstl] {
            points.extend(library.forecast(before, self.day, furthest).map(|point| (library, point)));
        }
        if self.prophet.as_ref().is_none_or(|(from, _)| origin - from >= self.day) {
            self.prophet = Library::Prophet.forecast(before, self.day, self.day + furthest).map(|week| (origin, week));
        }
        if let Some((from, week)) = &self.prophet {
            points.push((Library::Prophet, week[origin - from..origin - from + furthest].to_vec()));
        }
        points
    }
}

/// Steps of a day.
fn day(step: SignedDuration) -> Result<usize, Unfit> {
    let seconds = step.as_secs();
    let fits = step.subsec_nanos() == 0 && seconds > 0 && 86_400 % seconds == 0;
    fits.then(|| usize::try_from(86_400 / seconds).unwrap_or(1)).ok_or_else(|| Unfit::Step(words(step)))
}

/// Horizons in steps.
fn steps(step: SignedDuration, horizons: &[SignedDuration]) -> Result<Vec<usize>, Unfit> {
    let steps = |horizon: &SignedDuration| {
        let (ahead, step_s) = (horizon.as_secs(), step.as_secs());
        let own_s = step_s;
        if ahead > 0 && ahead % step_s == 0 && ahead % 60 == 0 && ahead <= 7 * 86_400 {
            return Ok(usize::try_from(ahead / step_s).unwrap_or(1));
        }
        // Horizons are told in minutes.
        let step = if step_s % 60 == 0 { step } else { step * 60 };
        let step_s = step.as_secs();
        let near = step * i32::try_from((ahead as f64 / step_s as f64).round().clamp(1.0, 1e6) as i64).unwrap_or(1);
        Err(Unfit::Horizon {
            horizon: words(*horizon),
            step: words(SignedDuration::from_secs(own_s)),
            near: words(near),
        })
    };
    horizons.iter().map(steps).collect()
}

/// A duration in words.
fn words(duration: SignedDuration) -> String {
    humantime::format_duration(duration.unsigned_abs()).to_string()
}

#[cfg(test)]
mod tests;
