//! Reports: how the box, its cameras and its gates are, as retained events.

use crate::{
    flow::board::{Board, Telling, Version},
    health::{CameraState, Health},
    publish::{
        payload::{self, Change, Data, Event, Presence, Programme, Sight, Status, rfc3339},
        topic::Topics,
        tray::Tray,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};
use usher_config::value::Name;
use uuid::Uuid;

/// Who speaks.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(crate) topics: Topics,
    pub(crate) box_name: Name,
    pub(crate) source: String,
}

/// What was told last, so that only changes are told.
#[derive(Default)]
pub(crate) struct Told {
    status: Option<Status>,
    cameras: BTreeMap<Name, payload::CameraState>,
    changes: Option<Vec<Change>>,
    flow: Version,
    gates: BTreeSet<Name>,
}

/// Most sessions that are told to be not as announced.
const CHANGES: usize = 20;

/// What takes a retained event back from the broker.
const NOTHING: Vec<u8> = Vec::new();

impl Reporter {
    fn status(&self, state: Presence, ready: bool, outbox_trouble: Option<String>) -> Status {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Status { box_name: self.box_name.clone(), state, ready, outbox_trouble, version }
    }

    /// Topic and body that say that this box is gone: its farewell, and its last will.
    pub(crate) fn offline(&self, now: SystemTime) -> (String, Vec<u8>) {
        let status = self.status(Presence::Offline, false, None);
        (self.topics.status(&self.box_name), Event::new(Uuid::new_v4(), &self.source, now, status).json())
    }

    /// Lays what changed since `told` into `tray`.
    pub(crate) fn tell(&self, health: &Health, tray: &Tray, now: SystemTime, told: &mut Told) {
        let status = self.status(Presence::Online, health.is_ready(), tray.outbox.trouble());
        if told.status.as_ref() != Some(&status) {
            let event = Event::new(Uuid::new_v4(), &self.source, now, status.clone());
            tray.set_state(&self.topics.status(&self.box_name), event.json());
            told.status = Some(status);
        }
        let cameras = health.cameras();
        for gone in told.cameras.extract_if(.., |name, _| !cameras.contains_key(name)) {
            tray.set_state(&self.topics.camera(&gone.0), NOTHING);
        }
        for (name, state) in cameras {
            let state = self.camera(&name, state);
            if told.cameras.get(&name) != Some(&state) {
                let event = Event::new(Uuid::new_v4(), &self.source, now, state.clone());
                tray.set_state(&self.topics.camera(&name), event.json());
                told.cameras.insert(name, state);
            }
        }
    }

    /// Lays what of the programme is not as announced into `tray`, where that is news.
    pub(crate) fn tell_changes(&self, mut changes: Vec<Change>, tray: &Tray, now: SystemTime, told: &mut Told) {
        changes.truncate(CHANGES);
        if told.changes.as_ref() != Some(&changes) {
            let data = Programme { box_name: self.box_name.clone(), changes: changes.clone() };
            tray.set_state(&self.topics.programme(), Event::new(Uuid::new_v4(), &self.source, now, data).json());
            told.changes = Some(changes);
        }
    }

    /// Lays what flow told of gates since the last time into `tray`.
    pub(crate) fn tell_flow(&self, board: &Board, tray: &Tray, told: &mut Told) {
        if board.version() == told.flow {
            return;
        }
        let (version, gates) = board.gates();
        for gone in told.gates.extract_if(.., |gate| !gates.contains_key(gate)) {
            tray.set_state(&self.topics.flow(&gone), NOTHING);
            tray.set_state(&self.topics.forecast(&gone), NOTHING);
        }
        told.gates = gates.keys().cloned().collect();
        for (gate, now) in gates {
            self.tell_one(&self.topics.flow(&gate), &now.flow, tray, told.flow);
            if let Some(forecast) = &now.forecast {
                self.tell_one(&self.topics.forecast(&gate), forecast, tray, told.flow);
            }
        }
        told.flow = version;
    }

    fn tell_one<T: Data + Clone>(&self, topic: &str, telling: &Telling<T>, tray: &Tray, known: Version) {
        if telling.version > known {
            let event = Event::new(Uuid::new_v4(), &self.source, telling.at, T::clone(&telling.told));
            tray.set_state(topic, event.json());
        }
    }

    fn camera(&self, name: &Name, state: CameraState) -> payload::CameraState {
        let (state, reason, since) = match state {
            CameraState::Connecting => (Sight::Connecting, None, None),
            CameraState::Live => (Sight::Live, None, None),
            CameraState::Lost { reason, since, tries: _ } => (Sight::Lost, Some(reason), Some(rfc3339(since.wall))),
        };
        payload::CameraState { camera: name.clone(), box_name: self.box_name.clone(), state, reason, since }
    }
}
