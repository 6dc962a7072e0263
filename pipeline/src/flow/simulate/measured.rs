//! What a queue's figures are worth: held against the truth of simulated days.

use crate::flow::{
    queue::Queue,
    simulate::{
        GateDays, Simulated,
        reference::{Reference, planned},
    },
    told::Fan,
};
use serde::Serialize;
use std::time::Duration;
use usher_config::decide::Lanes;

/// Minutes ahead that are judged.
pub const HORIZONS: [usize; 4] = [5, 15, 30, 60];
/// How often a projection is made, minutes.
const EVERY: usize = 5;
/// Seconds above one service from which on people count as waiting.
const WAITS: f64 = 15.0;

/// Errors and hits, gathered; those of several venues add up with [`Measured::add`].
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Absolute error of the wait now, seconds, of each minute at whose end people waited; and of all minutes in which some came.
    waiting: Vec<f64>,
    all: Vec<f64>,
    /// Whether the interval of the wait now held the truth, while people waited.
    now: Hits,
    /// By horizon: queue and wait, where the forecast was sure that there would be a queue; and wait, wherever one was possible.
    ahead: [Ahead; 4],
}

#[derive(Clone, Copy, Debug, Default)]
struct Ahead {
    queue80: Hits,
    wait80: Hits,
    wait95: Hits,
    any80: Hits,
}

#[derive(Clone, Copy, Debug, Default)]
struct Hits {
    held: u32,
    of: u32,
}

impl Hits {
    fn note(&mut self, held: bool) {
        self.held += u32::from(held);
        self.of += 1;
    }

    fn share(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.held) / f64::from(self.of))
    }

    fn add(&mut self, other: Self) {
        self.held += other.held;
        self.of += other.of;
    }
}

/// The figures.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// 19 of 20 errors of the wait now are no larger, seconds; of the minutes in which people waited.
    pub wait_error_p95_seconds: f64,
    /// The same of all minutes in which anybody came.
    pub wait_error_p95_seconds_all_minutes: f64,
    /// The mean error while people waited.
    pub wait_error_mean_seconds: f64,
    /// Minutes in which people waited.
    pub minutes_waited: usize,
    /// Share of them in which the 80 % interval of the wait now held the truth.
    pub now_coverage80: Option<f64>,
    /// The projection.
    pub projection: Vec<Projected>,
}

/// The figures of one horizon.
#[derive(Clone, Debug, Serialize)]
pub struct Projected {
    /// Minutes ahead.
    pub minutes: usize,
    /// Projections that were sure of a queue.
    pub projections: u32,
    /// Share of them whose 80 % interval of the queue held the truth.
    pub queue_coverage80: Option<f64>,
    /// The same of the wait.
    pub wait_coverage80: Option<f64>,
    /// The 95 % interval of the wait.
    pub wait_coverage95: Option<f64>,
    /// The 80 % interval of the wait wherever a queue was possible. An interval that ends at "nobody waits" holds that truth
    /// every time, so that this share is larger.
    pub wait_coverage80_where_possible: Option<f64>,
}

impl Measured {
    /// Looks at every gate of simulated days as usher would, minute by minute, and holds what it says against the truth.
    pub fn of(simulated: &Simulated, reference: &Reference) -> Self {
        let mut measured = Self::default();
        for (index, gate) in simulated.gates.iter().enumerate() {
            measured.gate(gate, &planned(simulated, index), reference);
        }
        measured
    }

    /// Takes in the errors of other days.
    pub fn add(&mut self, other: &Self) {
        self.waiting.extend(&other.waiting);
        self.all.extend(&other.all);
        self.now.add(other.now);
        for (ahead, other) in self.ahead.iter_mut().zip(&other.ahead) {
            ahead.queue80.add(other.queue80);
            ahead.wait80.add(other.wait80);
            ahead.wait95.add(other.wait95);
            ahead.any80.add(other.any80);
        }
    }

    fn gate(&mut self, gate: &GateDays, planned: &[f64], reference: &Reference) {
        let lanes = lanes_of(gate);
        let mut queue = Queue::new(lanes);
        queue.observe(Duration::ZERO, Some(0.0), Some(0.0), gate.minutes[0].open);
        let floor = 60.0 / gate.rate;
        for (index, minute) in gate.minutes.iter().enumerate() {
            let (arrived, served) = (minute.seen_arrived.map(f64::from), minute.seen_served.map(f64::from));
            if index % EVERY == 0 {
                let fans = reference.fans(gate, planned, index, 1);
                queue.expect(fans.first().map(|fan| fan.median));
            }
            queue.observe(Duration::from_secs(60 * (index as u64 + 1)), arrived, served, minute.open);
            let Some(now) = queue.now() else { continue };
            if let Some(truth) = wait_at(gate, index) {
                let error = (now.wait_seconds.value - truth).abs();
                self.all.push(error);
                // By who stands there, not by how long somebody took in the end: minutes chosen by what came out are those in
                // which a service took long, and no honest interval holds those as often as it says.
                let ahead = f64::from(minute.queue + 1) / f64::from(minute.open.max(1));
                if ahead * floor > floor + WAITS {
                    self.waiting.push(error);
                    self.now.note(now.wait_seconds.low <= truth && truth <= now.wait_seconds.high);
                }
            }
            if index % EVERY == 0 && planned[index..].iter().take(60).any(|rate| *rate > 5.0) {
                self.project(gate, &queue, index, &reference.fans(gate, planned, index, 60));
            }
        }
    }

