//! How the box is: written by the stages, read by pages, topics and the watchdog.

use crate::{clock::Moment, metrics::DISK_FAILS};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use usher_config::value::Name;

/// How one camera is.
#[derive(Clone, Debug, PartialEq)]
pub enum CameraState {
    /// No frame yet.
    Connecting,
    /// Frames arrive.
    Live,
    /// None do.
    Lost {
        /// Why, in one lower-case sentence without credentials.
        reason: String,
        /// Since when.
        since: Moment,
        /// Reconnections tried since then.
        tries: u32,
    },
}

/// How the broker is.
#[derive(Clone, Debug, PartialEq)]
pub enum BrokerState {
    /// Not yet connected.
    Connecting,
    /// Connected and acknowledging.
    Up,
    /// Away.
    Down {
        /// Why, in one lower-case sentence without credentials.
        reason: String,
    },
}

/// A screen, as it said of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// The gate whose greetings it shows.
    pub gate: Option<Name>,
    /// Which pages it runs.
    pub version: String,
    /// What it shows: `idle`, `greeting`, `notice`.
    pub shows: String,
    /// Width and height, CSS pixels.
    pub size: (u32, u32),
    /// What is wrong there, in sentences.
    pub faults: Vec<String>,
    /// When it was last heard.
    pub seen: Moment,
}

/// A screen that says nothing for this long is away: it speaks every ten seconds.
pub const SILENT: Duration = Duration::from_secs(30);

/// A screen that was away for this long was taken down.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// Screens that are remembered; more than a site has, fewer than a stranger could make up.
const SCREENS: usize = 64;

/// The box's health; locks are held only to copy.
pub struct Health {
    ready: AtomicBool,
    cameras: Mutex<BTreeMap<Name, CameraState>>,
    broker: Mutex<BrokerState>,
    outbox: std::sync::atomic::AtomicU64,
    drift: AtomicBool,
    screens: Mutex<BTreeMap<Name, Screen>>,
    guide: Mutex<Option<String>>,
    flow: Mutex<BTreeMap<&'static str, String>>,
    disk: Mutex<BTreeMap<&'static str, String>>,
    floor: AtomicBool,
    heat: Mutex<Option<String>>,
    config: Mutex<Reloaded>,
}

/// What came of the configuration's last changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Why the file as it is now is not in force: file, line, what is wrong and the mend.
    pub trouble: Option<String>,
    /// What of it waits for a restart: `infer.workers (gate.yaml:12)`.
    pub waiting: Vec<String>,
}

impl Health {
    /// Nothing is ready, every camera connects.
    pub fn of(cameras: impl IntoIterator<Item = Name>) -> Self {
        Self {
            ready: AtomicBool::new(false),
            cameras: Mutex::new(cameras.into_iter().map(|name| (name, CameraState::Connecting)).collect()),
            broker: Mutex::new(BrokerState::Connecting),
            outbox: 0.into(),
            drift: AtomicBool::new(false),
            screens: Mutex::new(BTreeMap::new()),
            guide: Mutex::new(None),
            flow: Mutex::new(BTreeMap::new()),
            disk: Mutex::new(BTreeMap::new()),
            floor: AtomicBool::new(false),
            heat: Mutex::new(None),
            config: Mutex::default(),
        }
    }

    /// Weights checked, networks warmed, gallery and outbox open.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says so.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Every camera's state.
    pub fn cameras(&self) -> BTreeMap<Name, CameraState> {
        self.cameras.lock().expect("no holder of this lock panics").clone()
    }

    /// Sets one camera's state; true when it changed (tries and reasons aside, for logging a change once).
    pub fn set_camera(&self, name: &Name, state: CameraState) -> bool {
        let mut cameras = self.cameras.lock().expect("no holder of this lock panics");
        let kind = std::mem::discriminant(&state);
        let before = cameras.insert(name.clone(), state);
        before.is_none_or(|before| std::mem::discriminant(&before) != kind)
    }

    /// A camera was added: it connects.
    pub fn add_camera(&self, name: &Name) {
        self.cameras.lock().expect("no holder of this lock panics").insert(name.clone(), CameraState::Connecting);
    }

    /// A camera was removed: nothing is told of it any more.
    pub fn forget_camera(&self, name: &Name) {
        self.cameras.lock().expect("no holder of this lock panics").remove(name);
    }

    /// What came of the configuration's last changes.
    pub fn reloaded(&self) -> Reloaded {
        self.config.lock().expect("no holder of this lock panics").clone()
    }

