//! The looks at everybody who walks past a camera, while nobody is known.

use crate::{
    accuracy::{trials::Look, truth::Truth},
    capture::{
        fault::Fault,
        frame::{Camera, Frame},
        latest::Seat,
    },
    clock::{Clock, HandClock},
    gallery::{current::Current, search::Gallery},
    identify::threshold::Law,
    infer::sighting::TrackId,
    supervise::Stop,
    wire::{
        self,
        offline::{Gate, Told, offline},
    },
};
use anyhow::Context;
use indicatif::ProgressBar;
use std::{collections::BTreeMap, sync::Arc, thread::JoinHandle, time::SystemTime};
use usher_config::Config;

/// What was looked at, by walk.
pub(super) struct Walked {
    /// Of each walk its tracks, of each track its looks in the order of time.
    pub(super) walks: BTreeMap<u64, Vec<Vec<Look>>>,
    /// Looks at faces that truth knows nothing of.
    pub(super) nobodys: usize,
}

/// Runs what `read` seats through the gate of `config`, with an empty gallery: no name ends the looks at anybody.
pub(super) fn walked(
    config: &Config,
    camera: &Camera,
    truth: &dyn Truth,
    read: impl FnOnce(Seat<Frame>, Stop) -> JoinHandle<Result<u64, Fault>>,
    bar: &ProgressBar,
) -> anyhow::Result<Walked> {
    let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
    let worker = wire::workers(config, &still, 1)?.pop().context("one camera has a worker")?;
    let model = worker.engine.model();
    let gallery = Current::new(Gallery::empty(model.clone()));
    let gate =
        Gate { config: config.clone(), worker, gallery, law: Law::of_brought(&model, &config.data.join("models"))? };
    // Of each track its looks, and at whom they were.
    let mut tracks: BTreeMap<TrackId, (Vec<Look>, Vec<Option<u64>>)> = BTreeMap::new();
    let told = |told| match told {
        Told::Frame(_) => bar.inc(1),
        Told::Look(probe) => {
            let (looks, whose) = tracks.entry(probe.track).or_default();
            whose.push(truth.whose(probe.pts, &probe.rect).map(|whose| whose.walk));
            looks.push(Look { at: probe.taken, weight: probe.quality.weight(), template: probe.template });
        }
        Told::Visit(_) => {}
    };
    offline(gate, camera, read, told)?;
    let mut walked = Walked { walks: BTreeMap::new(), nobodys: 0 };
    for (looks, mut whose) in tracks.into_values() {
        // A track that jumped from one person to another is whose most of it is.
        whose.sort_unstable();
        let longest = whose.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
        match longest.and_then(|run| run.first().copied().flatten()) {
            Some(walk) => walked.walks.entry(walk).or_default().push(looks),
            None => walked.nobodys += looks.len(),
        }
    }
    Ok(walked)
}
