//! Who comes to which gate when, in a simulated day.

use crate::flow::simulate::{Match, lanes::Built, matches::normal};
use jiff::{Timestamp, Zoned};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};

/// When people come to a match: share, minutes before the kick-off, spread. Early ones, the bulge, the late, the very late.
const BULGE: [(f64, f64, f64); 4] = [(0.18, -85.0, 25.0), (0.60, -40.0, 16.0), (0.17, -14.0, 8.0), (0.05, 5.0, 7.0)];
/// How much of them comes so many minutes after a train is in.
const OFF_THE_TRAIN: [f64; 6] = [0.0, 0.15, 0.3, 0.3, 0.15, 0.1];
/// Minutes between trains.
const HEADWAY: f64 = 10.0;
/// How far the rate wanders by itself (logarithm), and within how many minutes it forgets.
const WANDERS: (f64, f64) = (0.15, 12.0);
/// Groups of one to five people, by how many of a hundred groups.
const GROUPS: [u32; 5] = [38, 34, 13, 10, 5];
/// How many of a thousand turn back at the back of the queue (a ticket left in the car) and come again.
const TURN_BACK: u32 = 15;
/// The time of day without a match, people a minute and gate of weight 1, by hour.
const PLAIN: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.8, 1.6, 2.2, 2.4, 2.2, 2.0, 2.0, 1.8, 1.6, 1.4, 1.2, 0.9, 0.6, 0.4, 0.2, 0.0,
    0.0,
];
/// The same by weekday, from Monday on.
const WEEK: [f64; 7] = [0.8, 0.9, 1.0, 1.0, 1.2, 1.6, 1.4];

/// Somebody on the way to a gate; seconds since the day's first minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Person {
    /// At the back of the queue.
    pub at: f64,
    /// When they go away again, unless they are being served by then.
    pub turns: Option<f64>,
}

/// One gate's day to come.
pub(super) struct Coming {
    /// The rate by minute, people a minute.
    pub expected: Vec<f64>,
    /// Everybody, in order.
    pub people: Vec<Person>,
}

/// A day's people at every gate.
pub(super) fn drawn(
    day: &Zoned,
    minutes: usize,
    matches: &[Match],
    gates: &[Built],
    random: &mut ChaCha8Rng,
) -> Vec<Coming> {
    let mut rates: Vec<Vec<f64>> = gates.iter().map(|gate| plain(day, minutes, gate.weight)).collect();
    for game in matches {
        // What nobody knows beforehand: people come earlier or later, tighter or wider, and to other gates than was thought.
        let (shift, stretch) = (normal(random, 4.0), normal(random, 0.1).exp());
        let mut shares: Vec<f64> = game.shares.iter().map(|share| share * normal(random, 0.08).exp()).collect();
        let whole: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= whole);
        let kick_off = minutes_between(day.timestamp(), game.kick_off);
        let bulge: Vec<f64> =
            (0..minutes).map(|minute| density((minute as f64 + 0.5 - kick_off - shift) / stretch) / stretch).collect();
        let trains = by_train(&bulge, random);
        for ((rate, share), gate) in rates.iter_mut().zip(&shares).zip(gates) {
            for (minute, rate) in rate.iter_mut().enumerate() {
                let mixed = (1.0 - gate.by_train) * bulge[minute] + gate.by_train * trains[minute];
                *rate += f64::from(game.attendance) * share * mixed;
            }
        }
    }
    rates.into_iter().map(|rate| people(rate, random)).collect()
}

/// What comes without a match.
fn plain(day: &Zoned, minutes: usize, weight: f64) -> Vec<f64> {
    let week = WEEK[usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0)];
    let hour_of = |minute: usize| {
        let at = day.timestamp() + jiff::SignedDuration::from_mins(minute as i64);
        usize::try_from(at.to_zoned(day.time_zone().clone()).hour()).unwrap_or(0)
    };
    (0..minutes).map(|minute| PLAIN[hour_of(minute)] * week * weight).collect()
}

