//! The workers of infer, with their networks.

use crate::{
    clock::Clock,
    infer::{
        self, Worker,
        best::Bar,
        engine::Engine,
        track::TrackIds,
        turns::{self, Turns},
    },
};
use std::sync::Arc;
use usher_config::Config;
use usher_models::{embed::mirrored::Mirrored, error::ModelError, image::Size};

/// Frames that a GPU computes together: one of each camera, so that eight cameras cost one pass over the weights.
const TOGETHER: usize = 8;

/// Opens and warms the networks of every worker that `cameras` cameras can keep busy: as many as are configured, else
/// one for each core, and one on a GPU, which computes several cameras' frames together.
///
/// # Errors
/// When weights or device are not there.
pub fn workers(config: &Config, clock: &Arc<dyn Clock>, cameras: usize) -> Result<Vec<Worker>, ModelError> {
    let infer = &config.infer;
    let input = Size { width: infer.input.width, height: infer.input.height };
    let on_gpu = is_on_gpu(config)?;
    let bar = Bar::of(config);
    let (ids, at_once) = (TrackIds::default(), if on_gpu { TOGETHER } else { 1 });
    let worker = |_| {
        let (detector, embedder) = infer::networks::open(config, input)?;
        let embedder = if infer.mirror_looks { Box::new(Mirrored(embedder)) } else { embedder };
        let liveness = infer::networks::open_liveness(config)?;
        let engine = Engine::new(detector, embedder, bar, ids.clone(), clock.clone()).with_liveness(liveness);
        Ok(Worker { engine, turns: Turns::new(turns::Pace::of(infer)), at_once })
    };
    (0..most(config)?.min(cameras).max(1)).map(worker).collect()
}

/// The most workers that cameras could keep busy.
///
/// # Errors
/// When the device is not there.
pub(super) fn most(config: &Config) -> Result<usize, ModelError> {
    let cores = if is_on_gpu(config)? { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    Ok(config.infer.workers.unwrap_or(cores))
}

fn is_on_gpu(config: &Config) -> Result<bool, ModelError> {
    Ok(infer::networks::compute(config.infer.device)?.name() != "cpu")
}