    fn project(&mut self, gate: &GateDays, queue: &Queue, index: usize, arrivals: &[Fan]) {
        // What a venue knows: the plan, and that a lane that is closed against it is back within a quarter of an hour.
        let (now, last) = (&gate.minutes[index], gate.minutes.len() - 1);
        let open = |ahead: usize| {
            let then = &gate.minutes[(index + 1 + ahead).min(last)];
            if ahead < 15 && then.planned == now.planned { now.open } else { then.planned }
        };
        let floor = 60.0 / gate.rate + WAITS;
        let told = queue.project_at(arrivals, &open, &HORIZONS.map(|minutes| minutes - 1));
        for ((minutes, (length, wait)), ahead) in HORIZONS.iter().zip(told).zip(&mut self.ahead) {
            let then = index + minutes;
            let (Some(truth), Some(minute)) = (wait_at(gate, then), gate.minutes.get(then)) else { continue };
            let people = f64::from(minute.queue);
            if wait.low80 > floor {
                ahead.queue80.note(length.low80 <= people && people <= length.high80);
                ahead.wait80.note(wait.low80 <= truth && truth <= wait.high80);
                ahead.wait95.note(wait.low95 <= truth && truth <= wait.high95);
            }
            if wait.high80 > floor || truth > floor {
                ahead.any80.note((wait.low80 <= truth || wait.low80 < floor) && truth <= wait.high80.max(floor));
            }
        }
    }

    /// The figures of everything gathered.
    pub fn figures(&self) -> Figures {
        let projected = |(minutes, ahead): (usize, &Ahead)| Projected {
            minutes,
            projections: ahead.wait80.of,
            queue_coverage80: ahead.queue80.share(),
            wait_coverage80: ahead.wait80.share(),
            wait_coverage95: ahead.wait95.share(),
            wait_coverage80_where_possible: ahead.any80.share(),
        };
        Figures {
            wait_error_p95_seconds: p95(&self.waiting),
            wait_error_p95_seconds_all_minutes: p95(&self.all),
            wait_error_mean_seconds: self.waiting.iter().sum::<f64>() / self.waiting.len().max(1) as f64,
            minutes_waited: self.waiting.len(),
            now_coverage80: self.now.share(),
            projection: HORIZONS.into_iter().zip(&self.ahead).map(projected).collect(),
        }
    }
}

/// How usher would be told that a simulated gate is built.
pub fn lanes_of(gate: &GateDays) -> Lanes {
    let open = gate.minutes.first().map_or(1, |minute| minute.open);
    Lanes { lanes: gate.lanes, open, rate_per_lane_minute: Some(gate.rate), limit: Some(gate.limit) }
}

/// How long whoever comes at the end of a minute waits.
fn wait_at(gate: &GateDays, index: usize) -> Option<f64> {
    gate.minutes.get(index)?.wait_at_end
}

fn p95(errors: &[f64]) -> f64 {
    let mut sorted = errors.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get((0.95 * sorted.len() as f64) as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::simulate::{
        Settings,
        followed::{days, followed},
        simulate,
    };

    fn reference() -> Reference {
        Reference::learnt(1_000_000..1_000_008)
    }

    #[test]
    fn the_wait_now_is_right_within_a_minute_and_a_half_19_times_of_20() {
        let (reference, mut measured) = (reference(), Measured::default());
        for seed in 1..=8 {
            measured.add(&Measured::of(&simulate(&Settings { seed, ..Settings::default() }), &reference));
        }
        let figures = measured.figures();
        assert!(figures.minutes_waited > 400, "too few waited to tell: {figures:?}");
        assert!(figures.wait_error_p95_seconds <= 90.0, "{figures:?}");
        // Eight days are few: fifty are in docs/flow-queue.md.
        let near = &figures.projection[0];
        assert!(near.wait_coverage80.is_some_and(|share| (0.7..=0.9).contains(&share)), "{figures:?}");
        assert!(near.wait_coverage95.is_some_and(|share| share >= 0.88), "{figures:?}");
    }

    #[test]
    fn who_follows_the_advice_has_fewer_people_over_the_limit() {
        let reference = reference();
        let (mut without, mut with) = (0, 0);
        for seed in [1, 12, 19] {
            let told = followed(&Settings { seed, ..Settings::default() }, &reference);
            assert_eq!(told.without.people, told.with.people, "the same people come");
            (without, with) = (without + told.without.over_limit, with + told.with.over_limit);
        }
        assert!(without > 5000 && with * 4 < without, "{without} without, {with} with advice");
    }

    #[test]
    fn days_without_a_queue_are_days_without_an_error() {
        let quiet = simulate(&Settings { seed: 17, faults: false, ..Settings::default() });
        assert_eq!(days(&quiet).over_limit, 0);
        let figures = Measured::of(&quiet, &reference()).figures();
        assert!(figures.wait_error_p95_seconds_all_minutes < 15.0, "{figures:?}");
    }
}
