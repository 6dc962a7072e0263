//! The cameras' threads, each with a stop of its own, so that one comes or goes and the others notice nothing.

use crate::{
    capture::{
        self,
        frame::{Camera, Frame},
        latest::{Latest, Pace, Seats, passed_over, room},
    },
    clock::Clock,
    health::Health,
    in_force::Settings,
    supervise::{Beat, Pulse, Stop, Stopper, stop},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    thread::JoinHandle,
    time::Duration,
};
use usher_config::{count::By, value::Name};

/// How often it is looked whether a thread has ended.
const GLANCE: Duration = Duration::from_millis(20);

/// Where cameras sit: with a worker of infer, or with those that count by motion, which have a thread of their own and no network:
/// nobody there is compared with anybody.
pub(super) struct Rooms {
    faces: Vec<Seats<Frame>>,
    motion: Seats<Frame>,
}

/// What reads the seats.
pub(super) struct Readers {
    /// One for each worker.
    pub(super) faces: Vec<Latest<Frame>>,
    pub(super) motion: Latest<Frame>,
}

/// Rooms for so many workers, and for motion.
pub(super) fn rooms(workers: usize) -> (Rooms, Readers) {
    let (faces, readers) = (0..workers).map(|_| room(Pace::Live)).unzip();
    let (motion, moving) = room(Pace::Live);
    (Rooms { faces, motion }, Readers { faces: readers, motion: moving })
}

/// Every camera's thread. Shared by the gate, which watches over them, and by whoever adds and removes them.
pub(super) struct Cameras {
    held: Mutex<Held>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
}

struct Held {
    /// `None` once stopping: nobody is seated any more.
    rooms: Option<Rooms>,
    running: BTreeMap<Name, Running>,
    pulse: Pulse,
}

struct Running {
    stopper: Stopper,
    thread: JoinHandle<()>,
    /// The worker that reads it; none where it counts by motion.
    worker: Option<usize>,
}

impl Cameras {
    pub(super) fn new(rooms: Rooms, health: Arc<Health>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let held = Held { rooms: Some(rooms), running: BTreeMap::new(), pulse: Pulse::default() };
        Arc::new(Self { held: Mutex::new(held), health, clock })
    }

    /// Starts the threads of these cameras, with the workers that have fewest.
    pub(super) fn start<'a>(&self, names: impl Iterator<Item = &'a Name>, settings: &Settings) {
        let held = &mut *self.lock();
        for name in names {
            let Some(rooms) = &held.rooms else { return };
            let (camera, own) = (&settings.cameras[name], &settings.config.cameras[name]);
            let worker = (own.count.by != By::Motion).then(|| held.freest(rooms.faces.len()));
            let seats = worker.map_or(&rooms.motion, |worker| &rooms.faces[worker]);
            let (seat, (stopper, stop), beat) = (seats.seat(passed_over(name)), stop(), Beat::default());
            held.pulse.listen(thread_of(camera), beat.clone(), self.clock.now().steady);
            self.health.add_camera(name);
            let (health, clock) = (self.health.clone(), self.clock.clone());
            let thread = capture::start(camera.clone(), own, seat, health, clock, beat, stop);
            held.running.insert(name.clone(), Running { stopper, thread, worker });
        }
    }

    /// Ends the threads of these cameras; returns when their connections are closed, `beat` telling meanwhile that this is no
    /// hanging.
    pub(super) fn end<'a>(&self, names: impl Iterator<Item = &'a Name>, stop: &Stop, beat: &Beat) {
        let ended: Vec<Running> = {
            let held = &mut *self.lock();
            let end = |name: &Name| {
                held.pulse.forget(&format!("cam-{name}"));
                held.running.remove(name)
            };
            names.filter_map(end).collect()
        };
        let (stoppers, threads): (Vec<_>, Vec<_>) =
            ended.into_iter().map(|running| (running.stopper, running.thread)).unzip();
        drop(stoppers);
        for thread in threads {
            // A pipeline may take a while to come down; that is no reason to end the gate.
            while !thread.is_finished() && !stop.wait(GLANCE) {
                beat.beat();
            }
            // A thread that panicked has aborted the process already.
            let _ended = thread.join();
        }
    }

    /// How many cameras the workers read.
    pub(super) fn seated(&self) -> usize {
        self.lock().running.values().filter(|running| running.worker.is_some()).count()
    }

    /// The threads that hang at steady time `now`.
    pub(super) fn hanging(&self, now: Duration) -> Vec<String> {
        self.lock().pulse.hanging(now)
    }

    /// A thread that has ended unasked.
    pub(super) fn ended(&self) -> Option<String> {
        let held = self.lock();
        held.running.iter().find(|(_, running)| running.thread.is_finished()).map(|(name, _)| format!("cam-{name}"))
    }

    /// Ends all threads, and with them what reads the seats.
    pub(super) fn stop(&self) {
        let running = {
            let mut held = self.lock();
            held.rooms = None;
            std::mem::take(&mut held.running)
        };
        let (stoppers, threads): (Vec<_>, Vec<_>) =
            running.into_values().map(|running| (running.stopper, running.thread)).unzip();
        drop(stoppers);
        for thread in threads {
            let _ended = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no holder of this lock panics")
    }
}

impl Held {
    /// The worker with the fewest cameras, the first of several.
    fn freest(&self, workers: usize) -> usize {
        let cameras = |worker: usize| self.running.values().filter(|running| running.worker == Some(worker)).count();
        (0..workers).min_by_key(|worker| cameras(*worker)).expect("there is one worker at least")
    }
}

fn thread_of(camera: &Camera) -> String {
    format!("cam-{}", camera.name)
}
