//! `usher evaluate walks`.

use crate::{
    accuracy::{
        page::{Page, Plot},
        rates::Rate,
        walks::{Judgement, Tally, Walks},
    },
    capture::{recorded::recorded_stills, stills::scene::Scene},
    cli::{
        Common, MEND_ME, crowd,
        data::Data,
        evaluate::{notes, told, write},
    },
    clock::{Clock, HandClock, SystemClock},
    gallery::{current::Current, store::Store},
    identify::threshold::Law,
    infer::sighting::TrackId,
    wire::{
        self,
        offline::{Gate, Looked, Told, offline},
    },
};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::{Config, capture::Source, crowd::Crowd};
use usher_models::image::Size;

/// Held against the truth about a crowd; the site's gallery is neither read nor written.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A configuration with `stills:` cameras, for instance config/demo.yaml.
    configuration: PathBuf,
    /// Look at so much of each crowd: `75 s`, `5 min`. Default: one round, in which everybody walks in each of their looks.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    long: Option<Duration>,
    /// Write plots and figures to this file: one page that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// How the walks of all cameras ended.
#[derive(Default)]
struct Ended {
    tally: Tally,
    looks: u64,
    /// Looks at faces outside the opt-in zone. Always none.
    looks_outside: u64,
    /// Of rightly named walks: from the first usable look to the decision, and how far apart the eyes were there.
    seconds: Vec<f64>,
    inter_eye_px: Vec<f64>,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match usher_config::read(&args.configuration) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let common = Common { config: args.configuration.clone(), json: common.json };
    let weights = args.data.folder(&common)?.join("models");
    let ended = walked(config, &weights, args.long)?;
    let Tally { walks_enrolled, named_right, walks_unenrolled, unenrolled_named, .. } = ended.tally;
    let rate = |errors: usize, trials: usize| Rate { errors: errors as u64, trials: trials as u64 };
    let fnir = rate(walks_enrolled - named_right, walks_enrolled);
    let fpir = rate(unenrolled_named, walks_unenrolled);
    let misidentified = rate(ended.tally.named_wrong, walks_enrolled);
    let fta = rate(ended.tally.never_looked_at, walks_enrolled + walks_unenrolled);
    let bystanders = Rate { errors: ended.looks_outside, trials: ended.looks };
    let (seconds, inter_eye_px) = (quantiles(&ended.seconds), quantiles(&ended.inter_eye_px));
    let figures = vec![
        ("enrolled walks not named once, rightly (FNIR)".to_owned(), fnir.to_string()),
        ("enrolled walks given another's name".to_owned(), misidentified.to_string()),
        ("walks of people who never enrolled that were named (FPIR)".to_owned(), fpir.to_string()),
        ("walks of which no look was taken (FTA)".to_owned(), fta.to_string()),
        ("looks at people outside the opt-in zone".to_owned(), bystanders.to_string()),
        ("first usable look to decision, s".to_owned(), in_words(&seconds)),
        ("between the eyes at the decision, px".to_owned(), in_words(&inter_eye_px)),
    ];
    if let Some(file) = &args.html {
        let times = |title: &str, axis: &str, values: &[f64]| Plot::Times {
            title: title.to_owned(),
            axis: axis.to_owned(),
            values: values.to_vec(),
        };
        let plots = vec![
            times("First usable look to decision", "seconds", &ended.seconds),
            times("Between the eyes at the decision", "pixels", &ended.inter_eye_px),
        ];
        let title = "usher evaluate walks".to_owned();
        write(file, &Page { title, figures: figures.clone(), notes: notes(), plots })?;
    }
    if common.json {
        let json = json!({
            "fnir": told(&fnir), "fpir": told(&fpir), "misidentified": told(&misidentified), "fta": told(&fta),
            "bystander_looks": told(&bystanders), "named_again": ended.tally.named_again,
            "time_to_decision_s": seconds, "inter_eye_at_decision_px": inter_eye_px,
        });
        println!("{json}");
    } else {
        figures.iter().for_each(|(what, much)| println!("{what}: {much}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Enrols the crowds into a gallery that vanishes, and lets them walk.
fn walked(mut config: Config, weights: &Path, long: Option<Duration>) -> anyhow::Result<Ended> {
    let folder = tempfile::tempdir()?;
    std::os::unix::fs::symlink(std::path::absolute(weights)?, folder.path().join("models"))?;
    folder.path().clone_into(&mut config.data);
    config.gallery.key = None;
    let mut crowds = BTreeMap::new();
    for (name, camera) in &config.cameras {
        if let Source::Stills { path } = &camera.source {
            crowds.insert(name.clone(), (path.clone(), Crowd::read(path)?));
        }
    }
    if crowds.is_empty() {
        bail!("the configuration has no `stills:` camera: only there is it known who walks");
    }
    let enrolled = crowd::enrol(&config, crowds.values().map(|(path, crowd)| (path.as_path(), crowd)))?;
    let clock = SystemClock::start();
    let mut ended = Ended::default();
    for (name, camera) in wire::cameras(&config) {
        let Some((path, crowd)) = crowds.get(&name) else { continue };
        let scene = Scene::of(crowd);
        let until = long.unwrap_or(scene.round()) + Duration::from_secs(3);
        let size = Size { width: crowd.width, height: crowd.height };
        let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
        let worker = wire::workers(&config, &still, 1)?.pop().context("one camera has a worker")?;
        let model = worker.engine.model();
        let gallery = Current::of(&Store::of(&config)?, &model, clock.now().wall)?;
        let gate = Gate { config: config.clone(), worker, gallery, law: Law::of(&model)? };
        let bar = ProgressBar::new((until.as_secs_f64() * f64::from(crowd.fps)) as u64)
            .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} frames, {eta} to go")?);
        let mut walks = Walks::new(scene, enrolled.clone());
        let mut last: BTreeMap<TrackId, Looked> = BTreeMap::new();
        let told = |told| match told {
            Told::Frame => bar.inc(1),
            Told::Look(look) => {
                walks.looked(look.pts, &look.rect);
                ended.looks += 1;
                ended.looks_outside += u64::from(!camera.zone.holds(look.rect.centre(), size));
                last.insert(look.track, look);
            }
            Told::Visit(visit) => {
                let right = matches!(walks.judge(visit.pts, &visit.rect, visit.visitor), Judgement::Right { .. });
                if let (true, Some(look)) = (right, last.get(&visit.track)) {
                    ended.seconds.push(visit.taken.since(visit.first).as_secs_f64());
                    ended.inter_eye_px.push(f64::from(look.inter_eye_px));
                }
            }
        };
        let (crowd, at, timed) = (path.clone(), camera.clone(), clock.clone());
        offline(gate, &camera, |seat, stop| recorded_stills(crowd, until, at, seat, timed, stop), told)?;
        bar.finish_and_clear();
        ended.tally = ended.tally + walks.tally(Duration::ZERO, until);
    }
    Ok(ended)
}

/// Median, 95th percentile and number.
fn quantiles(values: &[f64]) -> serde_json::Value {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((share * values.len() as f64).ceil() as usize).max(1) - 1).copied();
    json!({ "p50": at(0.5), "p95": at(0.95), "n": values.len() })
}

fn in_words(quantiles: &serde_json::Value) -> String {
    match (quantiles["p50"].as_f64(), quantiles["p95"].as_f64()) {
        (Some(p50), Some(p95)) => format!("median {p50:.2}, 95 % below {p95:.2}, n {}", quantiles["n"]),
        _ => "nobody was named".to_owned(),
    }
}
