//! The gates and cameras that are counted at, which may change while they are.

use crate::{
    clock::Moment,
    flow::count::{
        sight::Sight,
        tally::{At, Camera, Gate, Tallies},
    },
};
use std::collections::{BTreeMap, VecDeque};
use usher_config::{
    Config,
    count::{Border, By, Side},
    value::Name,
};

/// Gates and cameras of `config`, of which nothing is known yet.
pub(super) fn gates_of(config: &Config, now: Moment) -> (BTreeMap<At, Gate>, BTreeMap<Name, Camera>) {
    let (mut gates, mut cameras) = (BTreeMap::new(), BTreeMap::new());
    let sides = |name| [(name, Side::Gate), (name, Side::Back)];
    for ((name, gate), side) in config.gates.iter().flat_map(sides) {
        let mut places: BTreeMap<(Option<&Name>, Option<&Name>), Vec<Name>> = BTreeMap::new();
        let mut both_ways = false;
        for camera in &gate.cameras {
            let count = &config.cameras[camera].count;
            if count.by == By::Nothing || count.at != side {
                continue;
            }
            both_ways |= count.border != Border::Picture;
            let key = count.place.as_ref().map_or((None, Some(camera)), |place| (Some(&place.name), None));
            places.entry(key).or_default().push(camera.clone());
            let seen = Camera { gate: (name.clone(), side), sight: Sight::new(now.steady), recent: VecDeque::new() };
            cameras.insert(camera.clone(), seen);
        }
        let (days, minutes, recent) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        let places: Vec<Vec<Name>> = places.into_values().collect();
        if side == Side::Gate || !places.is_empty() {
            gates.insert((name.clone(), side), Gate { places, both_ways, days, minutes, recent });
        }
    }
    (gates, cameras)
}

impl Tallies {
    /// Counts at the gates of `config` from now on. Gates that stay keep what was counted, cameras that look where they did what they
    /// saw; what else there was is gone.
    pub fn take_up(&self, config: &Config, now: Moment) {
        let (mut gates, mut cameras) = gates_of(config, now);
        let state = &mut *self.lock();
        for (at, gate) in &mut gates {
            if let Some(Gate { days, minutes, recent, .. }) = state.gates.remove(at) {
                (gate.days, gate.minutes, gate.recent) = (days, minutes, recent);
            }
        }
        for (name, camera) in &mut cameras {
            if let Some(before) = state.cameras.remove(name).filter(|before| before.gate == camera.gate) {
                *camera = before;
            }
        }
        (state.gates, state.cameras) = (gates, cameras);
        let gates = &state.gates;
        state.open.iter_mut().for_each(|(_, counts)| counts.retain(|at, _| gates.contains_key(at)));
    }
}
