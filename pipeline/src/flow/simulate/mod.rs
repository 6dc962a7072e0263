//! Simulated match days whose truth is known: what forecasts, queues and advice are judged by.
//!
//! # How to use it
//! ```ignore
//! let simulated = simulate(&Settings { seed: 7, days: 50, gates: 3, ..Settings::default() });
//! for gate in &simulated.gates {
//!     for minute in &gate.minutes {          // every minute of every day, without holes
//!         minute.at;                         // its beginning
//!         minute.seen_arrived;               // what cameras counted: `None` is a gap, never nobody
//!         minute.arrived;                    // the truth
//!         minute.queue;                      // the truth: people between the back of the queue and the gate, at its end
//!         minute.wait_seconds;               // the truth: how long those who arrived in it waited, on average
//!     }
//! }
//! for game in &simulated.matches {           // the programme: `kick_off`, `end`,
//!     game.announced;                        // the attendance that was told beforehand, with an error
//!     game.shares[0];                        // the share of it that was expected at `simulated.gates[0]`, 0..=1
//! }
//! written::csv(&simulated.gates[0]);         // `timestamp,count` by minute; a gap has no line
//! written::programme(&simulated);            // the same matches as a programme file that `usher` reads
//! ```
//! The same settings give the same days, on every machine. Fifty days of three gates take about a second.
//!
//! # What is in it
//! People come by a Poisson process whose rate follows the kick-offs, the time of day and the day of the week, in groups
//! of one to five; the rate wanders by itself (overdispersion), the bulge before a match comes earlier or later than the
//! last time, and part of the people come by train, in bursts, some trains late. Attendance is announced with an error.
//! Nobody is put off by the length of a queue; a few turn back and come again. Lanes open and close, break down, and
//! serve by a gamma or lognormal time around a rate that differs from day to day. Cameras miss some people, count some
//! twice, and are lost now and then for a quarter of an hour or more.

pub mod arrivals;
pub mod counted;
pub mod followed;
pub mod lanes;
pub mod matches;
pub mod measured;
pub mod reference;
pub mod venue;
pub mod written;

use jiff::{Timestamp, civil::Date, civil::Time, tz::TimeZone};
use std::time::Duration;
use usher_config::value::Name;
use venue::Venue;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Decides everything that chance decides.
    pub seed: u64,
    /// Days, one after the other, each with one or two matches; at least 1.
    pub days: u32,
    /// Gates, 1..=26.
    pub gates: u32,
    /// The first day. Default Monday, 2 March 2026: four weeks before the clocks change.
    pub first: Date,
    /// Where the venue's clocks stand. Default `Europe/Berlin`.
    pub zone: TimeZone,
    /// Whether cameras miss people, count some twice and are lost now and then. Default yes.
    pub faults: bool,
    /// Lanes that are opened or closed besides what was planned, each day.
    pub changes: Vec<LaneChange>,
}

impl Default for Settings {
    fn default() -> Self {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        let first = jiff::civil::date(2026, 3, 2);
        Self { seed: 1, days: 1, gates: 3, first, zone, faults: true, changes: Vec::new() }
    }
}

/// Lanes that are opened (or closed, below zero) at a time, until the day's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneChange {
    /// Where.
    pub gate: Name,
    /// How many more; never more than there are, never fewer than none.
    pub lanes: i32,
    /// From when on, by the venue's clocks.
    pub at: Time,
}

/// Days that were simulated.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The first minute.
    pub start: Timestamp,
    /// Where the venue's clocks stand.
    pub zone: TimeZone,
    /// The programme, in order.
    pub matches: Vec<Match>,
    /// The gates, in the order of [`Match::shares`].
    pub gates: Vec<GateDays>,
}

/// One match of the programme.
#[derive(Clone, Debug)]
pub struct Match {
    /// When it begins.
    pub kick_off: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// How many were expected, as the programme tells beforehand.
    pub announced: u32,
    /// How many meant to come, in truth.
    pub attendance: u32,
    /// The share of them that was expected at each gate, 0..=1; they add up to 1.
    pub shares: Vec<f64>,
}

