//! A camera under test: the product's own thread, and eyes on what it gives.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use usher::{
    capture::{
        self,
        frame::{Camera, Frame, Zone},
        latest::{Latest, Pace, latest},
    },
    clock::SystemClock,
    health::{CameraState, Health},
    supervise::{Beat, Stopper, stop},
};
use usher_config::{
    capture::{Camera as Settings, Source},
    decide::Liveness,
    value::Name,
};

/// How long anything may take that is waited for; generous, since the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(40);

pub(crate) struct WatchedCamera {
    pub(crate) health: Arc<Health>,
    pub(crate) frames: Latest<Frame>,
    name: Name,
    stopper: Option<Stopper>,
    thread: Option<JoinHandle<()>>,
}

pub(crate) fn settings(source: Source) -> Settings {
    Settings {
        source,
        login: None,
        ca: None,
        within: usher_config::reach::private(),
        zone: Vec::new(),
        count: usher_config::count::Count::default(),
        latency: Duration::from_millis(100),
        silence: Duration::from_secs(2),
    }
}

pub(crate) fn camera() -> Arc<Camera> {
    let name = |text| Name::new(text).expect("it is a name");
    Arc::new(Camera {
        name: name("cam"),
        gate: name("gate"),
        zone: Zone::default(),
        liveness: Liveness::Off,
        identifies: true,
    })
}

impl WatchedCamera {
    pub(crate) fn start(settings: &Settings) -> Self {
        let camera = camera();
        let name = camera.name.clone();
        let health = Arc::new(Health::of([name.clone()]));
        let (mut seats, frames) = latest(Pace::Live, [metrics::Counter::noop()]);
        let (stopper, stop) = stop();
        let seat = seats.remove(0);
        let thread =
            capture::start(camera, settings, seat, health.clone(), SystemClock::start(), Beat::default(), stop);
        Self { health, frames, name, stopper: Some(stopper), thread: Some(thread) }
    }

    /// The next `count` frames.
    pub(crate) fn see(&mut self, count: usize) -> Vec<Frame> {
        let begun = Instant::now();
        let mut seen = Vec::new();
        while seen.len() < count {
            assert!(
                begun.elapsed() < DEADLINE,
                "{} of {count} frames came; the camera is {:?}",
                seen.len(),
                self.state()
            );
            seen.extend(self.frames.take(1, Duration::from_millis(50)).expect("the camera's thread lives"));
        }
        seen
    }

    pub(crate) fn state(&self) -> CameraState {
        self.health.cameras()[&self.name].clone()
    }

    /// Waits until the camera is lost, and says why.
    pub(crate) fn lost(&mut self) -> String {
        let begun = Instant::now();
        loop {
            if let CameraState::Lost { reason, .. } = self.state() {
                return reason;
            }
            assert!(begun.elapsed() < DEADLINE, "the camera is still {:?}", self.state());
            let _frames = self.frames.take(1, Duration::from_millis(20));
        }
    }

    /// Stops it and waits for its thread.
    pub(crate) fn stop(&mut self) {
        drop(self.stopper.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the camera's thread ends in order");
        }
    }
}

impl Drop for WatchedCamera {
    fn drop(&mut self) {
        self.stop();
    }
}
