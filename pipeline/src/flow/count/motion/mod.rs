//! Whole people who move, for cameras that count without faces.
//!
//! A camera that counts by motion has no network and no templates: a small picture of its luma ([`small`]) is held against
//! what the place looks like without people ([`background`]); what moves is explained by bodies ([`bodies`]) of people's size
//! ([`shape`], [`stature`]), and these are followed ([`follow`]) as they walk ([`walk`]).

pub mod background;
pub mod bodies;
pub mod follow;
pub mod shape;
pub mod small;
pub mod stature;
pub mod walk;
mod watch;

#[cfg(test)]
mod rendered;

pub use watch::{Cameras, run};

use crate::{
    clock::Moment,
    infer::{sighting::TrackId, track::TrackIds},
};
use background::Background;
use follow::{Follow, Gone};
use small::Small;
use stature::Statures;
use usher_config::count::{Border, Count};
use usher_models::image::{Rect, View};

/// Follows whoever moves in one camera's picture.
pub struct Motion {
    count: Count,
    ids: TrackIds,
    scene: Option<Scene>,
}

struct Scene {
    background: Background,
    statures: Statures,
    follow: Follow,
    step: f32,
    last: Moment,
}

/// What one picture told.
#[derive(Default)]
pub struct Moved {
    /// Everybody in it, camera pixels.
    pub people: Vec<(TrackId, Rect)>,
    /// Whoever was given up.
    pub left: Vec<Gone>,
}

impl Motion {
    /// For a camera that counts like this; tracks are numbered by `ids`.
    pub fn new(count: Count, ids: TrackIds) -> Self {
        Self { count, ids, scene: None }
    }

    /// Takes in the picture taken at `taken`.
    pub fn see(&mut self, view: &View<'_>, taken: Moment) -> Moved {
        Small::of(view).map(|small| self.look(&small, taken)).unwrap_or_default()
    }

    /// The same of a small picture.
    pub fn look(&mut self, small: &Small, taken: Moment) -> Moved {
        let scene = match &mut self.scene {
            Some(scene) if scene.background.fits(small) => scene,
            other => other.insert(Scene::new(&self.count, small, taken, self.ids.clone())),
        };
        let passed = taken.since(scene.last).as_secs_f32();
        scene.last = taken;
        let mask = scene.background.see(small, passed);
        scene.statures.learn(mask, small.width, small.height);
        let Some(stature) = scene.statures.now() else { return Moved::default() };
        let left = scene.follow.see(small, mask, &stature, taken);
        let step = scene.step;
        let camera = |rect: Rect| Rect {
            x: rect.x * step,
            y: rect.y * step,
            width: rect.width * step,
            height: rect.height * step,
        };
        let people = scene.follow.seen_at(taken).map(|(id, body)| (id, camera(stature.rect(&body)))).collect();
        Moved { people, left }
    }

    /// Gives everybody up whom no frame has shown for long by `now`.
    pub fn expire(&mut self, now: Moment) -> Vec<Gone> {
        self.scene.as_mut().map(|scene| scene.follow.expire(now)).unwrap_or_default()
    }
}

impl Scene {
    fn new(count: &Count, small: &Small, taken: Moment, ids: TrackIds) -> Self {
        let height = small.height as f32;
        let place = match &count.border {
            Border::Line { ends: [a, b], .. } => (a[1] + b[1]) / 2.0,
            Border::Zone { corners, .. } => corners.iter().map(|corner| corner[1]).sum::<f32>() / corners.len() as f32,
            Border::Picture => 0.5,
        };
        Self {
            background: Background::new(small),
            statures: Statures::new(count.person.map(|person| (place * height, person * height))),
            follow: Follow::new(small.width, small.height, ids),
            step: small.step as f32,
            last: taken,
        }
    }
}
