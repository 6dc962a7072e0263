//! A simulated gate: one queue, first come first served, and lanes that open and close.

use crate::flow::simulate::{arrivals::Person, matches::normal};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, LogNormal};
use std::{collections::VecDeque, time::Duration};

/// How a gate is built; the same on all days.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub lanes: u32,
    /// People a minute and lane, as the venue believes.
    pub rate: f64,
    /// Lanes open without a match, and around one.
    pub base_open: u32,
    pub match_open: u32,
    pub limit: Duration,
    /// What part of the people takes this gate, against others.
    pub weight: f64,
    /// The part of them that comes by train.
    pub by_train: f64,
    /// Coefficient of variation of one service.
    spread: f64,
    /// Whether services are lognormal, else gamma.
    long_tailed: bool,
}

impl Built {
    pub(super) fn drawn(index: usize, random: &mut ChaCha8Rng) -> Self {
        let lanes = random.random_range(6..=14_u32);
        let rate = random.random_range(8.0..14.0_f64);
        let match_open = (f64::from(lanes) * 0.7).round() as u32;
        Self {
            lanes,
            rate,
            base_open: (lanes / 4).max(1),
            match_open,
            limit: Duration::from_secs(60 * random.random_range(4..=8)),
            weight: f64::from(match_open) * rate / 60.0 * normal(random, 0.15).exp(),
            by_train: if index == 0 { 0.35 } else { 0.12 },
            spread: random.random_range(0.45..0.85),
            long_tailed: index % 2 == 1,
        }
    }
}

/// One person's way through, told when they are out.
pub(super) struct Through {
    /// Seconds since the day's first minute.
    pub arrived: f64,
    /// When they went through the gate.
    pub served: f64,
}

/// A gate at work on one day.
pub(super) struct AtWork {
    queue: VecDeque<Person>,
    /// When each open lane is free again.
    free: Vec<f64>,
    /// People in service: when they will be through.
    done: Vec<Through>,
    /// When people who turn back are away.
    turned: Vec<f64>,
    inside: i64,
    rate: f64,
    wander: f64,
    spread: f64,
    long_tailed: bool,
    random: ChaCha8Rng,
}

/// What happened in a minute.
pub(super) struct Happened {
    pub arrived: u32,
    pub turned: u32,
    /// People inside at its end.
    pub queue: u32,
    pub through: Vec<Through>,
}

impl AtWork {
    pub(super) fn new(built: &Built, random: &mut ChaCha8Rng) -> Self {
        Self {
            queue: VecDeque::new(),
            free: Vec::new(),
            done: Vec::new(),
            turned: Vec::new(),
            inside: 0,
            // What staff manage today, against what the venue believes.
            rate: built.rate * normal(random, 0.08).exp(),
            wander: 0.0,
            spread: built.spread,
            long_tailed: built.long_tailed,
            random: ChaCha8Rng::seed_from_u64(random.random()),
        }
    }

    /// One minute from `start` (seconds) with `open` lanes, and those who arrive in it, in order.
    pub(super) fn minute(&mut self, start: f64, open: u32, coming: &[Person]) -> Happened {
        let end = start + 60.0;
        self.wander = 0.967 * self.wander + normal(&mut self.random, 0.015);
        self.set_lanes(start, open as usize);
        self.queue.extend(coming.iter().copied());
        while let Some(person) = self.queue.front().copied() {
            let Some(lane) = (0..self.free.len()).min_by(|a, b| self.free[*a].total_cmp(&self.free[*b])) else { break };
            let begins = self.free[lane].max(person.at);
            if person.turns.is_some_and(|turns| turns <= begins) {
                self.turned.push(person.turns.unwrap_or(begins));
                self.queue.pop_front();
                continue;
            }
            if begins >= end {
                break;
            }
            let served = begins + self.service();
            self.queue.pop_front();
            self.free[lane] = served;
            self.done.push(Through { arrived: person.at, served });
        }
        // Who turns back while still in the middle of the queue goes now, not when their turn would have come.
        let turned = &mut self.turned;
        self.queue.retain(|person| match person.turns {
            Some(turns) if turns < end => {
                turned.push(turns);
                false
            }
            _ => true,
        });
        let away = self.turned.iter().filter(|at| **at < end).count();
        self.turned.retain(|at| *at >= end);
        let (through, done) = std::mem::take(&mut self.done).into_iter().partition(|one| one.served < end);
        self.done = done;
        self.inside += coming.len() as i64 - away as i64 - through.len() as i64;
        Happened {
            arrived: coming.len() as u32,
            turned: away as u32,
            queue: u32::try_from(self.inside).expect("nobody leaves who did not come"),
            through,
        }
    }

    fn set_lanes(&mut self, now: f64, open: usize) {
        if open < self.free.len() {
            // Those that are free soonest close; whoever is being served there is still served.
            self.free.sort_by(f64::total_cmp);
            self.free.drain(..self.free.len() - open);
        }
        while self.free.len() < open {
            self.free.push(now);
        }
    }

    /// Seconds that one person takes.
    fn service(&mut self) -> f64 {
        let mean = 60.0 / (self.rate * self.wander.exp());
        let squared = self.spread * self.spread;
        if self.long_tailed {
            let sigma = (1.0 + squared).ln();
            let law = LogNormal::new(mean.ln() - sigma / 2.0, sigma.sqrt()).expect("a finite spread");
            return law.sample(&mut self.random);
        }
        let law = Gamma::new(1.0 / squared, mean * squared).expect("a positive shape and scale");
        law.sample(&mut self.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_work() -> AtWork {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        AtWork::new(&Built::drawn(0, &mut random), &mut random)
    }

    #[test]
    fn a_closed_gate_serves_nobody_and_forgets_nobody() {
        let mut gate = at_work();
        let people = [Person { at: 1.0, turns: None }, Person { at: 2.0, turns: Some(30.0) }];
        let closed = gate.minute(0.0, 0, &people);
        assert_eq!((closed.queue, closed.turned, closed.through.len()), (1, 1, 0));
        let opened = gate.minute(60.0, 1, &[]);
        assert_eq!((opened.queue, opened.through.len()), (0, 1));
        assert!(opened.through[0].served > 60.0);
    }
}
