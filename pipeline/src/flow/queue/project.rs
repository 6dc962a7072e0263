//! How a queue goes on: each guess lives on under forecast arrivals and planned lanes (seeded Monte Carlo).
//!
//! Fluid and diffusion approximations are quicker, and wrong just where it matters: near zero, where a queue starts or ends,
//! and where lanes change in between. A few hundred paths, by minutes, take a millisecond and hold any of it.

use crate::flow::{
    queue::{
        cloud::{Cloud, Guess},
        fans::{at, fan},
    },
    told::Fan,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Paths where a fan is told, and where a question only wants to know whether something suffices.
pub(super) const PATHS: usize = 384;
pub(super) const FEW_PATHS: usize = 128;
/// Minutes within which an error of the forecast forgets: a match that draws more draws more for a while.
const FORECAST_ERRS_FOR: f64 = 15.0;
/// Variance to mean of the people of a minute: they come in groups, and a train or a bus is one of dozens.
const CHANCE: f64 = 5.0;
/// How far a lane's rate wanders in a minute (logarithm), and squared coefficient of variation of one service.
const SERVICE: (f64, f64) = (0.016, 0.5);
/// Longest wait that is told, minutes.
const LONGEST: usize = 240;

/// Fans of queue and wait (seconds) at the ends of the given minutes.
pub(super) fn project(
    cloud: &Cloud,
    arrivals: &[Fan],
    open: &dyn Fn(usize) -> u32,
    minutes: &[usize],
    paths: usize,
) -> Vec<(Fan, Fan)> {
    // The same chances every time: two projections differ by what is asked, not by luck.
    let mut random = ChaCha8Rng::seed_from_u64(61);
    let mut draw = || -> f64 { StandardNormal.sample(&mut random) };
    let ahead = minutes.last().map_or(0, |last| (last + 1).min(arrivals.len()));
    let lanes: Vec<f64> = (0..ahead + LONGEST).map(|minute| f64::from(open(minute))).collect();
    if is_surely_dry(cloud, &arrivals[..ahead], &lanes) {
        let dry = minutes.iter().filter(|minute| **minute < ahead);
        return dry.map(|minute| unhindered(cloud, &arrivals[*minute], lanes[*minute])).collect();
    }
    let keep = (-1.0 / FORECAST_ERRS_FOR).exp();
    let renew = (1.0 - keep * keep).sqrt();
    let mut queues = vec![Vec::with_capacity(paths); minutes.len()];
    let mut waits = vec![Vec::with_capacity(paths); minutes.len()];
    let (mut served, mut lengths) = (vec![0.0; ahead + LONGEST], vec![0.0; ahead]);
    for guess in cloud.drawn(paths) {
        let (mut rate, mut length, mut error) = (guess.rate(), guess.length(), draw());
        for minute in 0..ahead {
            error = keep * error + renew * draw();
            // What the forecast does not know stays for a while; what chance does within a minute is new each minute.
            let mean = at(&arrivals[minute], error);
            let arrived = (mean + (CHANCE * mean).sqrt() * draw()).max(0.0) * guess.per_arrival();
            rate *= (SERVICE.0 * draw()).exp();
            let mean = lanes[minute] * rate;
            served[minute] = (mean + (SERVICE.1 * mean).sqrt() * draw()).max(0.0);
            // Where lanes wait for people, those inside are being served: arrivals a minute times minutes of service.
            length = (length + arrived - served[minute]).max(arrived / rate.max(1.0)).max(0.0);
            lengths[minute] = length;
        }
        for minute in ahead..ahead + LONGEST {
            served[minute] = lanes[minute] * rate;
        }
        // First come, first served: who comes later is through later, so one hand moves through the minutes.
        let (mut hand, mut through, mut base) = (0, 0.0, 0.0);
        let mut next = 0;
        for minute in 0..ahead {
            base += served[minute];
            if next == minutes.len() || minutes[next] != minute {
                continue;
            }
            if hand <= minute {
                (hand, through) = (minute + 1, base);
            }
            let wanted = base + lengths[minute] + 1.0;
            while hand < served.len() && through + served[hand] < wanted {
                through += served[hand];
                hand += 1;
            }
            let part = if hand < served.len() { (wanted - through) / served[hand].max(1e-9) } else { 0.0 };
            let waited = (hand - minute - 1) as f64 + part.clamp(0.0, 1.0);
            queues[next].push(lengths[minute]);
            waits[next].push(60.0 * waited.max(1.0 / rate).min(LONGEST as f64));
            next += 1;
        }
    }
    queues.iter_mut().zip(&mut waits).filter(|(queue, _)| !queue.is_empty()).map(|(q, w)| (fan(q), fan(w))).collect()
}

/// Whether lanes wait for people throughout, even if many come and all work slowly: most gates, most of a day.
fn is_surely_dry(cloud: &Cloud, arrivals: &[Fan], lanes: &[f64]) -> bool {
    let (length, rate) = (cloud.estimate(Guess::length), cloud.estimate(Guess::rate));
    let first = lanes.first().copied().unwrap_or(0.0);
    let is_dry = |(fan, lanes): (&Fan, &f64)| {
        let serve = lanes * rate.low;
        2.0 * fan.high95 + 2.0 * (CHANCE * fan.high95).sqrt() <= serve - 1.5 * (SERVICE.1 * serve).sqrt()
    };
    length.high <= first && arrivals.iter().zip(lanes).all(is_dry)
}

/// Queue and wait where nobody waits: those inside are being served.
fn unhindered(cloud: &Cloud, arrivals: &Fan, lanes: f64) -> (Fan, Fan) {
    let rate = cloud.estimate(Guess::rate);
    let inside = |people: f64| (people.max(0.0) / rate.value.max(1.0)).min(lanes);
    let Fan { median, low80, high80, low95, high95 } = *arrivals;
    let queue = Fan {
        median: inside(median),
        low80: inside(low80),
        high80: inside(high80),
        low95: inside(low95),
        high95: inside(high95),
    };
    let [least, middle, most] = [rate.high, rate.value, rate.low].map(|rate| 60.0 / rate.max(1e-3));
    (queue, Fan { median: middle, low80: least, high80: most, low95: least, high95: most })
}
