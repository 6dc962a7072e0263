//! Simulated venue days: the map of `usher-sim`.
//!
//! The stages are the product's own; time, randomness, network, broker, disk and cameras are made here, from one seed.

pub mod cli;
pub mod day;
pub mod plant;
pub mod report;
pub mod truth;

mod agenda;
mod crowd;
mod disk;
mod life;
mod net;
mod time;
mod world;

use day::Day;
use report::Report;
use world::World;

/// Plays one day. One seed is one day, whatever the machine.
///
/// # Errors
/// When the machine has no folder to work in.
pub fn play(seed: u64, day: Day) -> anyhow::Result<Report> {
    let mut world = World::new(seed, day, false)?;
    let ran = world.run();
    world.figures.counts = world.truth.counts;
    let Err(violation) = ran else {
        return Ok(Report { seed, steps: world.figures.steps, figures: world.figures, violation: None });
    };
    // Once more, with everything told: what is not asked for costs nothing on every other day.
    let mut again = World::new(seed, day, true)?;
    let told = match again.run() {
        Err(_) => again.told.unwrap_or_default().into(),
        Ok(()) => vec!["played again it did not come: the simulator is not deterministic".to_owned()],
    };
    Ok(Report { seed, steps: world.figures.steps, figures: world.figures, violation: Some((violation, told)) })
}
