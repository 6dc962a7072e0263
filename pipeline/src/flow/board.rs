//! The board: what flow last told of every gate, for whoever asks.
//!
//! The stage writes it, publish and the pages read it, and nobody waits for anybody: of each telling the newest is kept, so that
//! whoever comes late or is slow hears the last of each and nothing twice.

use crate::flow::told::{GateFlow, GateForecast};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::SystemTime,
};
use usher_config::value::Name;

/// A number that grows with each telling; a reader that remembers the last one hears only what is newer.
pub type Version = u64;

/// One telling: what, when, and after which others.
#[derive(Clone, Debug)]
pub struct Telling<T> {
    /// Grows from telling to telling.
    pub version: Version,
    /// When it was told, by the wall.
    pub at: SystemTime,
    /// What.
    pub told: Arc<T>,
}

/// How a gate was in one minute that is over; gaps are gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Past {
    /// When it began, seconds since 1970; a multiple of 60.
    pub at: i64,
    /// People who came in; none where nobody saw the whole minute.
    pub entered: Option<u32>,
    /// People who went out.
    pub left: Option<u32>,
    /// People in the queue at its end.
    pub queue: Option<f32>,
    /// Seconds that whoever came at its end waits.
    pub wait_seconds: Option<f32>,
}

/// All that is known of a gate.
#[derive(Clone, Debug)]
pub struct Gate {
    /// How it is.
    pub flow: Telling<GateFlow>,
    /// What comes next; none before the first forecast.
    pub forecast: Option<Telling<GateForecast>>,
    /// The last day, minute by minute, oldest first, without holes between.
    pub past: Arc<[Past]>,
}

impl Gate {
    /// The newest of its tellings.
    pub fn version(&self) -> Version {
        self.flow.version.max(self.forecast.as_ref().map_or(0, |forecast| forecast.version))
    }
}

#[derive(Default)]
struct Inner {
    version: Version,
    gates: BTreeMap<Name, Gate>,
}

/// What flow last told; shared.
#[derive(Default)]
pub struct Board {
    inner: Mutex<Inner>,
}

impl Board {
    /// Tells how a gate is, and how it was in the minutes before.
    pub fn tell_flow(&self, flow: GateFlow, past: Arc<[Past]>, at: SystemTime) {
        self.write(|inner| {
            let flow = Telling { version: inner.version, at, told: Arc::new(flow) };
            let gate = flow.told.gate.clone();
            match inner.gates.get_mut(&gate) {
                Some(kept) => (kept.flow, kept.past) = (flow, past),
                None => drop(inner.gates.insert(gate, Gate { flow, forecast: None, past })),
            }
        });
    }

    /// Tells what comes next at a gate of which [`Board::tell_flow`] told before; of another it is not kept.
    pub fn tell_forecast(&self, forecast: GateForecast, at: SystemTime) {
        self.write(|inner| {
            let forecast = Telling { version: inner.version, at, told: Arc::new(forecast) };
            if let Some(kept) = inner.gates.get_mut(&forecast.told.gate) {
                kept.forecast = Some(forecast);
            }
        });
    }

    /// Tells of no other gates than these any more.
    pub fn keep(&self, is_kept: impl Fn(&Name) -> bool) {
        self.write(|inner| inner.gates.retain(|gate, _| is_kept(gate)));
    }

    /// The newest version; what is asked for with it is empty until something new is told.
    pub fn version(&self) -> Version {
        self.inner.lock().expect("no holder of this lock panics").version
    }

    /// Every gate, and the version of this moment.
    pub fn gates(&self) -> (Version, BTreeMap<Name, Gate>) {
        let inner = self.inner.lock().expect("no holder of this lock panics");
        (inner.version, inner.gates.clone())
    }

    /// One gate.
    pub fn gate(&self, name: &Name) -> Option<Gate> {
        self.inner.lock().expect("no holder of this lock panics").gates.get(name).cloned()
    }

    fn write(&self, write: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner.lock().expect("no holder of this lock panics");
        inner.version += 1;
        write(&mut inner);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::flow::told::{Counting, RestsOn};

    pub(crate) fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    pub(crate) fn flow(gate: &str, entered: u32) -> GateFlow {
        GateFlow {
            v: 1,
            site: name("arena"),
            gate: name(gate),
            at: "2026-07-26T17:03:00.000Z".into(),
            counting: Counting::Whole,
            lost_cameras: vec![],
            counting_since: None,
            entered_last_minute: Some(entered),
            left_last_minute: None,
            entered_total: entered.into(),
            left_total: 0,
            inside: None,
            queue: None,
            limit_seconds: None,
            advice: vec![],
        }
    }

    pub(crate) fn forecast(gate: &str) -> GateForecast {
        GateForecast {
            v: 1,
            site: name("arena"),
            gate: name(gate),
            at: "2026-07-26T17:03:00.000Z".into(),
            horizons: vec![],
            day: vec![],
            grades: vec![],
            rests_on: RestsOn::LiveOnly,
        }
    }

    #[test]
    fn the_newest_of_each_gate_is_kept_and_nothing_is_told_twice() {
        let board = Board::default();
        let at = SystemTime::UNIX_EPOCH;
        board.tell_forecast(forecast("gate-a"), at);
        assert!(board.gate(&name("gate-a")).is_none(), "nothing is known of it yet");
        board.tell_flow(flow("gate-a", 1), Arc::from([]), at);
        board.tell_flow(flow("gate-b", 2), Arc::from([]), at);
        let (seen, gates) = board.gates();
        assert_eq!(gates.len(), 2);
        assert_eq!(seen, board.version());
        board.tell_forecast(forecast("gate-b"), at);
        board.tell_flow(flow("gate-b", 3), Arc::from([]), at);
        let newer: Vec<_> = board.gates().1.into_iter().filter(|(_, gate)| gate.version() > seen).collect();
        assert_eq!(newer.len(), 1);
        assert_eq!(newer[0].1.flow.told.entered_last_minute, Some(3));
        assert!(newer[0].1.forecast.as_ref().is_some_and(|forecast| forecast.version < newer[0].1.flow.version));
    }
}
