//! The programme of simulated days: who plays when, and how many come.

use crate::flow::simulate::{Match, lanes::Built};
use jiff::{SignedDuration, Timestamp, Zoned, civil::Weekday};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

/// Kick-offs of a working day's evening, and of a free day's afternoon: hour and minute.
const EVENINGS: [(i8, i8); 4] = [(18, 0), (18, 30), (19, 30), (20, 15)];
const AFTERNOONS: [(i8, i8); 3] = [(13, 0), (14, 0), (15, 30)];
/// What a match of 1.0 brings at its height: the share of all who come in the busiest minute, from the bulge of
/// [`crate::flow::simulate::arrivals`].
const BUSIEST_MINUTE: f64 = 0.0175;
/// How wrong what is announced is: standard deviation of the logarithm.
const ANNOUNCED: f64 = 0.12;

/// A standard normal number times `spread`.
pub(super) fn normal(random: &mut ChaCha8Rng, spread: f64) -> f64 {
    Normal::new(0.0, spread).expect("a spread is finite and not negative").sample(random)
}

/// The matches of one day.
pub(super) fn drawn(day: &Zoned, gates: &[Built], random: &mut ChaCha8Rng) -> Vec<Match> {
    let free = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let mut times = vec![EVENINGS[random.random_range(0..EVENINGS.len())]];
    if free && random.random_bool(0.7) {
        times.insert(0, AFTERNOONS[random.random_range(0..AFTERNOONS.len())]);
    }
    let capacity: f64 = gates.iter().map(|gate| f64::from(gate.match_open) * gate.rate).sum();
    let weights: f64 = gates.iter().map(|gate| gate.weight).sum();
    let shares: Vec<f64> = gates.iter().map(|gate| gate.weight / weights).collect();
    let drawn = times.into_iter().map(|(hour, minute)| {
        let level = (normal(random, 0.22) + if free { 0.2 } else { 0.1 }).exp().clamp(0.5, 1.6);
        let attendance = level * capacity / BUSIEST_MINUTE;
        let announced = attendance * normal(random, ANNOUNCED).exp();
        let kick_off = at(day, hour, minute);
        let end = kick_off + SignedDuration::from_mins(110);
        Match {
            kick_off,
            end,
            announced: (announced / 100.0).round() as u32 * 100,
            attendance: attendance.round() as u32,
            shares: shares.clone(),
        }
    });
    drawn.collect()
}

/// A time of that day.
fn at(day: &Zoned, hour: i8, minute: i8) -> Timestamp {
    let civil = day.date().at(hour, minute, 0, 0);
    day.time_zone().to_timestamp(civil).unwrap_or_else(|_| day.timestamp())
}
