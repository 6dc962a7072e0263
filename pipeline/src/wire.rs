//! The graph: every stage, every channel, in one visible paragraph.
//!
//! Wired from the last stage back to the cameras, so that nothing is ever sent to somebody who is not there yet.

pub mod offline;
mod refused;
mod settings;
mod workers;

pub use refused::StartError;
pub use workers::workers;

use crate::{
    capture::{
        self, frame,
        latest::{self, Pace},
    },
    clock::Clock,
    decide::{
        self,
        quiet::Quiet,
        visit::{Notice, Outcome, Visit},
    },
    flow::{
        board::Board,
        count::{self, Counter, motion},
        desk::desk,
        stage::{self, Stage},
    },
    gallery::{
        current::{self, Current},
        decoder::Decoder,
        key::BoxKey,
        store::Store,
    },
    guide::{self, concierge::Concierge, live::Live},
    health::Health,
    identify::{self, calibration::law_of, passes},
    infer,
    publish::{self, Published, acked::Acked},
    supervise::{Beat, Pulse, Stopper, spawn, stop},
    web::{self, Pages, enrol, mint_token},
};
use crossbeam::channel::{Sender, bounded};
use std::{collections::BTreeMap, os::unix::fs::DirBuilderExt as _, sync::Arc, thread::JoinHandle, time::Duration};
use usher_config::{
    Config,
    count::By,
    decide::Mode,
    value::{Name, Secret},
};

/// Looks and ends of tracks on their way to identify: a few frames of a full gate; pressure still reaches the cameras.
const SIGHTINGS: usize = 64;
/// Frames and people who left, on their way to be counted: seconds of a full gate; counting takes microseconds.
const PASSING: usize = 256;
/// Identifications on their way to decide.
const IDENTIFICATIONS: usize = 64;
/// Passes without a face on their way to decide.
const SHOWN: usize = 8;
/// Frames in which passes are looked for: the next, while one is read.
const PASSES: usize = 1;
/// Visits on their way to disk: a commit takes milliseconds, a struggling disk seconds.
const VISITS: usize = 256;
/// Greetings without a name on their way to the screen: for the moment only, and a gate shows one at a time.
const NOTICES: usize = 8;
/// What the operator's eyes may see late or not at all.
const FOR_EYES: usize = 16;
/// How far visits have come, for the same eyes: as many as the sink has in flight, each stored and acknowledged.
const PROGRESS: usize = 128;

/// Who else listens: the demo and the benches. The gate does not wait for them.
#[derive(Default)]
pub struct Listeners {
    /// Every decided visit.
    pub visits: Option<Sender<Visit>>,
    /// Every acknowledged visit.
    pub acked: Option<Sender<Acked>>,
}

