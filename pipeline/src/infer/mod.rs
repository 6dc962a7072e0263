//! Infer: frames to sightings.

pub mod best;
pub mod engine;
pub mod kalman;
pub mod sighting;
pub mod track;
pub mod watched;

use crate::{
    capture::{frame::Frame, latest::Latest},
    supervise::Beat,
};
use crossbeam::channel::Sender;
use engine::Engine;
use sighting::Sighting;
use std::time::Duration;
use usher_models::error::ModelError;
use watched::Watched;

/// Frames analysed together: one of each camera, so that eight cameras cost one pass over the weights.
const BATCH: usize = 8;
/// How long to wait for a frame before looking after the tracks of silent cameras.
const PATIENCE: Duration = Duration::from_millis(200);

/// Who only looks on: a full tap loses.
#[derive(Clone, Default)]
pub struct Taps {
    /// The operator's page, the demo's window, counting.
    pub watched: Vec<Sender<Watched>>,
}

/// Runs until every camera is gone and every frame analysed.
///
/// # Errors
/// Only bugs: see [`Engine::analyse`].
pub fn run(
    mut engine: Engine,
    mut frames: Latest<Frame>,
    sightings: &Sender<Sighting>,
    taps: &Taps,
    beat: &Beat,
) -> Result<(), ModelError> {
    while let Some(batch) = frames.take(BATCH, PATIENCE) {
        beat.beat();
        let round = if batch.is_empty() { engine::Round::default() } else { engine.analyse(batch)? };
        for sighting in round.sightings.into_iter().chain(engine.expire()) {
            if sightings.send(sighting).is_err() {
                return Ok(()); // identify has ended: the process is stopping
            }
        }
        for watched in round.watched {
            for tap in &taps.watched {
                let _lost = tap.try_send(watched.clone());
            }
        }
    }
    for sighting in engine.end() {
        if sightings.send(sighting).is_err() {
            break;
        }
    }
    Ok(())
}
