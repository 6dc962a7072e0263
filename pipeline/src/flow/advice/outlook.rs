//! What will be at a gate under some lanes and some arrivals: the answer to "what if".

use crate::flow::{
    queue::Queue,
    told::{Fan, Horizon},
};

/// Minutes ahead that are looked at; the last is the farthest.
pub const LOOKED_AT: [usize; 9] = [1, 5, 10, 15, 20, 25, 30, 45, 60];

/// A change to try.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Lanes that would be open at least, from `lanes_in` minutes on; none where 0.
    pub at_least: u32,
    /// Lanes that would be open at most.
    pub at_most: Option<u32>,
    /// Minutes until lanes change: staff have to get there.
    pub lanes_in: usize,
    /// People more a minute for the next quarter of an hour; fewer below zero.
    pub more_arrivals: f64,
}

/// How it goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// At the minutes of [`LOOKED_AT`], as far as arrivals are forecast.
    pub horizons: Vec<Horizon>,
}

/// How long visitors are steered by one advice, minutes.
pub(super) const STEERED_FOR: usize = 15;

/// What would be at a gate: its queue as it is now, under a forecast of arrivals (people a minute, by minute), lanes as planned
/// (by minute), and a change of it. `None` while nothing is known of the queue, or nothing is forecast.
pub fn what_if(queue: &Queue, arrivals: &[Fan], open: &dyn Fn(usize) -> u32, change: &Change) -> Option<Outlook> {
    queue.now()?;
    let farthest = arrivals.len().min(LOOKED_AT[LOOKED_AT.len() - 1]);
    let minutes: Vec<usize> = LOOKED_AT.iter().filter(|minute| **minute <= farthest).map(|minute| minute - 1).collect();
    if minutes.is_empty() {
        return None;
    }
    let mut arrivals = arrivals[..farthest].to_vec();
    if change.more_arrivals != 0.0 {
        for fan in arrivals.iter_mut().take(STEERED_FOR) {
            let more = |value: f64| (value + change.more_arrivals).max(0.0);
            let Fan { median, low80, high80, low95, high95 } = *fan;
            *fan = Fan {
                median: more(median),
                low80: more(low80),
                high80: more(high80),
                low95: more(low95),
                high95: more(high95),
            };
        }
    }
    let most = queue.lanes().lanes;
    let lanes = |minute: usize| {
        let planned = open(minute);
        if minute < change.lanes_in {
            return planned;
        }
        planned.max(change.at_least).min(change.at_most.unwrap_or(most)).min(most)
    };
    let told = queue.try_out(&arrivals, &lanes, &minutes);
    let horizon = |(minute, (queue, wait)): (&usize, (Fan, Fan))| Horizon {
        minutes: (minute + 1) as u32,
        arrivals: arrivals[*minute],
        queue: Some(queue),
        wait_seconds: Some(wait),
    };
    Some(Outlook { horizons: minutes.iter().zip(told).map(horizon).collect() })
}

impl Outlook {
    fn waits(&self, from: u32) -> impl Iterator<Item = (u32, Fan)> {
        let later = self.horizons.iter().filter(move |horizon| horizon.minutes >= from);
        later.filter_map(|horizon| Some((horizon.minutes, horizon.wait_seconds?)))
    }

    /// The longest wait from some minute on, as likely more as less; seconds.
    pub fn longest(&self, from: u32) -> f64 {
        self.waits(from).map(|(_, wait)| wait.median).fold(0.0, f64::max)
    }

    /// The longest wait that one in ten may exceed, from some minute on; seconds.
    pub fn longest_likely(&self, from: u32) -> f64 {
        self.waits(from).map(|(_, wait)| wait.high80).fold(0.0, f64::max)
    }

    /// Minutes until the wait is more likely over so many seconds than not.
    pub fn over_in(&self, seconds: f64) -> Option<u32> {
        self.waits(0).find(|(_, wait)| wait.median > seconds).map(|(minutes, _)| minutes)
    }
}
