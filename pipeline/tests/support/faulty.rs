//! Faults of cameras, played at random, and how soon each was noticed and mended.

use crate::{
    camera_process::{CameraProcess, Stream},
    watch,
    watched::WatchedCamera,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use std::time::{Duration, Instant};
use usher::health::CameraState;

/// What a camera that stands still may take to be noticed: `silence`, and a look around.
const NOTICED: Duration = Duration::from_millis(2250);
/// Half of all cameras, and all but one of a hundred, give pictures again so long after they could.
const BACK: [(f64, Duration); 2] = [(0.5, Duration::from_secs(2)), (0.99, Duration::from_secs(5))];
/// Whoever judges by time needs a machine to itself and more than a few faults.
const MANY: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Connected, sends nothing.
    Silent,
    /// Its process stands still.
    Frozen,
    /// Its process is gone, and starts again.
    Killed,
}

/// One fault, as it went.
#[derive(Clone, Copy, Debug)]
struct Episode {
    fault: Fault,
    /// From the fault to the loss.
    noticed: Duration,
    /// From when the camera could give pictures to the first one.
    back: Duration,
}

pub(crate) struct Figures(Vec<Episode>);

/// Plays `faults`, at several cameras at once.
pub(crate) fn played(faults: usize, at_once: usize) -> Figures {
    let cameras: Vec<_> = (0..at_once)
        .map(|number| {
            let own = (number..faults).step_by(at_once);
            std::thread::spawn(move || own.map(|which| (which as u64, KINDS[which % 3])).map(play).collect::<Vec<_>>())
        })
        .collect();
    Figures(cameras.into_iter().flat_map(|camera| camera.join().expect("no fault goes unnoticed")).collect())
}

const KINDS: [Fault; 3] = [Fault::Silent, Fault::Frozen, Fault::Killed];

fn play((seed, fault): (u64, Fault)) -> Episode {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut camera = CameraProcess::start(None, &Stream::h264());
    let mut watched = watch(&camera);
    watched.see(chance.random_range(3..30));
    let port = camera.port();
    let begun = Instant::now();
    let standing = match fault {
        Fault::Silent => {
            camera.fall_silent();
            Some(camera)
        }
        Fault::Frozen => {
            camera.freeze();
            Some(camera)
        }
        Fault::Killed => {
            drop(camera);
            None
        }
    };
    watched.lost();
    let noticed = begun.elapsed();
    // Another try may be under way, or a wait; frames that were on their way are let go.
    let until = Instant::now() + Duration::from_millis(chance.random_range(0..12_000));
    while Instant::now() < until {
        let _late = watched.frames.take(1, Duration::from_millis(20));
    }
    let _returned = match standing {
        None => CameraProcess::start(Some(port), &Stream::h264()),
        Some(mut camera) => {
            camera.thaw();
            camera.speak();
            camera
        }
    };
    let could = Instant::now();
    live(&mut watched);
    Episode { fault, noticed, back: could.elapsed() }
}

/// The first frame that follows.
fn live(watched: &mut WatchedCamera) {
    watched.see(1);
    while watched.state() != CameraState::Live {
        watched.see(1);
    }
}

impl Figures {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    fn of(&self, fault: Fault) -> Vec<Episode> {
        self.0.iter().copied().filter(|episode| episode.fault == fault).collect()
    }

    /// `share` of all were back so soon.
    fn back(&self, share: f64) -> Duration {
        let mut all: Vec<Duration> = self.0.iter().map(|episode| episode.back).collect();
        all.sort();
        all[((all.len() as f64 * share).ceil() as usize).clamp(1, all.len()) - 1]
    }

    fn longest(&self, fault: Fault) -> Duration {
        self.of(fault).iter().map(|episode| episode.noticed).max().unwrap_or_default()
    }

    /// One line of JSON; seconds.
    pub(crate) fn line(&self) -> String {
        let late = self.0.iter().filter(|episode| episode.fault != Fault::Killed && episode.noticed > NOTICED).count();
        json!({
            "soak": "cameras", "faults": self.0.len(), "noticed_late": late,
            "noticed_at_most_s": {
                "silent": self.longest(Fault::Silent).as_secs_f64(),
                "frozen": self.longest(Fault::Frozen).as_secs_f64(),
                "killed": self.longest(Fault::Killed).as_secs_f64(),
            },
            "back_p50_s": self.back(0.5).as_secs_f64(), "back_p99_s": self.back(0.99).as_secs_f64(),
        })
        .to_string()
    }

    /// The promises, where enough was played to judge them; a few faults on a busy machine only have to end well.
    pub(crate) fn hold(&self) {
        if self.0.len() < MANY {
            return;
        }
        for fault in [Fault::Silent, Fault::Frozen] {
            assert!(self.longest(fault) <= NOTICED, "{fault:?}: noticed after {:?}", self.longest(fault));
        }
        for (share, most) in BACK {
            assert!(self.back(share) <= most, "{share} of all were back within {:?}", self.back(share));
        }
    }
}