/// A gate, running.
pub struct Gate {
    /// Its state.
    pub health: Arc<Health>,
    /// Where the pages are, with the port that was taken.
    pub pages: std::net::SocketAddr,
    /// Where visitors enrol, with the port that was taken.
    pub station: Option<std::net::SocketAddr>,
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
    live: Arc<Live>,
    prometheus: web::Prometheus,
    clock: &Arc<dyn Clock>,
    listeners: Listeners,
) -> Result<Gate, StartError> {
    let data = &config.data;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|why| StartError::Data { path: data.clone(), why })?;
    let rules = config.rules.clone();
    let cameras = cameras(config);
    let (stopper, stop) = stop();
    let health = Arc::new(Health::of(cameras.keys().cloned()));
    let mut stages = Stages { threads: Vec::new(), pulse: Pulse::default(), now: clock.now().steady };

    // What can fail because of something that a person must mend, comes first.
    let mut workers = workers(config, clock, cameras.len())?;
    let model = workers.first().expect("there is one at least").engine.model();
    let mut store = Store::of(config)?;
    store.note_identification(&config.gates, store.latest(clock.now())?)?;
    let law = law_of(&model, data, &BoxKey::of(config, store.path())?)?;
    let gallery = Current::of(&store, &model, store.latest(clock.now())?)?;
    for worker in &mut workers {
        let gallery = gallery.clone();
        worker.engine.embed_where(Arc::new(move |camera| gallery.awaits_anybody(camera)));
    }

    // publish ◄─256─ decide ◄─64─ identify ◄─64─ infer-1 … infer-n
    let (visits, visits_out) = bounded(VISITS);
    let (notices, notices_out) = bounded::<Notice>(NOTICES);
    let times: BTreeMap<Name, Duration> = config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet)).collect();
    let (progress, progress_out) = bounded(PROGRESS);
    let (address, zone) = (settings::address(config), settings::zone(&live));
    let concierge = Arc::new(Concierge::new(live.clone(), address));
    let beat = stages.beat("guide");
    stages.threads.push(guide::live::watch(&config.guide, live.clone(), health.clone(), None, stop.clone(), beat));
    let board = Arc::new(Board::default());
    let (desk, questions) = desk();
    let told = settings::Told {
        acked: listeners.acked,
        progress: Some(progress),
        kept: Store::of(config)?,
        flow: board.clone(),
        lanes: desk.clone(),
    };
    let setup = settings::publishing(config, &times, &gallery, concierge.clone(), &health, clock, told);
    let published = publish::start(setup, visits_out, notices_out)?;
    for (name, beat) in published.beats() {
        stages.pulse.listen(name, beat, stages.now);
    }
    let beat = stages.beat("gallery");
    stages.threads.push(current::watch(store, clock.clone(), gallery.clone(), health.clone(), stop.clone(), beat));

    let (outcomes, outcomes_out) = bounded::<Outcome>(FOR_EYES);
    let (identifications, identifications_out) = bounded(IDENTIFICATIONS);
    let mut quiet = Quiet::new(times);
    quiet.seed(settings::recent(&published, clock), clock.now());
    let visits = match listeners.visits {
        Some(listener) => overheard(&mut stages, visits, listener),
        None => visits,
    };
    let (shown, shown_out) = bounded(SHOWN);
    let time = clock.clone();
    stages.start("decide", move |beat| {
        decide::run(&identifications_out, &shown_out, &visits, &notices, &outcomes, quiet, &*time, beat);
    });

    let (passes, passes_out) = bounded(PASSES);
    let (own_store, known, time) = (Store::of(config)?, gallery.clone(), clock.clone());
    stages.start("passes", move |beat| passes::run(&passes_out, &shown, own_store, &known, &*time, beat));

    let (sightings, sightings_out) = bounded(SIGHTINGS);
    let (known, asked, own_law, time) = (gallery.clone(), rules.clone(), law.clone(), clock.clone());
    let told = health.clone();
    stages.start("identify", move |beat| {
        identify::run(&sightings_out, &identifications, &known, asked, own_law, &told, &*time, beat);
    });

    let (flow, flow_out) = bounded(PASSING);
    let (counter, time) = (Counter::recorded(config, zone.clone(), clock.now(), &health), clock.clone());
    let tallies = counter.tallies();
    stages.start("count", move |beat| count::run(&flow_out, counter, &*time, beat));
    let joined = settings::joining(config, tallies, zone.clone(), live, &concierge, &health, &board);
    let open = settings::open_lanes(config, Store::of(config)?);
    let stage = Stage::new(stage::Setup { open, ..joined }, clock.now());
    let (time, until) = (clock.clone(), stop.clone());
    stages.start("flow", move |beat| stage::run(stage, &questions, &*time, &until, beat));

    let (watched, watched_out) = bounded(FOR_EYES);
    let outlets = infer::Outlets { sightings, flow, watched, passes };
    // Cameras that count by motion have a thread of their own, and no network: nobody there is compared with anybody.
    let by_motion = |name: &&Name| config.cameras[*name].count.by == By::Motion;
    let (moving, facing): (Vec<&Name>, Vec<&Name>) = cameras.keys().partition(by_motion);
    let seated = |own: &[&Name]| latest::latest(Pace::Live, own.iter().map(|name| latest::passed_over(name)));
    let (mut seats, share) = (BTreeMap::new(), workers.len());
    if !moving.is_empty() {
        let ((own_seats, frames), watching) = (seated(&moving), motion::Cameras::of(config));
        seats.extend(moving.into_iter().zip(own_seats));
        let (outlets, time) = (outlets.clone(), clock.clone());
        stages.start("motion", move |beat| motion::run(watching, frames, &outlets, &*time, beat));
    }
    for (number, worker) in workers.into_iter().enumerate() {
        let own: Vec<&Name> = facing.iter().copied().skip(number).step_by(share).collect();
        if own.is_empty() {
            continue;
        }
        let (own_seats, frames) = seated(&own);
        seats.extend(own.into_iter().zip(own_seats));
        let outlets = outlets.clone();
        stages.start(&format!("infer-{}", number + 1), move |beat| {
            infer::run(worker, frames, &outlets, beat).expect("networks were warmed with these shapes");
        });
    }
    // Whoever listens to infer ends when its workers have.
    drop(outlets);

    let token = mint_token();
    let taps = web::Taps { watched: watched_out, outcomes: outcomes_out, progress: progress_out };
    let settings = settings::pages(config, &cameras, &published, token.clone(), &concierge, zone.clone());
    let figures = settings::figures(&gallery, &law, &rules, settings::flow(board, desk, &concierge));
    let Pages { address, thread } =
        web::start(settings, taps, health.clone(), figures, prometheus, clock.clone(), stop.clone())?;
    stages.threads.push(thread);
    let station = match config.web.enrol {
        None => None,
        Some(_) => {
            let guidance = settings::guidance(&gallery, &concierge);
            let (decoder, beat) = (Decoder::new(&enrol::this_program()), stages.beat("enrol"));
            let around = enrol::Around { clock, health: &health, stop: &stop, beat };
            let station = enrol::start(config, &token, decoder, guidance, around)?;
            station.map(|station| {
                stages.threads.extend(station.threads);
                station.address
            })
        }
    };

    for (name, seat) in seats {
        let camera = &cameras[name];
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
        station,
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

/// The configured cameras, by name.
pub fn cameras(config: &Config) -> BTreeMap<Name, Arc<frame::Camera>> {
    let gate_of = |camera: &Name| config.gates.iter().find(|(_, gate)| gate.cameras.contains(camera));
    let camera = |(name, settings): (&Name, &usher_config::capture::Camera)| {
        let zone = frame::Zone { corners: settings.zone.clone() };
        let (gate, meant) = gate_of(name).expect("the configuration was checked: every camera has a gate");
        let (gate, liveness) = (gate.clone(), meant.liveness);
        let identifies = matches!(meant.mode, Mode::Identification { .. });
        (name.clone(), Arc::new(frame::Camera { name: name.clone(), gate, zone, liveness, identifies }))
    };
    config.cameras.iter().map(camera).collect()
}
