//! How a queue goes on: each guess lives on under forecast arrivals and planned lanes (seeded Monte Carlo).
//!
//! Fluid and diffusion approximations are quicker, and wrong just where it matters: near zero, where a queue starts or ends,
//! and where lanes change in between. A few hundred paths, by minutes, take a millisecond and hold any of it.

use crate::flow::{
    queue::{
        cloud::Cloud,
        fans::{at, fan},
    },
    told::Fan,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Paths.
const PATHS: usize = 384;
/// Minutes within which an error of the forecast forgets: a match that draws more draws more for a while.
const FORECAST_ERRS_FOR: f64 = 15.0;
/// Variance to mean of the people of a minute: they come in groups.
const CHANCE: f64 = 2.0;
/// How far a lane's rate wanders in a minute (logarithm), and squared coefficient of variation of one service.
const SERVICE: (f64, f64) = (0.012, 0.5);
/// Longest wait that is told, minutes.
const LONGEST: usize = 240;

/// Fans of queue and wait (seconds) at the ends of the given minutes.
pub(super) fn project(
    cloud: &Cloud,
    arrivals: &[Fan],
    open: &dyn Fn(usize) -> u32,
    minutes: &[usize],
) -> Vec<(Fan, Fan)> {
    // The same chances every time: two projections differ by what is asked, not by luck.
    let mut random = ChaCha8Rng::seed_from_u64(61);
    let mut draw = || -> f64 { StandardNormal.sample(&mut random) };
    let ahead = minutes.last().map_or(0, |last| (last + 1).min(arrivals.len()));
    let lanes: Vec<f64> = (0..ahead + LONGEST).map(|minute| f64::from(open(minute))).collect();
    let keep = (-1.0 / FORECAST_ERRS_FOR).exp();
    let renew = (1.0 - keep * keep).sqrt();
    let mut queues = vec![Vec::with_capacity(PATHS); minutes.len()];
    let mut waits = vec![Vec::with_capacity(PATHS); minutes.len()];
    let (mut served, mut lengths) = (vec![0.0; ahead + LONGEST], vec![0.0; ahead]);
    for guess in cloud.drawn(PATHS) {
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
