//! People counted per gate, enrolled or not.

use crate::{clock::Clock, infer::sighting::Left, metrics::PEOPLE, supervise::Beat};
use crossbeam::channel::{Receiver, RecvTimeoutError};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use usher_config::value::Name;

/// What "a minute" is on the operator's page.
const MINUTE: Duration = Duration::from_secs(60);
/// How often the stage goes round without work.
const PATIENCE: Duration = Duration::from_millis(500);

/// One gate's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// Since the process began.
    pub total: u64,
    /// In the last minute.
    pub last_minute: u64,
}

/// Counts by gate, shared with the pages. A person seen by two cameras of a gate counts at both.
#[derive(Default)]
pub struct Counts {
    gates: Mutex<BTreeMap<Name, (u64, VecDeque<Duration>)>>,
}

impl Counts {
    /// Every gate's count at steady time `now`.
    pub fn at(&self, now: Duration) -> BTreeMap<Name, Count> {
        let gates = self.gates.lock().expect("no holder of this lock panics");
        let count = |(total, recent): &(u64, VecDeque<Duration>)| Count {
            total: *total,
            last_minute: recent.iter().filter(|at| now.saturating_sub(**at) <= MINUTE).count() as u64,
        };
        gates.iter().map(|(gate, counted)| (gate.clone(), count(counted))).collect()
    }

    fn add(&self, gate: &Name, at: Duration) {
        let mut gates = self.gates.lock().expect("no holder of this lock panics");
        let (total, recent) = gates.entry(gate.clone()).or_default();
        *total += 1;
        recent.push_back(at);
        while recent.front().is_some_and(|first| at.saturating_sub(*first) > MINUTE) {
            recent.pop_front();
        }
    }
}

/// Runs until nobody can leave any more.
pub fn run(left: &Receiver<Left>, counts: &Arc<Counts>, clock: &Arc<dyn Clock>, beat: &Beat) {
    loop {
        beat.beat();
        match left.recv_timeout(PATIENCE) {
            Ok(left) => {
                metrics::counter!(PEOPLE, "camera" => left.camera.name.to_string()).increment(1);
                counts.add(&left.camera.gate, clock.now().steady);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_forgets_but_the_total_does_not() {
        let (counts, gate) = (Counts::default(), Name::new("gate-b").unwrap());
        for second in 0..120 {
            counts.add(&gate, Duration::from_secs(second));
        }
        let count = counts.at(Duration::from_secs(119))[&gate];
        assert_eq!(count, Count { total: 120, last_minute: 61 });
        assert_eq!(counts.at(Duration::from_secs(600))[&gate].last_minute, 0);
    }
}
