//! Little's law as a check: people in the queue are arrivals a minute times minutes waited.
//!
//! The law (Little 1961) needs no model and no guess. Arrivals and departures drawn as cumulative curves (Newell 1982) are as
//! far apart upwards as people stand, and as far apart sideways as the one who is served now has waited. The sideways
//! distance times the rate of arrivals is held against the length that the cloud believes. Where both part for a quarter of an
//! hour, something is wrong that no model knows of: a camera that misses many, a lane that nobody told of.

use std::{collections::VecDeque, time::Duration};

/// How long figures are averaged.
const WINDOW: Duration = Duration::from_secs(900);
/// How far the two may be apart, as a share, and the least people about whom one can tell.
const APART: (f64, f64) = (0.35, 15.0);

#[derive(Clone, Copy, Debug)]
struct Point {
    at: Duration,
    /// Everybody who came, and who went, since the curves began.
    came: f64,
    went: f64,
    /// The cloud's length.
    length: f64,
    /// How long who went last has waited, minutes, by the curves.
    waited: f64,
}

/// The curves of the last hours.
#[derive(Clone, Debug, Default)]
pub(super) struct Little {
    points: VecDeque<Point>,
}

impl Little {
    /// A gap: the curves begin anew.
    pub(super) fn forget(&mut self) {
        self.points.clear();
    }

    /// One more point of the curves; `(length, _)` is the cloud's middle.
    pub(super) fn observe(
        &mut self,
        at: Duration,
        passed: Duration,
        arrived: Option<f64>,
        served: Option<f64>,
        (length, _): (f64, f64),
    ) {
        let (Some(arrived), Some(served)) = (arrived, served) else { return self.forget() };
        let last = self.points.back().copied();
        // The curves begin where hardly anybody stands: what is counted from there on is what stands.
        let Some(last) = last else {
            if length <= APART.1 / 3.0 && passed > Duration::ZERO {
                self.points.push_back(Point { at, came: length, went: 0.0, length, waited: 0.0 });
            }
            return;
        };
        let (came, went) = (last.came + arrived, last.went + served);
        let waited = self.sideways(at, went);
        self.points.push_back(Point { at, came, went, length, waited });
        // Whoever waits longest must still be on the curve; four hours are more than anybody stands.
        while self.points.front().is_some_and(|first| at.saturating_sub(first.at) > Duration::from_secs(4 * 3600)) {
            self.points.pop_front();
        }
        if length <= 1.0 && (came - went).abs() > APART.1 {
            self.forget();
        }
    }

    /// Minutes since as many had come as have gone now.
    fn sideways(&self, at: Duration, went: f64) -> f64 {
        let after = self.points.iter().rposition(|point| point.came <= went);
        let Some(after) = after else { return 0.0 };
        let (before, next) = (self.points[after], self.points.get(after + 1));
        let part = next.map_or(0.0, |next| (went - before.came) / (next.came - before.came).max(1e-9));
        let between = next.map_or(0.0, |next| next.at.saturating_sub(before.at).as_secs_f64());
        (at.saturating_sub(before.at).as_secs_f64() - part.clamp(0.0, 1.0) * between) / 60.0
    }

    /// Length believed per length that the law gives, where both are apart.
    pub(super) fn drift(&self) -> Option<f64> {
        let last = self.points.back()?;
        let recent = || self.points.iter().rev().take_while(|point| last.at.saturating_sub(point.at) <= WINDOW);
        let first = recent().last()?;
        let minutes = last.at.saturating_sub(first.at).as_secs_f64() / 60.0;
        if minutes < WINDOW.as_secs_f64() / 60.0 * 0.9 {
            return None;
        }
        let points = recent().count() as f64;
        let length = recent().map(|point| point.length).sum::<f64>() / points;
        let waited = recent().map(|point| point.waited).sum::<f64>() / points;
        let law = (last.went - first.went) / minutes * waited;
        let apart = (length - law).abs();
        (apart > APART.1 && apart > APART.0 * length.max(law)).then(|| length / law.max(1.0))
    }
}
