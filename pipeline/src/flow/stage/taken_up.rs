//! What the stage takes up of a configuration that changes while it runs: gates, and how they are built.

use crate::{
    clock::Moment,
    flow::stage::{Gate, SOON, Stage, files::Files},
    in_force::{Follower, InForce},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use usher_config::{
    Config,
    count::Side,
    decide::{self, Lanes},
    value::Name,
};

/// The gates of a configuration, and how those are built whose queue is measured.
pub(crate) fn lanes_of(config: &Config) -> BTreeMap<Name, Option<Lanes>> {
    config.gates.iter().map(|(name, gate)| (name.clone(), gate.lanes)).collect()
}

/// Those of them at which a camera counts who comes to the back of the queue.
pub(crate) fn backs_of(config: &Config) -> BTreeSet<Name> {
    let is_backed =
        |gate: &decide::Gate| gate.cameras.iter().any(|camera| config.cameras[camera].count.at == Side::Back);
    config.gates.iter().filter(|(_, gate)| is_backed(gate)).map(|(name, _)| name.clone()).collect()
}

impl Stage {
    /// The same, that takes up what is put in force.
    #[must_use]
    pub fn following(self, in_force: &Arc<InForce>) -> Self {
        Self { following: Some(in_force.follow("flow")), ..self }
    }

    /// Takes up what was put in force. A gate that stays keeps what it learnt; one whose lanes are others counts its queue anew.
    pub(super) fn take_up(&mut self, now: Moment) {
        let Some(settings) = self.following.as_mut().and_then(Follower::news) else { return };
        let wanted = lanes_of(&settings.config);
        self.setup.backs = backs_of(&settings.config);
        if wanted == self.setup.gates {
            return;
        }
        let lanes = wanted.iter().filter_map(|(name, lanes)| Some((name.clone(), lanes.as_ref()?.lanes))).collect();
        self.setup.open.fit(&lanes);
        let is_same_set = wanted.keys().eq(self.setup.gates.keys());
        let unlearnt: BTreeSet<Name> = self.unlearnt.iter().map(|place| self.gates[*place].name.clone()).collect();
        let mut before: BTreeMap<Name, Gate> =
            std::mem::take(&mut self.gates).into_iter().map(|gate| (gate.name.clone(), gate)).collect();
        self.unlearnt.clear();
        for (place, (name, lanes)) in wanted.iter().enumerate() {
            let said = self.setup.open.at(name);
            let gate = match before.remove(name) {
                Some(mut gate) => {
                    if gate.lanes != *lanes {
                        gate.rebuild(*lanes, said, now);
                    }
                    if unlearnt.contains(name) {
                        self.unlearnt.insert(place);
                    }
                    gate
                }
                None => {
                    self.unlearnt.insert(place);
                    Gate::new(name.clone(), *lanes, said, now.steady, now.steady + SOON)
                }
            };
            self.gates.push(gate);
        }
        self.setup.gates = wanted;
        if !is_same_set {
            let (history, weather) = (self.setup.history.as_deref(), self.setup.weather.as_deref());
            let (gates, zone) = (self.setup.gates.keys(), self.setup.zone.clone());
            self.files = Files::of(history, gates, weather, zone, self.setup.health.clone());
            // What comes to a gate is shared among other gates now, and the record is read for these.
            (self.programme, self.recorded, self.turn) = (None, None, 0);
            self.setup.board.keep(|gate| self.setup.gates.contains_key(gate));
        }
        self.advisor.look_anew();
        self.looked = None;
    }
}
