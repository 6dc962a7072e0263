//! Infer: frames to sightings.

pub mod best;
pub mod engine;
pub mod kalman;
pub mod networks;
pub mod sighting;
pub mod track;
pub mod watched;

use crate::{
    capture::{frame::Frame, latest::Latest},
    supervise::Beat,
};
use crossbeam::channel::Sender;
use engine::{Engine, Round};
use sighting::{Left, Sighting};
use std::time::Duration;
use usher_models::error::ModelError;
use watched::Watched;

/// Frames analysed together: one of each camera, so that eight cameras cost one pass over the weights.
const BATCH: usize = 8;
/// How long to wait for a frame before looking after the tracks of silent cameras.
const PATIENCE: Duration = Duration::from_millis(200);

/// Where a round goes.
pub struct Outlets {
    /// To identify: waits when full.
    pub sightings: Sender<Sighting>,
    /// To flow: waits when full.
    pub left: Sender<Left>,
    /// For eyes only: loses when full.
    pub watched: Sender<Watched>,
}

/// Runs until every camera is gone and every frame analysed.
///
/// # Errors
/// Only bugs: see [`Engine::analyse`].
pub fn run(mut engine: Engine, mut frames: Latest<Frame>, to: &Outlets, beat: &Beat) -> Result<(), ModelError> {
    while let Some(batch) = frames.take(BATCH, PATIENCE) {
        beat.beat();
        let round = if batch.is_empty() { Round::default() } else { engine.analyse(batch)? };
        if to.send(round).and_then(|()| to.send(engine.expire())).is_err() {
            return Ok(());
        }
    }
    let _stopping = to.send(engine.end());
    Ok(())
}

/// Whoever listened has ended: the process is stopping.
struct Unheard;

impl Outlets {
    fn send(&self, round: Round) -> Result<(), Unheard> {
        for sighting in round.sightings {
            self.sightings.send(sighting).map_err(|_| Unheard)?;
        }
        for left in round.left {
            self.left.send(left).map_err(|_| Unheard)?;
        }
        for watched in round.watched {
            let _lost = self.watched.try_send(watched);
        }
        Ok(())
    }
}
