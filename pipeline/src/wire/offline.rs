//! The graph of a recording: one camera, every stage up to the decision, nothing published, stored or greeted.

use crate::{
    capture::{
        fault::Fault,
        frame::{Camera, Frame},
        latest::{Pace, Seat, latest, passed_over},
    },
    clock::{Clock, HandClock},
    decide::{self, quiet::Quiet, visit::Visit},
    gallery::current::Current,
    health::Health,
    identify::{self, threshold::Law},
    infer::{
        self, Worker,
        sighting::{Passing, Probe, Sighting},
    },
    supervise::{Beat, Stop, spawn, stop},
    wire,
};
use crossbeam::channel::{bounded, never};
use std::{collections::BTreeMap, sync::Arc, thread::JoinHandle, time::SystemTime};
use usher_config::{Config, value::Name};
use usher_models::{error::ModelError, image::Size};

/// The same room between stages as in a running gate.
const ROOM: usize = 64;

/// What is heard of a recording while it runs.
pub enum Told {
    /// A frame of this size was dealt with.
    Frame(Size),
    /// A face was embedded.
    Look(Box<Probe>),
    /// Somebody was named.
    Visit(Box<Visit>),
}

/// What a recording held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Frames read.
    pub frames: u64,
    /// People who were followed, enrolled or not.
    pub people: usize,
}

/// Why a recording was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// It cannot be read.
    #[error(transparent)]
    Recording(#[from] Fault),
    /// A network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A bug.
    #[error("the stage `{0}` ended in a panic")]
    Panic(&'static str),
}

/// What a recording is judged by.
pub struct Gate {
    /// Rules and quiet times.
    pub config: Config,
    /// The networks.
    pub worker: Worker,
    /// Who is known.
    pub gallery: Arc<Current>,
    /// How sure a name must be.
    pub law: Law,
}

/// The cameras of recordings, by name. Whatever their gates may do, a recording is replayed to learn what faces tell.
pub fn cameras(config: &Config) -> BTreeMap<Name, Arc<Camera>> {
    let told = |camera: Arc<Camera>| Arc::new(Camera { identifies: true, ..Camera::clone(&camera) });
    wire::cameras(config).into_iter().map(|(name, camera)| (name, told(camera))).collect()
}

/// Runs what `read` seats through the gate, as fast as the machine can; the recording's own time is what counts. `told`
/// hears of all of it, in the order in which the stages are done.
///
/// # Errors
/// [`OfflineError`].
pub fn offline(
    gate: Gate,
    camera: &Camera,
    read: impl FnOnce(Seat<Frame>, Stop) -> JoinHandle<Result<u64, Fault>>,
    mut told: impl FnMut(Told),
) -> Result<Ended, OfflineError> {
    let Gate { config, worker, gallery, law } = gate;
    let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
    let (_stopper, stop) = stop();
    let (mut seats, frames) = latest(Pace::Wait, [passed_over(&camera.name)]);
    let Some(seat) = seats.pop() else { return Err(OfflineError::Panic("capture")) };
    let (telling, hearing) = bounded(ROOM);
    let (sightings, tapped) = bounded(ROOM);
    let (tapping, sightings_out) = bounded(ROOM);
    let (flow, flow_out) = bounded::<Passing>(ROOM);
    let (watched, watched_out) = bounded(ROOM);
    let (identifications, identifications_out) = bounded(ROOM);
    let (visits, visits_out) = bounded::<Visit>(ROOM);
    let ((outcomes, _for_nobodys_eyes), (notices, _for_no_screen)) = (bounded(1), bounded(1));

    let quiet = Quiet::new(config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet)));
    let tell = telling.clone();
    let visiting = spawn("visits", move || {
        visits_out.iter().for_each(|visit| drop(tell.send(Told::Visit(Box::new(visit)))));
    });
    let time = still.clone();
    let deciding = spawn("decide", move || {
        decide::run(&identifications_out, &never(), &visits, &notices, &outcomes, quiet, &*time, &Beat::default());
    });
    let rules = config.rules.clone();
    let identifying = spawn("identify", move || {
        identify::run(
            &sightings_out,
            &identifications,
            &gallery,
            rules,
            law,
            &Health::of([]),
            &*still,
            &Beat::default(),
        );
    });
    let tell = telling.clone();
    let tap = spawn("tap", move || {
        for sighting in &tapped {
            if let Sighting::Look(probe) = &sighting {
                drop(tell.send(Told::Look(probe.clone())));
            }
            if tapping.send(sighting).is_err() {
                return;
            }
        }
    });
    let counting = spawn("flow", move || flow_out.iter().filter(|passing| matches!(passing, Passing::Left(_))).count());
    // Recordings are replayed to judge what faces tell; nobody reads the passes in them.
    let (passes, _) = bounded(1);
    let outlets = infer::Outlets { sightings, flow, watched, passes };
    let inferring = spawn("infer", move || infer::run(worker, frames, &outlets, &Beat::default()));
    let reading = read(seat, stop);
    let watching = spawn("frames", move || {
        watched_out.iter().for_each(|watched| drop(telling.send(Told::Frame(watched.frame.picture.size()))));
    });

    hearing.iter().for_each(&mut told);
    let frames = reading.join().map_err(|_| OfflineError::Panic("capture"))??;
    inferring.join().map_err(|_| OfflineError::Panic("infer"))??;
    for (name, stage) in
        [("identify", identifying), ("decide", deciding), ("visits", visiting), ("tap", tap), ("frames", watching)]
    {
        stage.join().map_err(|_| OfflineError::Panic(name))?;
    }
    let people = counting.join().map_err(|_| OfflineError::Panic("flow"))?;
    Ok(Ended { frames, people })
}