    /// Says so; true where that is news.
    pub fn set_reloaded(&self, reloaded: Reloaded) -> bool {
        let mut config = self.config.lock().expect("no holder of this lock panics");
        let is_news = *config != reloaded;
        *config = reloaded;
        is_news
    }

    /// The broker's state.
    pub fn broker(&self) -> BrokerState {
        self.broker.lock().expect("no holder of this lock panics").clone()
    }

    /// Sets the broker's state; true when it changed.
    pub fn set_broker(&self, state: BrokerState) -> bool {
        let mut broker = self.broker.lock().expect("no holder of this lock panics");
        let changed = std::mem::discriminant(&*broker) != std::mem::discriminant(&state);
        *broker = state;
        changed
    }

    /// Whether strangers come nearer to enrolled people than thresholds allow for.
    pub fn drifts(&self) -> bool {
        self.drift.load(Ordering::Relaxed)
    }

    /// Says so; true when it changed.
    pub fn set_drift(&self, drifts: bool) -> bool {
        self.drift.swap(drifts, Ordering::Relaxed) != drifts
    }

    /// Every screen that was heard in the last day.
    pub fn screens(&self, now: Moment) -> BTreeMap<Name, Screen> {
        let mut screens = self.screens.lock().expect("no holder of this lock panics");
        screens.retain(|_, screen| now.since(screen.seen) < FORGOTTEN);
        screens.clone()
    }

    /// A screen lives; true when it is new or was away.
    pub fn set_screen(&self, name: &Name, screen: Screen) -> bool {
        let mut screens = self.screens.lock().expect("no holder of this lock panics");
        let was_here = screens.get(name).is_some_and(|before| screen.seen.since(before.seen) < SILENT);
        if screens.len() < SCREENS || screens.contains_key(name) {
            screens.insert(name.clone(), screen);
        }
        !was_here
    }

    /// Why a file of the guide is not the newest one, if so.
    pub fn guide(&self) -> Option<String> {
        self.guide.lock().expect("no holder of this lock panics").clone()
    }

    /// Says why a file of the guide is not the newest one.
    pub fn set_guide(&self, trouble: Option<String>) {
        *self.guide.lock().expect("no holder of this lock panics") = trouble;
    }

    /// What is wrong with flow's files, if anything: those it reads, and the record that it keeps.
    pub fn flow(&self) -> Option<String> {
        let parts = self.flow.lock().expect("no holder of this lock panics");
        let all: Vec<&str> = parts.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Says what is wrong with a part of flow's files, or that nothing is; true where that is news.
    pub fn set_flow(&self, part: &'static str, trouble: Option<String>) -> bool {
        let mut parts = self.flow.lock().expect("no holder of this lock panics");
        match trouble {
            Some(trouble) => parts.insert(part, trouble.clone()) != Some(trouble),
            None => parts.remove(part).is_some(),
        }
    }

    /// What cannot be written to the data folder now, and why, by part (`outbox`, `gallery`).
    pub fn disk(&self) -> BTreeMap<&'static str, String> {
        self.disk.lock().expect("no holder of this lock panics").clone()
    }

    /// Says why a part cannot be written to the data folder, or that it can.
    pub fn set_disk(&self, part: &'static str, trouble: Option<String>) {
        metrics::gauge!(DISK_FAILS, "part" => part).set(f64::from(u8::from(trouble.is_some())));
        let mut parts = self.disk.lock().expect("no holder of this lock panics");
        match trouble {
            Some(trouble) => parts.insert(part, trouble),
            None => parts.remove(part),
        };
    }

    /// Whether the time floor is more than a day ahead of the clock.
    pub fn floor_is_far(&self) -> bool {
        self.floor.load(Ordering::Relaxed)
    }

    /// Says so; true when it changed.
    pub fn set_floor_is_far(&self, far: bool) -> bool {
        self.floor.swap(far, Ordering::Relaxed) != far
    }

    /// What heat costs now, if anything.
    pub fn heat(&self) -> Option<String> {
        self.heat.lock().expect("no holder of this lock panics").clone()
    }

    /// Says what heat costs.
    pub fn set_heat(&self, costs: Option<String>) {
        *self.heat.lock().expect("no holder of this lock panics") = costs;
    }

    /// Visits not yet acknowledged.
    pub fn outbox(&self) -> u64 {
        self.outbox.load(Ordering::Relaxed)
    }

    /// Says how many visits are not yet acknowledged.
    pub fn set_outbox(&self, depth: u64) {
        self.outbox.store(depth, Ordering::Relaxed);
    }
}
