//! Facts: gates as configured, who is kept and until when, and what the threshold rests on.
//!
//! No network is opened and no row: counts come from the reader that `usher audit verify` uses, which changes nothing.

use crate::{
    cli::list::stamp,
    gallery::{
        audit::verify::{Report, verify},
        consent::CEILING,
        key::BoxKey,
        store,
    },
    guide::retention,
    identify::{
        calibration::{Calibration, NAME as CALIBRATION, law_of},
        threshold::{Law, law_file},
    },
};
use serde::Serialize;
use std::time::SystemTime;
use usher_config::{
    Config,
    capture::{Camera as Settings, Source},
    decide::{Liveness, Mode},
};
use usher_models::{
    catalog,
    template::{ModelId, Score},
    weights::{
        lock::{Lock, MODELS},
        store::Stored,
    },
};

/// Something, or why it is not known.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Told<T> {
    Known(T),
    Unknown { not_available: String },
}

impl<T> From<Result<T, String>> for Told<T> {
    fn from(result: Result<T, String>) -> Self {
        match result {
            Ok(known) => Self::Known(known),
            Err(not_available) => Self::Unknown { not_available },
        }
    }
}

/// A gate as configured.
#[derive(Debug, Serialize)]
pub(super) struct Gate {
    pub(super) name: String,
    /// `identification` or `pass`.
    pub(super) mode: &'static str,
    /// Who answers for identification.
    pub(super) responsible: Option<String>,
    pub(super) cameras: Vec<Camera>,
    pub(super) liveness: Liveness,
    /// One visit per person in this time, seconds.
    pub(super) quiet_s: u64,
}

/// A camera of a gate.
#[derive(Debug, Serialize)]
pub(super) struct Camera {
    pub(super) name: String,
    /// Corners of the opt-in zone; 0: the whole picture.
    pub(super) zone_corners: usize,
    /// Whether its pictures cross a network readable.
    pub(super) is_readable: bool,
}

/// Whether pictures of this camera cross a network without encryption.
pub(super) fn is_readable(camera: &Settings) -> bool {
    matches!(&camera.source, Source::Rtsp { url, .. } if !url.starts_with("rtsps://"))
}

/// Every gate.
pub(super) fn gates(config: &Config) -> Vec<Gate> {
    let camera = |name: &usher_config::value::Name| {
        let settings = config.cameras.get(name);
        Camera {
            name: name.to_string(),
            zone_corners: settings.map_or(0, |camera| camera.zone.len()),
            is_readable: settings.is_some_and(is_readable),
        }
    };
    let gate = |(name, gate): (&usher_config::value::Name, &usher_config::decide::Gate)| {
        let (mode, responsible) = match &gate.mode {
            Mode::Pass => ("pass", None),
            Mode::Identification { responsible } => ("identification", Some(responsible.clone())),
        };
        let cameras = gate.cameras.iter().map(camera).collect();
        let (liveness, quiet_s) = (gate.liveness, gate.quiet.as_secs());
        Gate { name: name.to_string(), mode, responsible, cameras, liveness, quiet_s }
    };
    config.gates.iter().map(gate).collect()
}

/// How long visitors are kept.
#[derive(Debug, Serialize)]
pub(super) struct Kept {
    /// The event's end as configured, RFC 3339.
    pub(super) event_ends: Option<String>,
    /// Where the event's end comes from.
    pub(super) event_ends_from: &'static str,
    /// As long again as this, seconds.
    pub(super) keep_s: u64,
    /// The longest anybody is kept, seconds.
    pub(super) ceiling_s: u64,
    /// When somebody who enrols now is erased, RFC 3339.
    pub(super) enrolled_now_until: String,
    /// Below this age a parent or guardian must agree, years.
    pub(super) guardian_age: u8,
}

/// How long visitors are kept who enrol at `now`.
pub(super) fn kept(config: &Config, now: SystemTime) -> Kept {
    let gallery = &config.gallery;
    Kept {
        event_ends: gallery.event_ends.map(stamp),
        event_ends_from: match (&gallery.event_ends, &config.guide.programme) {
            (Some(_), _) => "`gallery.event_ends`",
            (None, Some(_)) => "the last session of the programme, where it has one with a date; else enrolment counts",
            (None, None) => "no end is known; enrolment counts",
        },
        keep_s: gallery.keep.as_secs(),
        ceiling_s: CEILING.as_secs(),
        enrolled_now_until: stamp(retention::end(config, now)),
        guardian_age: gallery.notice.guardian_age,
    }
}

/// A time in words; whole units only.
pub(super) fn time(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let whole = units.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{seconds} s"), |(unit, word)| format!("{} {word}", seconds / unit))
}

/// What the gallery holds, and whether it is as it was promised.
#[derive(Debug, Serialize)]
pub(super) struct Stock {
    #[serde(flatten)]
    pub(super) report: Report,
    pub(super) whole: bool,
}