/// One gate's days.
#[derive(Clone, Debug)]
pub struct GateDays {
    /// Its name: `gate-a`, `gate-b`, …
    pub name: Name,
    /// Lanes it has.
    pub lanes: u32,
    /// People a minute and lane, as the venue believes.
    pub rate: f64,
    /// The longest wait that the venue wants there.
    pub limit: Duration,
    /// Every minute, from [`Simulated::start`] on.
    pub minutes: Vec<Minute>,
}

/// One minute at one gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// When it begins.
    pub at: Timestamp,
    /// The rate that chance drew arrivals around, people a minute.
    pub expected: f64,
    /// People who came to the back of the queue.
    pub arrived: u32,
    /// People who went through the gate.
    pub served: u32,
    /// People who went away again over the back of the queue.
    pub turned: u32,
    /// People between the back of the queue and the gate, at the minute's end.
    pub queue: u32,
    /// How long those who arrived in it took from the back of the queue through the gate, on average; `None` where nobody came.
    pub wait_seconds: Option<f64>,
    /// How long whoever comes at its very end takes: between those who came last in it and first after it; `None` where nobody
    /// came in a minute before or after.
    pub wait_at_end: Option<f64>,
    /// Lanes that were open.
    pub open: u32,
    /// Lanes that were planned to be.
    pub planned: u32,
    /// Arrivals less those who turned back, as the cameras counted; `None` where no camera saw.
    pub seen_arrived: Option<u32>,
    /// People who went through, as the cameras counted; `None` where no camera saw.
    pub seen_served: Option<u32>,
}

/// Simulates the days.
pub fn simulate(settings: &Settings) -> Simulated {
    let mut venue = Venue::new(settings);
    while !venue.is_over() {
        let (open, nobody) = (venue.would_open(), Vec::new());
        venue.minute(&open, &nobody);
    }
    venue.into_simulated()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(seed: u64) -> Simulated {
        simulate(&Settings { seed, days: 2, ..Settings::default() })
    }

    #[test]
    fn the_same_seed_gives_the_same_days_and_another_gives_others() {
        let of = |seed| days(seed).gates.into_iter().map(|gate| gate.minutes).collect::<Vec<_>>();
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }

    #[test]
    fn nobody_is_lost_and_nobody_is_made() {
        for gate in days(5).gates {
            let mut inside = 0_i64;
            for minute in &gate.minutes {
                inside += i64::from(minute.arrived) - i64::from(minute.served) - i64::from(minute.turned);
                assert_eq!(inside, i64::from(minute.queue), "{} at {}", gate.name, minute.at);
            }
            assert_eq!(inside, 0, "the last have gone in by midnight");
        }
    }

    #[test]
    fn time_in_the_queue_is_what_little_says() {
        // L = λ W over days that begin and end empty; whoever turned back stood there too, for half a minute.
        let simulated = simulate(&Settings { seed: 6, days: 7, ..Settings::default() });
        let minutes = || simulated.gates.iter().flat_map(|gate| &gate.minutes);
        let waited: f64 = minutes().map(|m| f64::from(m.arrived) * m.wait_seconds.unwrap_or(0.0) / 60.0).sum();
        let stood: f64 = minutes().map(|m| f64::from(m.queue)).sum();
        assert!((waited / stood - 1.0).abs() < 0.04, "{waited} against {stood}");
    }

    #[test]
    fn a_day_of_the_changing_clock_has_as_many_minutes_as_it_lasts() {
        let first = jiff::civil::date(2026, 3, 29);
        let simulated = simulate(&Settings { first, gates: 1, ..Settings::default() });
        assert_eq!(simulated.gates[0].minutes.len(), 23 * 60);
        let step = |pair: &[Minute]| pair[1].at.duration_since(pair[0].at).as_secs();
        assert!(simulated.gates[0].minutes.windows(2).all(|pair| step(pair) == 60));
    }

    #[test]
    fn more_lanes_make_nobody_wait_longer_in_sum() {
        let plain = Settings { seed: 9, ..Settings::default() };
        let at = jiff::civil::time(0, 0, 0, 0);
        let changes = vec![LaneChange { gate: Name::new("gate-a").unwrap(), lanes: 26, at }];
        let more = Settings { changes, ..plain.clone() };
        let stood = |settings: &Settings| -> u64 {
            simulate(settings).gates[0].minutes.iter().map(|minute| u64::from(minute.queue)).sum()
        };
        assert!(stood(&more) < stood(&plain));
    }
}
