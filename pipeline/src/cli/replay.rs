//! `usher replay`: a recording through the gate, as fast as the machine can; nothing is published.

use crate::{
    capture::{
        frame,
        latest::{self, Pace},
        recorded::recorded,
    },
    cli::{Common, MEND_ME, logging},
    clock::{Clock, HandClock, SystemClock},
    decide::{self, quiet::Quiet, visit::Visit},
    gallery::{current::Current, store::Store},
    identify::{self, threshold::Law},
    infer::{self, sighting::Left},
    supervise::{Beat, spawn, stop},
    wire,
};
use anyhow::Context;
use crossbeam::channel::bounded;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc, time::SystemTime};
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

/// The same room between stages as in a running gate.
const ROOM: usize = 64;

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let config = match usher_config::read(&common.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let cameras = wire::cameras(&config);
    let asked = args.camera.as_deref().map(|name| Name::new(name).context("not a camera's name")).transpose()?;
    let camera = match &asked {
        Some(name) => {
            cameras.get(name).with_context(|| format!("no camera `{name}` in {}", common.config.display()))?
        }
        None => cameras.values().next().context("the configuration has a camera")?,
    };
    let clock = SystemClock::start();
    // The recording's own time is what counts; see `recorded`.
    let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
    let worker = wire::workers(&config, &still, 1)?.pop().context("one camera has a worker")?;
    let model = worker.engine.model();
    let law = Law::of(&model)?;
    let gallery = Current::of(&Store::of(&config)?, &model, clock.now().wall)?;
    let summary = through_the_gate(args, camera, worker, &config, &gallery, law, &clock, still, common.json)?;
    println!("{summary}");
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::too_many_arguments, reason = "one call, from `run`; it is the graph of a replay in one paragraph")]
fn through_the_gate(
    args: &Args,
    camera: &Arc<frame::Camera>,
    worker: infer::Worker,
    config: &usher_config::Config,
    gallery: &Arc<Current>,
    law: Law,
    clock: &Arc<SystemClock>,
    still: Arc<dyn Clock>,
    as_json: bool,
) -> anyhow::Result<serde_json::Value> {
    let (_stopper, stop) = stop();
    let (mut seats, frames) = latest::latest(Pace::Wait, [latest::passed_over(&camera.name)]);
    let seat = seats.pop().context("one seat for one camera")?;
    let (sightings, sightings_out) = bounded(ROOM);
    let (left, left_out) = bounded::<Left>(ROOM);
    let (watched, watched_out) = bounded(ROOM);
    let (identifications, identifications_out) = bounded(ROOM);
    let (visits, visits_out) = bounded::<Visit>(ROOM);
    let (outcomes, _for_nobodys_eyes) = bounded(1);

    let times: BTreeMap<_, _> = config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet)).collect();
    let (quiet, time) = (Quiet::new(times), still.clone());
    let deciding = spawn("decide", move || {
        decide::run(&identifications_out, &visits, &outcomes, quiet, &*time, &Beat::default());
    });
    let (known, rules) = (gallery.clone(), config.rules.clone());
    let identifying = spawn("identify", move || {
        identify::run(&sightings_out, &identifications, &known, rules, law, &*still, &Beat::default());
    });
    let counting = spawn("flow", move || left_out.iter().count());
    let outlets = infer::Outlets { sightings, left, watched };
    let inferring = spawn("infer", move || infer::run(worker, frames, &outlets, &Beat::default()));
    let reading = recorded(args.file.clone(), camera.clone(), seat, clock.clone(), stop);

    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} frames, {elapsed}")?);
    let watching = spawn("progress", move || {
        watched_out.iter().for_each(|_| bar.inc(1));
        bar.finish_and_clear();
    });
    let mut named = 0;
    for visit in &visits_out {
        named += 1;
        let line = json!({
            "at_s": visit.pts.as_secs_f64(), "gate": camera.gate, "camera": camera.name,
            "visitor": visit.visitor, "evidence": visit.evidence,
        });
        if as_json {
            println!("{line}");
        } else {
            println!("{:9.2} s  gate {}  visitor {}", visit.pts.as_secs_f64(), camera.gate, visit.visitor);
        }
    }
    let joined = |_panic| anyhow::anyhow!("a stage ended in a panic");
    let read = reading.join().map_err(joined)?.with_context(|| args.file.display().to_string())?;
    inferring.join().map_err(joined)??;
    identifying.join().map_err(joined)?;
    deciding.join().map_err(joined)?;
    watching.join().map_err(joined)?;
    let people = counting.join().map_err(joined)?;
    Ok(json!({ "frames": read, "people": people, "visits": named, "seconds": clock.now().steady.as_secs_f64() }))
}
