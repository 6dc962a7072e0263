//! Infer: frames to sightings.

pub mod best;
pub mod change;
pub mod engine;
pub mod heat;
pub mod kalman;
pub mod networks;
pub mod sighting;
pub mod track;
pub mod turns;
pub mod watched;

use crate::{
    capture::{frame::Frame, latest::Latest},
    metrics::{BEYOND_RATE, UNCHANGED},
    supervise::Beat,
};
use change::Grid;
use crossbeam::channel::Sender;
use engine::{Engine, Round};
use sighting::{Passing, Sighting, Tracked};
use std::{collections::HashMap, sync::Arc, time::Duration};
use turns::{Call, Pace, Turns};
use usher_config::value::Name;
use usher_models::error::ModelError;
use watched::Watched;

/// How long to wait for a frame before looking after the tracks of silent cameras.
const PATIENCE: Duration = Duration::from_millis(200);

/// Least time between two frames of a camera in which passes are looked for: a pass is held up for a second at least.
const PASSES_APART: Duration = Duration::from_millis(250);

/// One thread's share of the cameras: networks of its own, and turns among its cameras. A camera stays with its worker,
/// so its frames stay in order.
pub struct Worker {
    /// The networks.
    pub engine: Engine,
    /// Whose turn it is.
    pub turns: Turns,
    /// Frames analysed together, at least 1: one on a CPU, where a second frame costs as much as the first; several on
    /// a GPU.
    pub at_once: usize,
}

/// Where a round goes.
#[derive(Clone)]
pub struct Outlets {
    /// To identify: waits when full.
    pub sightings: Sender<Sighting>,
    /// To flow: waits when full. One message of each frame that was looked at, and of each person who has left.
    pub flow: Sender<Passing>,
    /// For eyes only: loses when full.
    pub watched: Sender<Watched>,
    /// Frames in which passes are looked for: loses when full, a few a second of each camera.
    pub passes: Sender<Arc<Frame>>,
}

/// Runs until every camera is gone and every frame dealt with.
///
/// # Errors
/// Only bugs: see [`Engine::analyse`].
pub fn run(mut worker: Worker, mut frames: Latest<Frame>, to: &Outlets, beat: &Beat) -> Result<(), ModelError> {
    let mut offered = HashMap::new();
    loop {
        let rank = |frame: &Frame| worker.turns.rank(&frame.camera.name, frame.taken);
        let Some(batch) = frames.take_ranked(worker.at_once, PATIENCE, rank) else { break };
        beat.beat();
        let round = worker.round(batch)?;
        to.offer(&round.watched, &mut offered);
        if to.send(round).and_then(|()| to.send(worker.engine.expire())).is_err() {
            return Ok(());
        }
    }
    let _stopping = to.send(worker.engine.end());
    Ok(())
}

impl Worker {
    /// Deals with frames whose turn has come, at most one of each camera.
    fn round(&mut self, frames: Vec<Frame>) -> Result<Round, ModelError> {
        if let Some(now) = self.engine.news() {
            self.turns.take_up(Pace::of(&now.config.infer), &now.cameras);
        }
        let (mut looked, mut unseen) = (Vec::new(), Vec::new());
        for frame in frames.into_iter().filter_map(|frame| self.engine.in_force(frame)).collect::<Vec<_>>() {
            let name = &frame.camera.name;
            match self.turns.call(name, frame.taken, || Grid::of(&frame.picture.view())) {
                Call::Look => looked.push(frame),
                Call::Beyond => metrics::counter!(BEYOND_RATE, "camera" => name.to_string()).increment(1),
                Call::Unchanged => {
                    metrics::counter!(UNCHANGED, "camera" => name.to_string()).increment(1);
                    unseen.push(self.engine.unseen(frame));
                }
            }
        }
        let cameras: Vec<_> = looked.iter().map(|frame| frame.camera.clone()).collect();
        let mut round = if looked.is_empty() { Round::default() } else { self.engine.analyse(looked)? };
        for camera in cameras {
            self.turns.found(&camera.name, self.engine.need(&camera.name));
        }
        round.watched.extend(unseen);
        Ok(round)
    }
}

/// Whoever listened has ended: the process is stopping.
pub(crate) struct Unheard;

fn tracked(Watched { frame, people, .. }: &Watched) -> Tracked {
    let people = people.iter().map(|person| (person.track, person.rect)).collect();
    Tracked { camera: frame.camera.clone(), taken: frame.taken, size: frame.picture.size(), people }
}

impl Outlets {
    /// Offers frames to whoever looks for passes, of each camera one in [`PASSES_APART`].
    fn offer(&self, watched: &[Watched], offered: &mut HashMap<Name, Duration>) {
        for Watched { frame, .. } in watched {
            let (name, now) = (&frame.camera.name, frame.taken.steady);
            let is_due = offered.get(name).is_none_or(|last| now.saturating_sub(*last) >= PASSES_APART);
            if is_due && self.passes.try_send(frame.clone()).is_ok() {
                offered.insert(name.clone(), now);
            }
        }
    }

    pub(crate) fn send(&self, round: Round) -> Result<(), Unheard> {
        for sighting in round.sightings {
            self.sightings.send(sighting).map_err(|_| Unheard)?;
        }
        for left in round.left {
            self.flow.send(Passing::Left(left)).map_err(|_| Unheard)?;
        }
        for watched in round.watched {
            self.flow.send(Passing::Tracked(tracked(&watched))).map_err(|_| Unheard)?;
            let _lost = self.watched.try_send(watched);
        }
        Ok(())
    }
}