/// What `usher audit verify` finds at `now`.
pub(super) fn stock(config: &Config, now: SystemTime) -> Told<Stock> {
    let found = key(config).and_then(|key| {
        let key = key.ok_or_else(|| format!("there is no gallery yet in {}", config.data.display()))?;
        let report = verify(&config.data.join(store::NAME), &key, now).map_err(|error| error.to_string())?;
        Ok(Stock { whole: report.is_whole(), report })
    });
    found.into()
}

/// The box key, only where there is a gallery: nothing is made here.
fn key(config: &Config) -> Result<Option<BoxKey>, String> {
    let path = config.data.join(store::NAME);
    if !path.exists() {
        return Ok(None);
    }
    BoxKey::of(config, &path).map(Some).map_err(|error| error.to_string())
}

/// What is promised about wrong greetings, and what the promise rests on.
#[derive(Debug, Serialize)]
pub(super) struct Promise {
    /// The share of visitors who never enrolled that may be greeted by a wrong name.
    pub(super) wrong_greetings: f64,
    pub(super) embedder: String,
    pub(super) law: Told<LawTold>,
}

/// The law in use.
#[derive(Debug, Serialize)]
pub(super) struct LawTold {
    pub(super) model: String,
    pub(super) basis: Basis,
    /// The score that two different people reach at a rate.
    pub(super) scores: Vec<Reached>,
    /// What a walk's score must reach, by the number of people it is compared with.
    pub(super) thresholds: Vec<Needed>,
}

/// A score that two different people reach.
#[derive(Debug, Serialize)]
pub(super) struct Reached {
    pub(super) false_match_rate: f64,
    pub(super) score: f32,
}

/// A score that a walk must reach.
#[derive(Debug, Serialize)]
pub(super) struct Needed {
    pub(super) people: usize,
    pub(super) score: f32,
}

/// Where the law comes from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Basis {
    /// Measured by usher's makers.
    Shipped,
    /// Measured by the site, of an embedder that it brought; the file.
    Brought(String),
    /// Measured on the site's own walks.
    Site(Calibration),
}

/// What the threshold rests on, where `visitors` are enrolled.
pub(super) fn promise(config: &Config, visitors: usize) -> Promise {
    let wrong_greetings = config.rules.wrong_greetings;
    Promise { wrong_greetings, embedder: config.infer.embedder.clone(), law: law(config, visitors).into() }
}

fn law(config: &Config, visitors: usize) -> Result<LawTold, String> {
    let (model, weights) = (model_of(config)?, config.data.join("models"));
    let shipped_or_brought = || match Law::of(&model) {
        Ok(_) => Basis::Shipped,
        Err(_) => Basis::Brought(law_file(&model, &weights).display().to_string()),
    };
    let (law, basis) = match key(config)? {
        Some(key) => {
            let law = law_of(&model, &config.data, &key).map_err(|error| error.to_string())?;
            let own = Calibration::read(&config.data, &key).map_err(|error| error.to_string())?;
            (law, own.filter(|own| own.model == model).map_or_else(shipped_or_brought, Basis::Site))
        }
        None if config.data.join(CALIBRATION).exists() => {
            return Err(format!("{CALIBRATION} is there, but not the gallery whose box key signed it"));
        }
        None => {
            let law = Law::of_brought(&model, &weights).map_err(|error| error.to_string())?;
            (law, shipped_or_brought())
        }
    };
    let mut counts = vec![visitors.max(1), 100, 1000, 10_000];
    counts.sort_unstable();
    counts.dedup();
    let rounded = |score: Score| (score.0 * 1000.0).round() / 1000.0;
    let reached = |rate| Reached { false_match_rate: rate, score: rounded(law.score_at(rate)) };
    let scores = [1e-3, 1e-4, 1e-5].map(reached).into();
    let target = config.rules.wrong_greetings;
    let needed = |people| Needed { people, score: rounded(law.threshold(target, people)) };
    let thresholds = counts.into_iter().map(needed).collect();
    Ok(LawTold { model: model.0, basis, scores, thresholds })
}

/// What the configured embedder's templates carry; read from the lock, or from weights that the site brought.
fn model_of(config: &Config) -> Result<ModelId, String> {
    let name = &config.infer.embedder;
    let lock = Lock::read(MODELS).map_err(|error| error.to_string())?;
    let rows = name.split('+').map(|part| lock.network(part).map(|network| network.model.as_str()));
    match rows.collect::<Option<Vec<_>>>() {
        Some(models) => Ok(ModelId(models.join("+"))),
        None => Stored::read_imported(&config.data.join("models"), name)
            .map(|(stored, _)| catalog::model_of(&stored))
            .map_err(|error| error.to_string()),
    }
}
