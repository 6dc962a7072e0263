//! A gate's queue: how long it is, how long one waits, and how that goes on.
//!
//! What is known of a queue is who came to its back and who went through the gate (Newell's cumulative curves), how many
//! lanes are open, and, while people wait, how fast lanes serve. What is not known for sure is carried along as a cloud of
//! guesses ([`cloud`]), so that every figure has an interval: it widens while a camera is lost, and narrows when the
//! lanes run dry, as then hardly anybody can be waiting. [`project`] lets each guess live on under a forecast of arrivals.
//! [`little`] holds the figures against Little's law, which needs no guess.
//!
//! Time is steady time and comes in as an argument; what a watch shows is not looked at. Nothing here knows who anybody is.

pub mod cloud;
pub mod fans;
pub mod little;
pub mod project;

use crate::flow::told::{Estimate, Fan, QueueNow};
use cloud::{Cloud, Seen};
use little::Little;
use std::{collections::BTreeMap, time::Duration};
use usher_config::{decide::Lanes, value::Name};

/// Shortest step of the cloud: what is observed more often is gathered first.
const STEP: Duration = Duration::from_secs(10);
/// Longest time that one observation can speak for; what lies further back is a gap.
const SPEAKS_FOR: Duration = Duration::from_secs(600);
/// Longest gap that is lived through minute by minute; after it everything is possible anyway.
const LONGEST_GAP: u32 = 240;

/// Minutes over which it is looked how many go through, and the least of them a minute that shows a lane which nobody told of.
const PACE: f64 = 3.0;
const LEAST_PACE: f64 = 1.0;

/// Counts of the queue itself within this time err alike.
const ALIKE: Duration = Duration::from_secs(60);

/// A gate's queue, observed.
#[derive(Clone, Debug)]
pub struct Queue {
    settings: Lanes,
    cloud: Cloud,
    little: Little,
    last: Option<Duration>,
    gathered: Gathered,
    open: u32,
    /// People let in a minute, of the last few minutes in which somebody saw.
    pace: Option<f64>,
    /// When the queue itself was counted last.
    counted: Option<Duration>,
    /// Whether there ever was something to tell a length from.
    is_known: bool,
}

/// What was observed since the cloud's last step; `None` once a part of it was not seen.
#[derive(Clone, Copy, Debug)]
struct Gathered {
    arrived: Option<f64>,
    served: Option<f64>,
}

const NOTHING: Gathered = Gathered { arrived: Some(0.0), served: Some(0.0) };

impl Queue {
    /// A queue nobody looked at yet.
    pub fn new(settings: Lanes) -> Self {
        let (open, cloud) = (settings.open, Cloud::new(settings.open, settings.rate_per_lane_minute));
        Self {
            settings,
            cloud,
            little: Little::default(),
            last: None,
            gathered: NOTHING,
            open,
            pace: None,
            counted: None,
            is_known: false,
        }
    }

    /// How the gate is built.
    pub fn lanes(&self) -> &Lanes {
        &self.settings
    }

    /// Takes in what was counted since the last call: who came to the back of the queue (less those who went away again),
    /// and who went through the gate; `None` where no camera saw, which is not nobody. `open` lanes were open. `at` is steady
    /// time; a call that is not later than the last one adds its counts and lets no time pass.
    pub fn observe(&mut self, at: Duration, arrived: Option<f64>, served: Option<f64>, open: u32) {
        let add = |sum: Option<f64>, more: Option<f64>| Some(sum? + more.filter(|count| count.is_finite())?);
        self.gathered.arrived = add(self.gathered.arrived, arrived);
        self.gathered.served = add(self.gathered.served, served.map(|served| served.max(0.0)));
        if open != self.open {
            // Who went through before does not speak of the lanes that are open now.
            self.pace = None;
        }
        let Some(last) = self.last else {
            // What was counted before the first look belongs to a time of unknown length.
            (self.last, self.gathered, self.open) = (Some(at), NOTHING, open);
            return;
        };
        let mut passed = at.saturating_sub(last);
        if passed < STEP {
            self.open = open;
            return;
        }
        if passed > SPEAKS_FOR {
            let minutes = (passed.as_secs() / 60) as u32;
            for _ in 0..minutes.min(LONGEST_GAP) {
                self.cloud.step(&Seen { minutes: 1.0, arrived: None, served: None, open });
            }
            self.little.forget();
            passed = Duration::ZERO;
        } else {
            let Gathered { arrived, served } = self.gathered;
            self.is_known |= arrived.is_some() && served.is_some();
            let minutes = passed.as_secs_f64() / 60.0;
            if let Some(served) = served {
                let keep = (-minutes / PACE).exp();
                self.pace = Some(keep * self.pace.unwrap_or_default() + (1.0 - keep) * served / minutes);
            }
            let open = self.at_work(open);
            self.cloud.step(&Seen { minutes, arrived, served, open });
        }
        self.little.observe(at, passed, self.gathered.arrived, self.gathered.served, self.cloud.middle());
        (self.last, self.gathered, self.open) = (Some(at), NOTHING, open);
    }

