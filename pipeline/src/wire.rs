//! The graph: every stage, every channel, in one visible paragraph.
//!
//! Wired from the last stage back to the cameras, so that nothing is ever sent to somebody who is not there yet.

use crate::{
    capture::{
        self, frame,
        latest::{self, Pace},
    },
    clock::Clock,
    decide::{
        self,
        quiet::Quiet,
        visit::{Outcome, Visit},
    },
    flow::{self, count::Counts},
    gallery::{
        current::{self, Current},
        file::StoreError,
        store::Store,
        visitor::VisitorId,
    },
    guide::programme::{Upcoming, next_sessions},
    health::Health,
    identify::{
        self,
        threshold::{Law, LawError},
    },
    infer::{self, best::Bar, engine::Engine},
    publish::{self, PublishError, Published, payload},
    supervise::{Beat, Pulse, Stopper, spawn, stop},
    web::{self, Pages, WebError, mint_token},
};
use crossbeam::channel::{Sender, bounded};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use usher_config::{
    Config,
    programme::Programme,
    value::{Name, Secret},
};
use usher_models::{error::ModelError, image::Size};
use uuid::Uuid;

/// Looks and ends of tracks on their way to identify: a few frames of a full gate; pressure still reaches the cameras.
const SIGHTINGS: usize = 64;
/// People who left, on their way to be counted; counting is quicker than walking.
const LEFT: usize = 64;
/// Identifications on their way to decide.
const IDENTIFICATIONS: usize = 64;
/// Visits on their way to disk: a commit takes milliseconds, a struggling disk seconds.
const VISITS: usize = 256;
/// What the operator's eyes may see late or not at all.
const FOR_EYES: usize = 16;

/// How many sessions a greeting tells.
const SESSIONS: usize = 3;
/// How far back visits are asked for after a restart; the outbox remembers no longer than the longest quiet time.
const LONGEST_QUIET: Duration = Duration::from_secs(24 * 60 * 60);

