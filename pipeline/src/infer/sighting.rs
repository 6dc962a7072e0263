//! What infer hands on: a look at somebody, or that somebody is gone.

use crate::{capture::frame::Camera, clock::Moment};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use usher_models::{
    image::{Rect, Size},
    liveness::Live,
    quality::Quality,
    template::Template,
};

/// One person's way through one camera's picture; unique while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct TrackId(pub u64);

/// One look at one tracked face.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// Which track.
    pub track: TrackId,
    /// When the frame arrived.
    pub taken: Moment,
    /// The stream's own time of the frame.
    pub pts: Duration,
    /// The face in frame pixels.
    pub rect: Rect,
    /// Its numbers.
    pub template: Template,
    /// When they were made.
    pub embedded: Moment,
    /// How good a look it is.
    pub quality: Quality,
    /// The picture to show should this person be welcomed.
    pub portrait: Portrait,
    /// Where identify says that this track needs no further look.
    pub settled: Settled,
}

/// What identify says back about a track. It travels with every look, so that whoever says it need not know who asks.
/// Once a name is settled the face is followed and no longer embedded; once somebody claims the track, and the gate wants
/// it, its looks are judged for liveness.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    settled: Arc<AtomicBool>,
    claimed: Arc<AtomicBool>,
}

impl Settled {
    /// No further look can change what was decided.
    pub fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Whether it was said.
    pub fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Somebody enrolled leads this track at or above the threshold, at a gate that wants liveness judged.
    pub fn claim(&self) {
        self.claimed.store(true, Ordering::Relaxed);
    }

    /// Whether that was said.
    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Relaxed)
    }
}

/// What later stages learn about a track.
#[derive(Clone, Debug)]
pub enum Sighting {
    /// One look.
    Look(Box<Probe>),
    /// Somebody whose name is settled is still there; nothing was embedded.
    Seen {
        /// Which track.
        track: TrackId,
        /// When the frame arrived.
        taken: Moment,
        /// The face in frame pixels.
        rect: Rect,
    },
    /// How live a claimed track seems at one moment.
    Live {
        /// Which track.
        track: TrackId,
        /// When the frame arrived.
        taken: Moment,
        /// How live.
        live: Live,
    },
    /// The track has ended.
    Gone {
        /// Which camera.
        camera: Arc<Camera>,
        /// Which track.
        track: TrackId,
        /// When it was last seen.
        at: Moment,
    },
}

/// Somebody has left a camera's picture: for counting, enrolled or not. Holds no picture and no template.
#[derive(Clone, Debug)]
pub struct Left {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// Which track.
    pub track: TrackId,
    /// First seen.
    pub from: Moment,
    /// Last seen.
    pub to: Moment,
}

/// Everybody followed in one frame of a camera, enrolled or not; nobody, too. Holds no picture and no template.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Which camera.
    pub camera: Arc<Camera>,
    /// When the frame arrived.
    pub taken: Moment,
    /// The frame's size.
    pub size: Size,
    /// Faces, or bodies where the camera counts by motion: frame pixels.
    pub people: Vec<(TrackId, Rect)>,
}

/// What flow hears: of each frame that was looked at, and of whoever has left.
#[derive(Clone, Debug)]
pub enum Passing {
    /// A frame was looked at.
    Tracked(Tracked),
    /// Somebody has left.
    Left(Left),
}

/// A small live picture of one face; kept in memory only, dropped with whoever is not welcomed.
#[derive(Clone, Default)]
pub struct Portrait {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Interleaved R, G, B; shared, since it travels with the best look.
    pub rgb: Arc<[u8]>,
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Portrait({}x{}, …)", self.width, self.height)
    }
}
