//! How good forecasts have been here, lately.

use crate::flow::{forecast::counts::Spread, told::Grade};
use std::collections::VecDeque;

/// Forecasts that are remembered: a week of five minutes.
const LATELY: usize = 2016;

/// A forecast whose truth is known.
#[derive(Clone, Copy, Debug)]
struct Graded {
    error: f64,
    naive: Option<f64>,
    inside80: f64,
    inside95: f64,
}

/// The grades of forecasts of one horizon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grades {
    lately: VecDeque<Graded>,
    all: u64,
}

impl Grades {
    /// Grades a forecast; `naive` is what came a week before, or a day while no week is known.
    pub(crate) fn add(&mut self, spread: &Spread, naive: Option<f64>, count: f64) {
        if self.lately.len() == LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(Graded {
            error: (spread.fan().median - count).abs(),
            naive: naive.map(|naive| (naive - count).abs()),
            inside80: spread.inside80(count),
            inside95: spread.inside95(count),
        });
        self.all += 1;
    }

    /// The grade; errors are divided by a step's minutes. `None` before any truth is known.
    pub(crate) fn grade(&self, minutes: u32, step_min: f64) -> Option<Grade> {
        let many = self.lately.len();
        if many == 0 {
            return None;
        }
        let mean = |of: fn(&Graded) -> f64| self.lately.iter().map(of).sum::<f64>() / many as f64;
        let compared = self.lately.iter().filter_map(|graded| Some((graded.error, graded.naive?)));
        let (error, naive) = compared.fold((0.0, 0.0), |(error, naive), (e, n)| (error + e, naive + n));
        Some(Grade {
            minutes,
            forecasts: self.all,
            mean_absolute_error: mean(|graded| graded.error) / step_min,
            mase: (naive > 0.0).then(|| error / naive),
            coverage80: Some(mean(|graded| graded.inside80)),
            coverage95: Some(mean(|graded| graded.inside95)),
        })
    }
}
