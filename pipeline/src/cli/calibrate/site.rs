//! Calibration of this site from its own recordings.

use crate::{
    accuracy::{
        calibration::{NonMated, Supported as Counted, TooFew, Walks},
        trials::highest,
        truth::{Log, Truth},
    },
    capture::recorded::recorded,
    cli::{Common, MEND_ME, list::opened, logging, walked::walked},
    clock::{Clock, SystemClock},
    gallery::{
        current::Current,
        key::BoxKey,
        search::Gallery,
        store::{NAME, Store},
        visitor::VisitorId,
    },
    identify::{
        calibration::{Calibration, Supported},
        threshold::Law,
    },
    wire,
};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::{collections::BTreeMap, path::Path, process::ExitCode, time::Duration};
use usher_config::{Config, walks::WalkLog};
use uuid::Uuid;

/// Shares of people who never enrolled that thresholds are found for, as far as walks support them.
const SHARES: [f64; 10] = [0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001];

/// Finds what the walks of `log` support, and writes it unless this is a `dry_run`.
pub(super) fn run(common: &Common, log: &Path, dry_run: bool) -> anyhow::Result<ExitCode> {
    logging(common);
    let log = match usher_config::walks::read(log) {
        Ok(log) => log,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let (config, store) = match opened(common) {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let gallery = gallery(&config, &store)?;
    let walks = non_mated(&config, &log, &gallery)?;
    let judged = Walks::new(&walks);
    let supported: Vec<Counted> = SHARES.into_iter().filter_map(|share| judged.threshold(share).ok()).collect();
    let asked = config.rules.wrong_greetings;
    let missing = judged.threshold(asked).err();
    let calibration = Calibration {
        model: gallery.model().clone(),
        made: jiff::Timestamp::try_from(SystemClock::start().now().wall)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        references: gallery.len(),
        walks: walks.len(),
        people: judged.people(),
        supported: supported
            .iter()
            .map(|point| Supported { wrong_greetings: point.target, threshold: point.threshold })
            .collect(),
    };
    let law = calibration.law(Law::of_brought(gallery.model(), &config.data.join("models"))?).with_context(|| {
        format!(
            "walks of {} people support no threshold; let more people who never enrolled walk past, and add them to the log",
            judged.people()
        )
    })?;
    let now = law.threshold(asked, gallery.len()).0;
    let path = if dry_run {
        None
    } else {
        Some(calibration.write(&config.data, &BoxKey::of(&config, &config.data.join(NAME))?)?)
    };
    if common.json {
        let missing =
            missing.map(|TooFew { needed, people, .. }| json!({ "needed": needed, "missing": needed - people }));
        let json = json!({
            "model": calibration.model, "references": calibration.references, "walks": calibration.walks,
            "people": calibration.people, "supported": supported, "wrong_greetings": asked, "threshold": now,
            "unsupported": missing, "written": path,
        });
        println!("{json}");
    } else {
        println!(
            "{} walks of {} people past {} references",
            calibration.walks, calibration.people, calibration.references
        );
        for point in &supported {
            println!("{:6.2} % wrongly named: {:.3}", 100.0 * point.target, point.threshold);
        }
        println!("`wrong_greetings` asks for {:.2} %: {now:.3}", 100.0 * asked);
        if let Some(too_few) = missing {
            println!(
                "that is beyond what was measured ({too_few}); the stricter of these walks and the general table counts"
            );
        }
        if let Some(path) = &path {
            println!("written to {}; gates use it from their next start on", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The people of this site, as they are compared now.
fn gallery(config: &Config, store: &Store) -> anyhow::Result<std::sync::Arc<Gallery>> {
    let still: std::sync::Arc<dyn Clock> = SystemClock::start();
    let worker = wire::workers(config, &still, 1)?.pop().context("one camera has a worker")?;
    let model = worker.engine.model();
    let gallery = Current::of(store, &model, SystemClock::start().now().wall)?.load();
    if gallery.len() < 2 {
        bail!(
            "{} visitors are enrolled for {}; calibrate when those are there whom gates shall know",
            gallery.len(),
            model.0
        );
    }
    Ok(gallery)
}

/// The best that each walk reaches against everybody but who walks.
fn non_mated(config: &Config, log: &WalkLog, gallery: &Gallery) -> anyhow::Result<Vec<NonMated>> {
    let cameras = wire::offline::cameras(config);
    let law = Law::of_brought(gallery.model(), &config.data.join("models"))?;
    let mut people: BTreeMap<String, usize> = BTreeMap::new();
    let mut walks = Vec::new();
    for recording in &log.recordings {
        let camera = cameras.get(&recording.camera);
        let camera = camera.with_context(|| {
            format!("the walk log names the camera `{}`, the configuration does not", recording.camera)
        })?;
        let truth = Log(recording.walks.clone());
        let bar =
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} frames, {elapsed}")?);
        let (file, at, clock) = (recording.file.clone(), camera.clone(), SystemClock::start());
        let read = |seat, stop| recorded(file, at, seat, clock, stop);
        let walked =
            walked(config, camera, &truth, read, &bar).with_context(|| recording.file.display().to_string())?;
        bar.finish_and_clear();
        if walked.nobodys > 0 {
            eprintln!(
                "{}: {} looks at people who are not in the log; they do not count",
                recording.file.display(),
                walked.nobodys
            );
        }
        for walk in truth.walks(Duration::ZERO, Duration::MAX) {
            let next = people.len();
            let person = *people.entry(walk.of.who.clone()).or_insert(next);
            let tracks = walked.walks.get(&walk.of.walk).map(Vec::as_slice).unwrap_or_default();
            let others = if walk.of.enrolled { Some(gallery.without(visitor(&walk.of.who, gallery)?)) } else { None };
            let others = others.as_ref().unwrap_or(gallery);
            let best = highest(tracks, others, &config.rules, &law)?;
            walks.push(NonMated { person, best });
        }
    }
    Ok(walks)
}

fn visitor(id: &str, gallery: &Gallery) -> anyhow::Result<VisitorId> {
    let known = Uuid::parse_str(id).ok().map(VisitorId).filter(|id| gallery.visitor(*id).is_some());
    known.with_context(|| {
        format!("the walk log names the visitor `{id}`, who is not enrolled; `usher list` shows the ids")
    })
}
