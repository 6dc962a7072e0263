//! Whole people who move, for cameras that count without faces.
//!
//! A camera that counts by motion has no network and no templates: a small picture of its luma ([`small`]) is held against
//! what the place looks like without people ([`background`]); what moves is explained by bodies of people's size
//! ([`bodies`], [`stature`]), and these are followed by the same tracker as faces.

pub mod background;
pub mod bodies;
pub mod small;
pub mod stature;
mod watch;

#[cfg(test)]
mod rendered;

pub use watch::{Cameras, run};

use crate::{
    clock::Moment,
    infer::{
        sighting::TrackId,
        track::{Track, TrackIds, Tracker},
    },
};
use background::Background;
use bodies::Bodies;
use small::Small;
use stature::Statures;
use usher_config::count::{Border, Count};
use usher_models::{
    face::Face,
    image::{Rect, View},
};

/// Follows whoever moves in one camera's picture.
pub struct Motion {
    count: Count,
    tracker: Tracker,
    scene: Option<Scene>,
}

struct Scene {
    background: Background,
    bodies: Bodies,
    statures: Statures,
    step: f32,
    last: Moment,
}

/// What one picture told.
#[derive(Default)]
pub struct Moved {
    /// Everybody in it, camera pixels.
    pub people: Vec<(TrackId, Rect)>,
    /// Whoever was given up.
    pub left: Vec<Track>,
}

impl Motion {
    /// For a camera that counts like this; tracks are numbered by `ids`.
    pub fn new(count: Count, ids: TrackIds) -> Self {
        Self { count, tracker: Tracker::of_bodies(ids), scene: None }
    }

    /// Takes in the picture taken at `taken`.
    pub fn see(&mut self, view: &View<'_>, taken: Moment) -> Moved {
        Small::of(view).map(|small| self.look(&small, taken)).unwrap_or_default()
    }

    /// The same of a small picture.
    pub fn look(&mut self, small: &Small, taken: Moment) -> Moved {
        let scene = match &mut self.scene {
            Some(scene) if scene.background.fits(small) => scene,
            other => other.insert(Scene::new(&self.count, small, taken)),
        };
        let passed = taken.since(scene.last).as_secs_f32();
        scene.last = taken;
        let mask = scene.background.see(small, passed);
        scene.statures.learn(mask, small.width, small.height);
        let step = scene.step;
        let scaled = |rect: &Rect, by: f32| Rect {
            x: rect.x * by,
            y: rect.y * by,
            width: rect.width * by,
            height: rect.height * by,
        };
        let found = match scene.statures.now() {
            Some(stature) => {
                let foreseen: Vec<Rect> =
                    self.tracker.foreseen(taken).iter().map(|rect| scaled(rect, 1.0 / step)).collect();
                scene.bodies.find(mask, &stature, &foreseen)
            }
            None => Vec::new(),
        };
        // The tracker is the one of faces: a body is a box without landmarks.
        let body = |rect: &Rect| {
            let rect = scaled(rect, step);
            Face { rect, landmarks: [rect.centre(); 5], confidence: 1.0 }
        };
        let bodies: Vec<Face> = found.iter().map(body).collect();
        let left = self.tracker.follow(&bodies, taken);
        let left = left.into_iter().filter(Track::is_believed).collect();
        let seen = self.tracker.seen_at(taken).filter(|track| track.is_believed());
        Moved { people: seen.map(|track| (track.id, track.face.rect)).collect(), left }
    }

    /// Gives everybody up whom no frame has shown for long by `now`.
    pub fn expire(&mut self, now: Moment) -> Vec<Track> {
        self.tracker.expire(now).into_iter().filter(Track::is_believed).collect()
    }
}

impl Scene {
    fn new(count: &Count, small: &Small, taken: Moment) -> Self {
        let height = small.height as f32;
        let place = match &count.border {
            Border::Line { ends: [a, b], .. } => (a[1] + b[1]) / 2.0,
            Border::Zone { corners, .. } => corners.iter().map(|corner| corner[1]).sum::<f32>() / corners.len() as f32,
            Border::Picture => 0.5,
        };
        Self {
            background: Background::new(small),
            bodies: Bodies::new(small.width, small.height),
            statures: Statures::new(count.person.map(|person| (place * height, person * height))),
            step: small.step as f32,
            last: taken,
        }
    }
}