/// Share of a match's people in the minute so far from the kick-off.
pub(super) fn density(from_kick_off: f64) -> f64 {
    let one = |(share, mean, spread): (f64, f64, f64)| {
        let z = (from_kick_off - mean) / spread;
        share * (-0.5 * z * z).exp() / (spread * (2.0 * std::f64::consts::PI).sqrt())
    };
    BULGE.into_iter().map(one).sum()
}

/// The same people in trains: each brings those who would have come since the one before, and one in eight is late.
fn by_train(bulge: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut off = vec![0.0; bulge.len()];
    let first = random.random_range(0.0..HEADWAY);
    let mut since = 0;
    let mut due = first;
    while since < bulge.len() {
        let until = (due as usize).min(bulge.len());
        let load: f64 = bulge[since..until].iter().sum();
        let late = if random.random_bool(0.125) { random.random_range(4.0..14.0) } else { normal(random, 0.7).abs() };
        for (after, share) in OFF_THE_TRAIN.iter().enumerate() {
            let minute = ((due + late) as usize + after).min(bulge.len() - 1);
            off[minute] += load * share;
        }
        since = until;
        due += HEADWAY;
    }
    off
}

/// Draws everybody around a rate, which wanders.
fn people(mut rate: Vec<f64>, random: &mut ChaCha8Rng) -> Coming {
    let (spread, forgets) = WANDERS;
    let keep = (-1.0 / forgets).exp();
    let mut wander = normal(random, spread);
    let size: f64 = GROUPS.iter().zip(1..).map(|(of, people)| f64::from(*of * people) / 100.0).sum();
    let mut people = Vec::new();
    for (minute, rate) in rate.iter_mut().enumerate() {
        wander = keep * wander + normal(random, spread * (1.0 - keep * keep).sqrt());
        // An hour's mean stays what it was: the logarithm's spread lifts it by half its square.
        *rate *= (wander - spread * spread / 2.0).exp();
        let groups = if *rate > 0.0 {
            Poisson::new(*rate / size).map_or(0.0, |poisson: Poisson<f64>| poisson.sample(random))
        } else {
            0.0
        };
        for _ in 0..groups as u32 {
            let at = (minute as f64 + random.random_range(0.0..1.0)) * 60.0;
            for one in 0..group(random) {
                one_comes(at + f64::from(one) * 0.8, random, &mut people);
            }
        }
    }
    people.sort_by(|a: &Person, b: &Person| a.at.total_cmp(&b.at));
    Coming { expected: rate, people }
}

fn group(random: &mut ChaCha8Rng) -> u32 {
    let mut left = random.random_range(0..100_u32);
    for (of, people) in GROUPS.iter().zip(1..) {
        if left < *of {
            return people;
        }
        left -= of;
    }
    1
}

fn one_comes(at: f64, random: &mut ChaCha8Rng, people: &mut Vec<Person>) {
    if random.random_range(0..1000) < TURN_BACK {
        let turns = at + random.random_range(10.0..60.0);
        people.push(Person { at, turns: Some(turns) });
        people.push(Person { at: turns + random.random_range(240.0..900.0), turns: None });
    } else {
        people.push(Person { at, turns: None });
    }
}

fn minutes_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_brings_everybody_once() {
        let whole: f64 = (-400..300).map(|minute| density(f64::from(minute))).sum();
        assert!((whole - 1.0).abs() < 1e-3, "{whole}");
    }

    #[test]
    fn trains_bring_as_many_as_would_have_come() {
        use rand::SeedableRng;
        let bulge: Vec<f64> = (-400..300).map(|minute| density(f64::from(minute))).collect();
        let trains = by_train(&bulge, &mut ChaCha8Rng::seed_from_u64(1));
        let (walked, rode): (f64, f64) = (bulge.iter().sum(), trains.iter().sum());
        assert!((walked - rode).abs() < 1e-6, "{walked} {rode}");
        let highest = |rates: &[f64]| rates.iter().copied().fold(0.0, f64::max);
        assert!(highest(&trains) > 1.8 * highest(&bulge), "trains come in bursts");
    }
}