    /// Lanes that must be open, where `open` are said to be: more where more go through than so many lanes could ever let in, since
    /// whoever passes shows that somebody lets them pass. Nothing is learnt of how fast lanes are from lanes that are not there.
    pub fn at_work(&self, open: u32) -> u32 {
        let Some(pace) = self.pace else { return open };
        let (usual, most) = self.cloud.believed();
        // By chance a few more go through in some minutes.
        if pace <= f64::from(open) * most + (pace / PACE).sqrt() + LEAST_PACE {
            return open;
        }
        ((pace / usual).ceil() as u32).clamp(open.max(1), self.settings.lanes.max(open).max(1))
    }

    /// Says how many are forecast to come, people a minute, from now on until it is said anew. Used only while no camera sees
    /// arrivals; without it those seen last count on.
    pub fn expect(&mut self, arrivals_per_minute: Option<f64>) {
        self.cloud.expected = arrivals_per_minute.filter(|rate| rate.is_finite()).map(|rate| rate.max(0.0));
    }

    /// Somebody counted the queue itself (staff, or a camera that sees all of it): `people`, give or take `spread`, at the time
    /// of the last observation. Who counts each second makes the same mistakes each second, so that sixty counts of a minute
    /// weigh as much as one.
    pub fn count(&mut self, people: f64, spread: f64) {
        let now = self.last.unwrap_or_default();
        let since = self.counted.map_or(ALIKE, |counted| now.saturating_sub(counted)).min(ALIKE);
        if since < STEP || !people.is_finite() {
            return;
        }
        let part = since.as_secs_f64() / ALIKE.as_secs_f64();
        self.cloud.count(people.max(0.0), spread.max(0.5) / part.sqrt());
        (self.counted, self.is_known) = (Some(now), true);
    }

    /// Length, wait and service now; `None` until both arrivals and departures were seen, or the queue was counted.
    pub fn now(&self) -> Option<QueueNow> {
        if !self.is_known {
            return None;
        }
        let open = self.at_work(self.open);
        let length = self.cloud.estimate(cloud::Guess::length);
        let wait_seconds = self.cloud.wait(open);
        let service_per_minute = self.cloud.estimate(|guess| f64::from(open) * guess.rate());
        Some(QueueNow { length, wait_seconds, service_per_minute, lanes_open: self.open })
    }

    /// People a minute that one lane serves while people wait.
    pub fn rate_per_lane_minute(&self) -> Estimate {
        self.cloud.estimate(cloud::Guess::rate)
    }

    /// Queue and wait (seconds) at the end of each coming minute, while so many arrive (people a minute, by minute from now
    /// on) and so many lanes are open (by minute from now on, asked beyond the end as well, as who waits then is served
    /// later). The same call gives the same answer.
    pub fn project(&self, arrivals_per_minute: &[Fan], open: &dyn Fn(usize) -> u32) -> Vec<(Fan, Fan)> {
        let every: Vec<usize> = (0..arrivals_per_minute.len()).collect();
        self.project_at(arrivals_per_minute, open, &every)
    }

    /// The same at some minutes only (0 is the first), in their order, which must rise.
    pub fn project_at(
        &self,
        arrivals_per_minute: &[Fan],
        open: &dyn Fn(usize) -> u32,
        minutes: &[usize],
    ) -> Vec<(Fan, Fan)> {
        project::project(&self.cloud, arrivals_per_minute, open, minutes, project::PATHS)
    }

    /// The same with fewer paths, for who only asks whether something suffices: a third of the work, tails a little coarser.
    pub fn try_out(
        &self,
        arrivals_per_minute: &[Fan],
        open: &dyn Fn(usize) -> u32,
        minutes: &[usize],
    ) -> Vec<(Fan, Fan)> {
        project::project(&self.cloud, arrivals_per_minute, open, minutes, project::FEW_PATHS)
    }

    /// How far the counts and Little's law are apart: people in the queue, counted, per people that arrivals and waits speak
    /// for. `None` while they agree, or too few wait to tell.
    pub fn drift(&self) -> Option<f64> {
        self.little.drift()
    }
}

/// How long one waits at gates whose queue is known: what the guide plans days with.
pub fn waits<'a>(queues: impl IntoIterator<Item = (&'a Name, &'a Queue)>) -> BTreeMap<Name, Duration> {
    let wait = |(gate, queue): (&Name, &Queue)| {
        let seconds = queue.now()?.wait_seconds.value;
        Some((gate.clone(), Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0))))
    };
    queues.into_iter().filter_map(wait).collect()
}

#[cfg(test)]
mod tests;
