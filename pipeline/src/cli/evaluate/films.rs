//! Cameras with known truth, past the gate of a configuration.

use crate::{
    accuracy::{
        truth::{Log, Truth},
        walks::{Judgement, Tally, Walks},
    },
    capture::{
        fault::Fault,
        frame::{Camera, Frame},
        latest::Seat,
        recorded::{recorded, recorded_stills},
        stills::scene::Scene,
    },
    cli::crowd::{self, Enrolled},
    clock::{Clock, HandClock, SystemClock},
    gallery::{current::Current, key::BoxKey, store::Store},
    identify::calibration::law_of,
    infer::sighting::TrackId,
    supervise::Stop,
    wire::{
        self,
        offline::{Gate, Told, offline},
    },
};
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use usher_config::{
    Config,
    capture::Source,
    crowd::Crowd,
    value::Name,
    walks::{Recording, WalkLog},
};
use usher_models::image::{Rect, Size};

/// How the walks of all cameras ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) tally: Tally,
    pub(super) looks: u64,
    /// Looks at faces outside the opt-in zone. Always none.
    pub(super) looks_outside: u64,
    /// Of rightly named walks: from the first usable look to the decision, and how far apart the eyes were there.
    pub(super) seconds: Vec<f64>,
    pub(super) inter_eye_px: Vec<f64>,
}

/// What a camera shows, and what is true of it.
struct Film {
    camera: Name,
    truth: Box<dyn Truth>,
    until: Duration,
    read: Read,
}

/// Seats a film's frames at the camera; the clock says when it began.
type Read = Box<dyn FnOnce(Arc<Camera>, Arc<dyn Clock>, Seat<Frame>, Stop) -> JoinHandle<Result<u64, Fault>>>;

/// Enrols the crowds into a gallery that vanishes, and lets them walk.
pub(super) fn crowds(mut config: Config, weights: &Path, long: Option<Duration>) -> anyhow::Result<Ended> {
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
        bail!(
            "the configuration has no `stills:` camera; name a log of who walked in recordings of its cameras: `--log FILE`"
        );
    }
    let enrolled = crowd::enrol(&config, crowds.values().map(|(path, crowd)| (path.as_path(), crowd)))?;
    let film = |(camera, (path, crowd)): (Name, (PathBuf, Crowd))| {
        let scene = Scene::of(&crowd);
        let until = long.unwrap_or(scene.round()) + Duration::from_secs(3);
        let read: Read = Box::new(move |at, clock, seat, stop| recorded_stills(path, until, at, seat, clock, stop));
        Film { camera, truth: Box::new(scene), until, read }
    };
    seen(&config, crowds.into_iter().map(film).collect(), &enrolled)
}

/// Runs the recordings of a log past the site's own gallery.
pub(super) fn recordings(config: &Config, log: WalkLog) -> anyhow::Result<Ended> {
    let people = Store::of(config)?.load_all()?.people;
    let enrolled: Enrolled = people.iter().map(|person| (person.visitor.id, person.visitor.id.to_string())).collect();
    for walk in log.recordings.iter().flat_map(|recording| &recording.walks) {
        if walk.visitor.as_ref().is_some_and(|id| !enrolled.values().any(|known| known == id)) {
            bail!("the walk log names the visitor `{}`, who is not enrolled; `usher list` shows the ids", walk.who());
        }
    }
    let film = |recording: Recording| {
        let file = recording.file;
        let read: Read = Box::new(move |at, clock, seat, stop| recorded(file, at, seat, clock, stop));
        Film { camera: recording.camera, truth: Box::new(Log(recording.walks)), until: Duration::MAX, read }
    };
    seen(config, log.recordings.into_iter().map(film).collect(), &enrolled)
}

fn seen(config: &Config, films: Vec<Film>, enrolled: &Enrolled) -> anyhow::Result<Ended> {
    let clock = SystemClock::start();
    let (mut ended, cameras) = (Ended::default(), wire::offline::cameras(config));
    for Film { camera, truth, until, read } in films {
        let camera = cameras.get(&camera).with_context(|| format!("the configuration has no camera `{camera}`"))?;
        let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
        let worker = wire::workers(config, &still, 1)?.pop().context("one camera has a worker")?;
        let model = worker.engine.model();
        let store = Store::of(config)?;
        let law = law_of(&model, &config.data, &BoxKey::of(config, store.path())?)?;
        let gallery = Current::of(&store, &model, clock.now().wall)?;
        let gate = Gate { config: config.clone(), worker, gallery, law };
        let bar =
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {pos} frames, {elapsed}")?);
        let mut walks = Walks::new(truth, enrolled.clone());
        let (mut last, mut size) = (BTreeMap::<TrackId, f32>::new(), Size { width: 0, height: 0 });
        let mut looked_at: Vec<Rect> = Vec::new();
        let told = |told| match told {
            Told::Frame(of) => {
                bar.inc(1);
                size = of;
            }
            Told::Look(look) => {
                walks.looked(look.pts, &look.rect);
                ended.looks += 1;
                looked_at.push(look.rect);
                last.insert(look.track, look.quality.inter_eye_px);
            }
            Told::Visit(visit) => {
                let right = matches!(walks.judge(visit.pts, &visit.rect, visit.visitor), Judgement::Right { .. });
                if let (true, Some(inter_eye_px)) = (right, last.get(&visit.track)) {
                    ended.seconds.push(visit.taken.since(visit.first).as_secs_f64());
                    ended.inter_eye_px.push(f64::from(*inter_eye_px));
                }
            }
        };
        let (at, timed): (_, Arc<dyn Clock>) = (camera.clone(), clock.clone());
        offline(gate, camera, |seat, stop| read(at, timed, seat, stop), told)?;
        bar.finish_and_clear();
        ended.looks_outside += looked_at.iter().filter(|face| !camera.zone.holds(face.centre(), size)).count() as u64;
        ended.tally = ended.tally + walks.tally(Duration::ZERO, until);
    }
    Ok(ended)
}