/// What cannot start, and who must mend it (exit code 78).
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("{path}: {why}; set `data:` to a folder that usher may write")]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The gallery.
    #[error(transparent)]
    Gallery(#[from] StoreError),
    /// Weights or device.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// The decision rule.
    #[error(transparent)]
    Law(#[from] LawError),
    /// Outbox, broker or certificates.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The pages.
    #[error(transparent)]
    Web(#[from] WebError),
}

/// Who else listens: the demo and the benches. The gate does not wait for them.
#[derive(Default)]
pub struct Listeners {
    /// Every decided visit.
    pub visits: Option<Sender<Visit>>,
    /// Every acknowledged visit and its time since the first usable look.
    pub acked: Option<Sender<(Uuid, Duration)>>,
}

/// A gate, running.
pub struct Gate {
    /// Its state.
    pub health: Arc<Health>,
    /// Where the pages are, with the port that was taken.
    pub pages: std::net::SocketAddr,
    /// What an operator signs in with.
    pub token: Secret,
    /// Where the embedded broker listens.
    pub broker: Option<std::net::SocketAddr>,
    /// The people who asked to be known.
    pub gallery: Arc<Current>,
    stopper: Stopper,
    pulse: Pulse,
    threads: Vec<JoinHandle<()>>,
    published: Published,
}

/// The stages as they are started.
struct Stages {
    threads: Vec<JoinHandle<()>>,
    pulse: Pulse,
    now: Duration,
}

impl Stages {
    /// Starts a stage that beats, on a thread of its name.
    fn start(&mut self, name: &str, run: impl FnOnce(&Beat) + Send + 'static) {
        let beat = self.beat(name);
        self.threads.push(spawn(name, move || run(&beat)));
    }

    /// A beat that is listened to, for a stage that starts its own thread.
    fn beat(&mut self, name: &str) -> Beat {
        let beat = Beat::default();
        self.pulse.listen(name, beat.clone(), self.now);
        beat
    }
}

/// Starts a gate. When this returns, weights are checked, networks warmed, gallery and outbox open; cameras and broker
/// may still be away.
///
/// # Errors
/// Whatever a person must mend first.
pub fn start(
    config: &Config,
    programme: Option<Programme>,
    prometheus: web::Prometheus,
    clock: &Arc<dyn Clock>,
    listeners: Listeners,
) -> Result<Gate, StartError> {
    let data = &config.data;
    std::fs::create_dir_all(data).map_err(|why| StartError::Data { path: data.clone(), why })?;
    let programme = Arc::new(programme);
    let rules = config.rules.clone();
    let cameras = cameras(config);
    let (stopper, stop) = stop();
    let health = Arc::new(Health::of(cameras.keys().cloned()));
    let mut stages = Stages { threads: Vec::new(), pulse: Pulse::default(), now: clock.now().steady };

    // What can fail because of something that a person must mend, comes first.
    let engine = engine(config, clock)?;
    let model = engine.model();
    let law = Law::of(&model)?;
    let store = Store::of(config)?;
    let gallery = Current::of(&store, &model, clock.now().wall)?;

    // publish ◄─256─ decide ◄─64─ identify ◄─64─ infer
    let (visits, visits_out) = bounded(VISITS);
    let times: BTreeMap<Name, Duration> = config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet)).collect();
    let published =
        publish::start(publishing(config, &times, &gallery, programme, &health, clock, listeners.acked), visits_out)?;
    for (name, beat) in published.beats() {
        stages.pulse.listen(name, beat, stages.now);
    }
    let beat = stages.beat("gallery");
    stages.threads.push(current::watch(store, clock.clone(), gallery.clone(), stop.clone(), beat));

    let (outcomes, outcomes_out) = bounded::<Outcome>(FOR_EYES);
    let (identifications, identifications_out) = bounded(IDENTIFICATIONS);
    let mut quiet = Quiet::new(times);
    quiet.seed(recent(&published, clock), clock.now());
    let visits = match listeners.visits {
        Some(listener) => overheard(&mut stages, visits, listener),
        None => visits,
    };
    let time = clock.clone();
    stages.start("decide", move |beat| decide::run(&identifications_out, &visits, &outcomes, quiet, &*time, beat));

    let (sightings, sightings_out) = bounded(SIGHTINGS);
    let (known, asked, own_law, time) = (gallery.clone(), rules.clone(), law.clone(), clock.clone());
    stages.start("identify", move |beat| {
        identify::run(&sightings_out, &identifications, &known, asked, own_law, &*time, beat);
    });

    let (left, left_out) = bounded(LEFT);
    let (counts, time) = (Arc::new(Counts::default()), clock.clone());
    stages.start("flow", move |beat| flow::count::run(&left_out, &counts, &time, beat));

    let (watched, watched_out) = bounded(FOR_EYES);
    let (seats, frames) = latest::latest(Pace::Live, cameras.keys().map(latest::passed_over));
    let outlets = infer::Outlets { sightings, left, watched };
    stages.start("infer", move |beat| {
        infer::run(engine, frames, &outlets, beat).expect("networks were warmed with these shapes");
    });

    let token = mint_token();
    let taps = web::Taps { watched: watched_out, outcomes: outcomes_out };
    let settings = pages(config, &cameras, &published, token.clone());
    let figures = figures(&gallery, &law, &rules);
    let Pages { address, thread } =
        web::start(settings, taps, health.clone(), figures, prometheus, clock.clone(), stop.clone())?;
    stages.threads.push(thread);

    for ((name, camera), seat) in cameras.iter().zip(seats) {
        let beat = stages.beat(&format!("cam-{name}"));
        let settings = &config.cameras[name];
        stages.threads.push(capture::start(
            camera.clone(),
            settings,
            seat,
            health.clone(),
            clock.clone(),
            beat,
            stop.clone(),
        ));
    }
    health.set_ready();
    Ok(Gate {
        health,
        pages: address,
        token,
        broker: published.listens(),
        gallery,
        stopper,
        pulse: stages.pulse,
        threads: stages.threads,
        published,
    })
}

/// Why a running gate must end.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A thread ended unasked.
    #[error("thread {0} ended unasked; the process ends so that a whole one starts")]
    Ended(String),
}

impl Gate {
    /// The stages that hang now. While there are any, the watchdog goes unfed.
    pub fn hanging(&mut self, now: Duration) -> Vec<String> {
        self.pulse.hanging(now)
    }

    /// Whether every thread still runs.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn is_whole(&self) -> Result<(), Trouble> {
        let ended = |thread: &&JoinHandle<()>| thread.is_finished();
        match self.threads.iter().find(ended) {
            Some(thread) => Err(Trouble::Ended(thread.thread().name().unwrap_or("?").to_owned())),
            None if self.published.is_finished() => Err(Trouble::Ended("publish".to_owned())),
            None => Ok(()),
        }
    }

    /// Stops in order: cameras first, then every stage as its input closes, the sink last.
    pub fn stop(self) {
        drop(self.stopper);
        for thread in self.threads {
            // A stage that panicked has aborted the process already; there is nothing to learn from the result.
            let _ended = thread.join();
        }
        self.published.join();
    }
}

/// Lets `listener` hear every visit on its way to `visits`; publish does not wait for it.
fn overheard(stages: &mut Stages, visits: Sender<Visit>, listener: Sender<Visit>) -> Sender<Visit> {
    let (heard, heard_out) = bounded::<Visit>(VISITS);
    stages.threads.push(spawn("listener", move || {
        for visit in &heard_out {
            let _lost = listener.try_send(visit.clone());
            if visits.send(visit).is_err() {
                return;
            }
        }
    }));
    heard
}

