//! A day: what is asked for, and what the seed makes of it.

use crate::plant::Plant;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use usher_config::value::Name;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Day {
    /// Walks in front of cameras.
    pub walks: usize,
    /// Gates, 1..=26.
    pub gates: usize,
    /// Whether cameras, disks, networks, brokers and usher fail.
    pub faults: bool,
    /// How many times as many people come, in the middle of the day and for ten minutes; 1: no more than else.
    pub overload: u32,
    /// A faulty part.
    pub plant: Option<Plant>,
}

impl Default for Day {
    fn default() -> Self {
        Self { walks: 300, gates: 3, faults: true, overload: 1, plant: None }
    }
}

/// Time between two walks on average; a day has as many hours as its walks take, ten at most.
const APART: Duration = Duration::from_secs(3);
const SHORTEST: Duration = Duration::from_secs(15 * 60);
const LONGEST: Duration = Duration::from_secs(10 * 3600);
/// Nothing new happens in so long a time before the end, and nothing is broken any more: what is kept must go out.
pub(crate) const EVENING: Duration = Duration::from_secs(90);

impl Day {
    /// From opening to the end, the evening included.
    pub fn lasts(&self) -> Duration {
        let walks = u32::try_from(self.walks).unwrap_or(u32::MAX);
        (APART * walks).clamp(SHORTEST, LONGEST) + EVENING
    }
}

/// A gate of that day.
pub(crate) struct Gate {
    pub(crate) name: Name,
    /// Whether it compares everybody with everybody; else it knows whoever showed their pass.
    pub(crate) identifies: bool,
    pub(crate) quiet: Duration,
    /// Its cameras, by number.
    pub(crate) cameras: Vec<usize>,
}

/// What the seed makes of the gates.
pub(crate) fn gates(day: &Day, random: &mut ChaCha8Rng) -> Vec<Gate> {
    let mut cameras = 0;
    let gate = |number: usize| {
        let count = if random.random_bool(0.25) { 2 } else { 1 };
        let own = (cameras..cameras + count).collect();
        cameras += count;
        Gate {
            name: name(&format!("gate-{}", char::from(b'a' + (number % 26) as u8))),
            identifies: random.random_bool(0.6),
            quiet: Duration::from_secs([30, 120, 600][random.random_range(0..3)]),
            cameras: own,
        }
    };
    (0..day.gates.clamp(1, 26)).map(gate).collect()
}

/// A name made here.
pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("names that are made here are names")
}
