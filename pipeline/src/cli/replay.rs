//! `usher replay`: a recording through the gate, as fast as the machine can; nothing is published.

use crate::{
    capture::recorded::recorded,
    cli::{Common, MEND_ME, logging},
    clock::{Clock, HandClock, SystemClock},
    gallery::{current::Current, key::BoxKey, store::Store},
    identify::calibration::law_of,
    wire::{
        self,
        offline::{Ended, Gate, Told, offline},
    },
};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::SystemTime};
use usher_config::value::Name;

/// Run a recording through the gate; nothing is published, stored or greeted.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording: any file that GStreamer plays.
    file: PathBuf,
    /// Which camera of the configuration took it; decides gate and opt-in zone. Default: the first.
    #[arg(long)]
    camera: Option<String>,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let config = match usher_config::read(&common.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let cameras = wire::offline::cameras(&config);
    let asked = args.camera.as_deref().map(|name| Name::new(name).context("not a camera's name")).transpose()?;
    let camera = match &asked {
        Some(name) => {
            cameras.get(name).with_context(|| format!("no camera `{name}` in {}", common.config.display()))?
        }
        None => cameras.values().next().context("the configuration has a camera")?,
    };
    let clock = SystemClock::start();
    let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
    let worker = wire::workers(&config, &still, 1)?.pop().context("one camera has a worker")?;
    let model = worker.engine.model();
    let store = Store::of(&config)?;
    let law = law_of(&model, &config.data, &BoxKey::of(&config, store.path())?)?;
    let gallery = Current::of(&store, &model, clock.now().wall)?;
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} frames, {elapsed}")?);
    let mut named = 0;
    let told = |told| match told {
        Told::Frame(_) => bar.inc(1),
        Told::Look(_) => {}
        Told::Visit(visit) => {
            named += 1;
            let at = visit.pts.as_secs_f64();
            if common.json {
                let line = json!({
                    "at_s": at, "gate": camera.gate, "camera": camera.name,
                    "visitor": visit.visitor, "evidence": visit.evidence,
                });
                println!("{line}");
            } else {
                println!("{at:9.2} s  gate {}  visitor {}", camera.gate, visit.visitor);
            }
        }
    };
    let (file, at, timed) = (args.file.clone(), camera.clone(), clock.clone());
    let gate = Gate { config: config.clone(), worker, gallery, law };
    let read = |seat, stop| recorded(file, at, seat, timed, stop);
    let Ended { frames, people } =
        offline(gate, camera, read, told).with_context(|| args.file.display().to_string())?;
    bar.finish_and_clear();
    let seconds = clock.now().steady.as_secs_f64();
    println!("{}", json!({ "frames": frames, "people": people, "visits": named, "seconds": seconds }));
    Ok(ExitCode::SUCCESS)
}
