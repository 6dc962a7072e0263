//! The graph: every stage, every channel, in one visible paragraph.
//!
//! Wired from the last stage back to the cameras, so that nothing is ever sent to somebody who is not there yet.

pub mod offline;

mod cameras;
mod difference;
mod error;
mod gate;
mod reload;
mod settings;
mod stages;
mod workers;

pub use crate::in_force::cameras;
pub use error::StartError;
pub use gate::{Gate, Trouble};
pub use workers::workers;

use crate::{
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
    identify::{self, Asked, calibration::law_of, passes},
    in_force::InForce,
    infer::{self, heat},
    publish::{self, acked::Acked},
    supervise::{spawn, stop},
    web::{self, Pages, enrol, mint_token},
};
use cameras::Cameras;
use crossbeam::channel::{Sender, bounded};
use reload::Reloader;
use stages::Stages;
use std::{os::unix::fs::DirBuilderExt as _, sync::Arc};
use usher_config::{Config, decide::Liveness};

/// Looks and ends of tracks on their way to identify: a few frames of a full gate; pressure still reaches the cameras.
pub const SIGHTINGS: usize = 64;
/// Frames and people who left, on their way to be counted: seconds of a full gate; counting takes microseconds.
const PASSING: usize = 256;
/// Identifications on their way to decide.
pub const IDENTIFICATIONS: usize = 64;
/// Passes without a face on their way to decide.
pub const SHOWN: usize = 8;
/// Frames in which passes are looked for: the next, while one is read.
const PASSES: usize = 1;
/// Visits on their way to disk: a commit takes milliseconds, a struggling disk seconds.
pub const VISITS: usize = 256;
/// Greetings without a name on their way to the screen: for the moment only, and a gate shows one at a time.
pub const NOTICES: usize = 8;
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
    let (stopper, stop) = stop();
    let health = Arc::new(Health::of(config.cameras.keys().cloned()));
    let mut stages = Stages::at(clock.now().steady);
    let in_force = InForce::of(config);

    // What can fail because of something that a person must mend, comes first.
    let mut workers = workers(config, clock, config.cameras.len())?;
    let model = workers.first().expect("there is one at least").engine.model();
    let mut store = Store::of(config)?;
    store.note_identification(&config.gates, store.latest(clock.now())?)?;
    let law = law_of(&model, data, &BoxKey::of(config, store.path())?)?;
    let gallery = Current::of(&store, &model, store.latest(clock.now())?)?;
    let open = (workers.len(), workers::most(config)?);
    let share = Arc::<heat::Share>::default();
    for (number, worker) in workers.iter_mut().enumerate() {
        let gallery = gallery.clone();
        worker.engine.follow(&in_force, &format!("infer-{}", number + 1));
        worker.turns.follow(share.clone());
        worker.engine.embed_where(Arc::new(move |camera| gallery.awaits_anybody(camera)));
    }

    // publish ◄─256─ decide ◄─64─ identify ◄─64─ infer-1 … infer-n
    let (visits, visits_out) = bounded(VISITS);
    let (notices, notices_out) = bounded::<Notice>(NOTICES);
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
    let setup = settings::publishing(config, &gallery, concierge.clone(), &health, clock, told);
    let published = publish::start(setup, visits_out, notices_out)?;
    for (name, beat) in published.beats() {
        stages.listen(name, beat);
    }
    let beat = stages.beat("heat");
    stages.threads.push(heat::watch("/sys".into(), share, health.clone(), stop.clone(), beat));
    let beat = stages.beat("gallery");
    stages.threads.push(current::watch(store, clock.clone(), gallery.clone(), health.clone(), stop.clone(), beat));

    let (outcomes, outcomes_out) = bounded::<Outcome>(FOR_EYES);
    let (identifications, identifications_out) = bounded(IDENTIFICATIONS);
    let mut quiet = Quiet::in_force(&in_force);
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
    let (known, asked, own_law, time) = (gallery.clone(), Asked::from(&in_force), law.clone(), clock.clone());
    let told = health.clone();
    stages.start("identify", move |beat| {
        identify::run(&sightings_out, &identifications, &known, asked, own_law, &told, &*time, beat);
    });

    let (flow, flow_out) = bounded(PASSING);
    let counter = Counter::recorded(config, zone.clone(), clock.now(), &health).following(&in_force);
    let time = clock.clone();
    let tallies = counter.tallies();
    stages.start("count", move |beat| count::run(&flow_out, counter, &*time, beat));
    let joined = settings::joining(config, tallies, zone.clone(), live, &concierge, &health, &board);
    let lanes = settings::open_lanes(config, Store::of(config)?);
    let stage = Stage::new(stage::Setup { open: lanes, ..joined }, clock.now()).following(&in_force);
    let (time, until) = (clock.clone(), stop.clone());
    stages.start("flow", move |beat| stage::run(stage, &questions, &*time, &until, beat));

    let (watched, watched_out) = bounded(FOR_EYES);
    let outlets = infer::Outlets { sightings, flow, watched, passes };
    let (rooms, readers) = cameras::rooms(workers.len());
    let (outlets_of_motion, time, watching) = (outlets.clone(), clock.clone(), motion::Cameras::in_force(&in_force));
    stages.start("motion", move |beat| motion::run(watching, readers.motion, &outlets_of_motion, &*time, beat));
    for (number, (worker, frames)) in workers.into_iter().zip(readers.faces).enumerate() {
        let outlets = outlets.clone();
        stages.start(&format!("infer-{}", number + 1), move |beat| {
            infer::run(worker, frames, &outlets, beat).expect("networks were warmed with these shapes");
        });
    }
    // Whoever listens to infer ends when its workers have.
    drop(outlets);

    let token = mint_token();
    let taps = web::Taps { watched: watched_out, outcomes: outcomes_out, progress: progress_out };
    let settings = settings::pages(&in_force.load(), &published, token.clone(), &concierge, zone.clone());
    let figures = settings::figures(&gallery, &law, &in_force, settings::flow(board, desk, &concierge));
    let prometheus = settings::told_of(prometheus, &in_force);
    let Pages { address, thread, frame } =
        web::start(settings, taps, health.clone(), figures, prometheus, clock.clone(), stop.clone())?;
    stages.threads.push(thread);
    let (mut station, mut offers) = (None, None);
    if config.web.enrol.is_some() {
        let guidance = settings::guidance(&gallery, &concierge);
        let (decoder, beat) = (Decoder::new(&enrol::this_program()), stages.beat("enrol"));
        let around = enrol::Around { clock, health: &health, stop: &stop, beat };
        if let Some(started) = enrol::start(config, &token, decoder, guidance, around)? {
            stages.threads.extend(started.threads);
            (station, offers) = (Some(started.address), Some(started.offers));
        }
    }

    let cameras = Cameras::new(rooms, health.clone(), clock.clone());
    cameras.start(config.cameras.keys(), &in_force.load());
    let reloader = Reloader {
        in_force,
        cameras: cameras.clone(),
        health: health.clone(),
        reins: published.reins(),
        pages: frame,
        offers,
        store: Store::of(config)?,
        clock: clock.clone(),
        workers: open,
        judges: config.gates.values().any(|gate| gate.liveness != Liveness::Off),
    };
    health.set_ready();
    Ok(Gate {
        health,
        pages: address,
        station,
        token,
        broker: published.listens(),
        gallery,
        stopper,
        stop,
        pulse: stages.pulse,
        threads: stages.threads,
        cameras,
        published,
        reloader: Some(reloader),
    })
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
