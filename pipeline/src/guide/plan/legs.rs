//! The legs: how long it takes on foot from place to place.

use crate::guide::ways::{Leg, Ways};
use usher_config::places::{Places, Position};

/// All of a site's, with and without steps. Made once when the places are read: it takes milliseconds, and a plan asks
/// for thousands.
#[derive(Clone, Debug)]
pub struct Legs {
    any: Vec<Vec<Option<Leg>>>,
    step_free: Vec<Vec<Option<Leg>>>,
}

impl Legs {
    /// Between all places.
    pub fn of(places: &Places, ways: &Ways) -> Self {
        let at: Vec<Position> = places.places.iter().map(|place| place.at).collect();
        Self { any: ways.table(&at, false), step_free: ways.table(&at, true) }
    }

    /// From one place to another, by their numbers; `None` where there is no such way.
    pub fn between(&self, from: usize, to: usize, step_free: bool) -> Option<Leg> {
        if from == to {
            return Some(Leg::default());
        }
        let table = if step_free { &self.step_free } else { &self.any };
        *table.get(from)?.get(to)?
    }
}

/// A spot of a problem: a place as it is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// Its number among the places.
    pub(super) place: usize,
    /// The gate that leads to it, likewise.
    pub(super) gate: Option<usize>,
    /// Where in it: a hall has several courts, each with its own entrance.
    court: String,
}

/// The spots of a problem, each once.
#[derive(Default)]
pub(super) struct Spots(Vec<Spot>);

impl Spots {
    /// The number of a spot.
    pub(super) fn of(&mut self, place: usize, gate: Option<usize>, court: &str) -> usize {
        let spot = Spot { place, gate, court: court.to_owned() };
        self.0.iter().position(|there| *there == spot).unwrap_or_else(|| {
            self.0.push(spot);
            self.0.len() - 1
        })
    }

    /// The spot of a number.
    pub(super) fn get(&self, number: usize) -> &Spot {
        &self.0[number]
    }

    /// The way from one to another: by the gate of the second, unless one is in that place already.
    pub(super) fn leg(&self, legs: &Legs, from: usize, to: usize, step_free: bool) -> Option<Leg> {
        let (from, to) = (&self.0[from], &self.0[to]);
        let between = |from: usize, to: usize| legs.between(from, to, step_free);
        match to.gate {
            Some(gate) if from.place != to.place => {
                let (before, after) = (between(from.place, gate)?, between(gate, to.place)?);
                Some(Leg { seconds: before.seconds + after.seconds, metres: before.metres + after.metres })
            }
            _ => between(from.place, to.place),
        }
    }

    /// Seconds between all.
    pub(super) fn table(&self, legs: &Legs, step_free: bool) -> Vec<Vec<Option<u32>>> {
        let row = |from: usize| {
            (0..self.0.len()).map(|to| self.leg(legs, from, to, step_free).map(|leg| leg.seconds)).collect()
        };
        (0..self.0.len()).map(row).collect()
    }
}