/// Whom the gates greeted before a restart.
fn recent(published: &Published, clock: &Arc<dyn Clock>) -> Vec<(Name, VisitorId, SystemTime)> {
    let visits = published.recent_visits(clock.now().wall - LONGEST_QUIET);
    visits.into_iter().map(|visit| (visit.gate, visit.visitor, visit.decided)).collect()
}

/// The name of this box in topics: the host's name, as far as a topic can carry it.
fn box_name() -> Name {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = host.trim().chars().map(fits).take(32).collect();
    Name::new(&name).or_else(|| Name::new("box")).expect("`box` is a name")
}

/// The configured cameras, by name.
pub fn cameras(config: &Config) -> BTreeMap<Name, Arc<frame::Camera>> {
    let gate_of =
        |camera: &Name| config.gates.iter().find(|(_, gate)| gate.cameras.contains(camera)).map(|(name, _)| name);
    let camera = |(name, settings): (&Name, &usher_config::capture::Camera)| {
        let zone = frame::Zone { corners: settings.zone.clone() };
        let gate = gate_of(name).expect("the configuration was checked: every camera has a gate").clone();
        (name.clone(), Arc::new(frame::Camera { name: name.clone(), gate, zone }))
    };
    config.cameras.iter().map(camera).collect()
}

/// Opens and warms the networks.
///
/// # Errors
/// When weights or device are not there.
pub fn engine(config: &Config, clock: &Arc<dyn Clock>) -> Result<Engine, ModelError> {
    let infer = &config.infer;
    let input = Size { width: infer.input.width, height: infer.input.height };
    let (detector, embedder) = infer::networks::open(config, input)?;
    let bar = Bar { inter_eye_px: infer.inter_eye_px, apart: config.rules.apart };
    Ok(Engine::new(detector, embedder, bar, clock.clone()))
}

fn publishing(
    config: &Config,
    quiet: &BTreeMap<Name, Duration>,
    gallery: &Arc<Current>,
    programme: Arc<Option<Programme>>,
    health: &Arc<Health>,
    clock: &Arc<dyn Clock>,
    acked: Option<Sender<(Uuid, Duration)>>,
) -> publish::Setup {
    let gallery = gallery.clone();
    publish::Setup {
        settings: config.publish.clone(),
        site: config.site.clone(),
        box_name: box_name(),
        data: config.data.clone(),
        quiet: quiet.values().max().copied().unwrap_or_default(),
        visitors: Box::new(move |id: VisitorId| gallery.load().visitor(id).cloned()),
        sessions: Box::new(move |sport: &str, at| match programme.as_ref() {
            Some(programme) => next_sessions(programme, sport, at, SESSIONS).into_iter().map(told).collect(),
            None => Vec::new(),
        }),
        health: health.clone(),
        clock: clock.clone(),
        acked,
    }
}

/// A session as a greeting tells it.
fn told(session: Upcoming) -> payload::Session {
    let (starts, ends) = (session.starts_at(), session.ends_at());
    payload::Session { title: session.title, venue: session.venue, place: session.place, starts, ends }
}

fn pages(
    config: &Config,
    cameras: &BTreeMap<Name, Arc<frame::Camera>>,
    published: &Published,
    token: Secret,
) -> web::WebSettings {
    let screens = published.screens();
    web::WebSettings {
        listen: config.web.listen,
        token,
        site: config.site.clone(),
        gates: config.gates.keys().cloned().collect(),
        cameras: cameras.values().cloned().collect(),
        websocket: match &screens.websocket {
            Some(publish::WebSocket::SameHost(port)) => web::Websocket::Here(*port),
            Some(publish::WebSocket::At(url)) => web::Websocket::At(url.clone()),
            None => web::Websocket::Nowhere,
        },
        screen: screens.login.clone().map(|(user, password)| usher_config::capture::Login { user, password }),
        looks: config.rules.looks,
    }
}

fn figures(gallery: &Arc<Current>, law: &Law, rules: &usher_config::identify::Rules) -> web::Figures {
    let (enrolled, sized, named) = (gallery.clone(), gallery.clone(), gallery.clone());
    let (law, target) = (law.clone(), rules.wrong_greetings);
    web::Figures {
        enrolled: Box::new(move || enrolled.load().len()),
        threshold: Box::new(move || law.threshold(target, sized.load().len()).0),
        promised: target,
        name_of: Box::new(move |id| named.load().visitor(id).map(|visitor| visitor.name.clone())),
    }
}
