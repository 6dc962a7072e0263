//! The thread that follows people by motion.

use crate::{
    capture::{frame::Frame, latest::Latest},
    clock::Clock,
    flow::count::motion::{Motion, follow::Gone},
    in_force::{Follower, InForce},
    infer::{
        Outlets,
        engine::Round,
        sighting::Left,
        track::TrackIds,
        watched::{Person, Watched},
    },
    metrics::{ANALYSED, BEYOND_RATE, STAGE_SECONDS},
    supervise::Beat,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use usher_config::{
    Config,
    count::{By, Count},
    value::Name,
};

/// How long to wait for a frame before looking after the tracks of silent cameras.
const PATIENCE: Duration = Duration::from_millis(200);
/// Frames taken at a time: each camera's newest.
const AT_ONCE: usize = 8;
/// Tracks of bodies are numbered from here, apart from those of faces.
const NUMBERS: u64 = 1 << 40;

/// The cameras that count by motion.
pub struct Cameras {
    cameras: BTreeMap<Name, Watching>,
    /// Least time between two frames of a camera.
    period: Duration,
    ids: TrackIds,
    following: Option<Follower>,
}

struct Watching {
    count: Count,
    motion: Motion,
    /// The camera's last frame, which tells who it is.
    last: Option<Arc<crate::capture::frame::Camera>>,
    due: Duration,
}

impl Cameras {
    /// Those of `config`.
    pub fn of(config: &Config) -> Self {
        let ids = TrackIds::beginning(NUMBERS);
        let mut cameras = Self { cameras: BTreeMap::new(), period: Duration::ZERO, ids, following: None };
        cameras.set(config);
        cameras
    }

    /// Those in force.
    pub fn in_force(in_force: &Arc<InForce>) -> Self {
        let follower = in_force.follow("motion");
        Self { following: Some(follower), ..Self::of(&in_force.load().config) }
    }

    /// A camera that counts as before goes on with whom it follows; another begins anew.
    fn set(&mut self, config: &Config) {
        self.period = Duration::from_secs(1) / config.infer.analysed_fps.max(1);
        let mut before = std::mem::take(&mut self.cameras);
        for (name, camera) in config.cameras.iter().filter(|(_, camera)| camera.count.by == By::Motion) {
            let kept = before.remove(name).filter(|kept| kept.count == camera.count);
            let watching = kept.unwrap_or_else(|| {
                let (count, ids) = (camera.count.clone(), self.ids.clone());
                Watching { motion: Motion::new(count.clone(), ids), count, last: None, due: Duration::ZERO }
            });
            self.cameras.insert(name.clone(), watching);
        }
    }

    /// Takes up what was put in force.
    fn take_up(&mut self) {
        if let Some(now) = self.following.as_mut().and_then(Follower::news) {
            self.set(&now.config);
        }
    }

    /// The frame's camera as it is in force; `None` where it was removed.
    fn camera_now(&self, frame: &Frame) -> Option<Arc<crate::capture::frame::Camera>> {
        let Some(following) = &self.following else { return Some(frame.camera.clone()) };
        following.camera(&frame.camera.name).cloned()
    }

    /// Looks at one frame; what is beyond the camera's rate is let go.
    pub fn see(&mut self, frame: Frame, clock: &dyn Clock) -> Round {
        let mut round = Round::default();
        let begun = clock.now();
        let Some(camera) = self.camera_now(&frame) else { return round };
        let frame = Frame { camera: camera.clone(), ..frame };
        let Some(watching) = self.cameras.get_mut(&camera.name) else { return round };
        let taken = frame.taken;
        if taken.steady + self.period / 2 < watching.due {
            metrics::counter!(BEYOND_RATE, "camera" => camera.name.to_string()).increment(1);
            return round;
        }
        watching.due = (watching.due + self.period).max(taken.steady);
        watching.last = Some(camera.clone());
        let moved = watching.motion.see(&frame.picture.view(), taken);
        metrics::counter!(ANALYSED, "camera" => camera.name.to_string()).increment(1);
        round.left.extend(moved.left.iter().map(|gone| left(&camera, gone)));
        let person = |(track, rect): &(_, usher_models::image::Rect)| Person {
            track: *track,
            rect: *rect,
            face: usher_models::face::Face { rect: *rect, landmarks: [rect.centre(); 5], confidence: 1.0 },
            quality: None,
            in_zone: false,
            looks: 0,
        };
        let people = moved.people.iter().map(person).collect();
        let done = clock.now();
        metrics::histogram!(STAGE_SECONDS, "stage" => "motion").record(done.since(begun).as_secs_f64());
        round.watched.push(Watched { frame: Arc::new(frame), people, analysed: true, done });
        round
    }

    /// Gives up whoever no frame has shown for long.
    pub fn expire(&mut self, clock: &dyn Clock) -> Round {
        let (mut round, now) = (Round::default(), clock.now());
        for watching in self.cameras.values_mut() {
            let Some(camera) = &watching.last else { continue };
            round.left.extend(watching.motion.expire(now).iter().map(|gone| left(camera, gone)));
        }
        round
    }
}

fn left(camera: &Arc<crate::capture::frame::Camera>, gone: &Gone) -> Left {
    Left { camera: camera.clone(), track: gone.id, from: gone.begun, to: gone.seen }
}

/// Runs until every camera is gone and every frame dealt with.
pub fn run(mut cameras: Cameras, mut frames: Latest<Frame>, to: &Outlets, clock: &dyn Clock, beat: &Beat) {
    while let Some(batch) = frames.take(AT_ONCE, PATIENCE) {
        beat.beat();
        cameras.take_up();
        for frame in batch {
            if to.send(cameras.see(frame, clock)).is_err() {
                return;
            }
        }
        if to.send(cameras.expire(clock)).is_err() {
            return;
        }
    }
}
