//! What the engine takes up of a configuration that changes while it runs.

use crate::{
    capture::frame::{Camera, Frame},
    in_force::{InForce, Settings},
    infer::{
        best::Bar,
        engine::{Engine, Round, Scene},
    },
};
use std::sync::Arc;

impl Engine {
    /// Takes up what is put in force, as the stage of this name.
    pub fn follow(&mut self, in_force: &Arc<InForce>, stage: &str) {
        self.following = Some(in_force.follow(stage));
    }

    /// Takes up what was put in force since the last round.
    pub fn news(&mut self) -> Option<Arc<Settings>> {
        let now = self.following.as_mut()?.news()?;
        self.bar = Bar::of(&now.config);
        Some(now)
    }

    /// The frame with its camera as it is in force; `None` where that was removed.
    pub fn in_force(&self, frame: Frame) -> Option<Frame> {
        let Some(following) = &self.following else { return Some(frame) };
        Some(Frame { camera: following.camera(&frame.camera.name)?.clone(), ..frame })
    }

    /// Cameras that were removed are forgotten with their last track.
    pub(super) fn forget_removed(&mut self) {
        if let Some(following) = &self.following {
            self.scenes.retain(|name, scene| following.camera(name).is_some() || !scene.tracker.tracks().is_empty());
        }
    }
}

impl Scene {
    /// The camera may be another than in the last frame: with another zone or line, whoever is followed is followed on. At another
    /// gate, or where nobody is identified any more, they are somebody new.
    pub(super) fn take_up(&mut self, camera: &Arc<Camera>, round: &mut Round) {
        if Arc::ptr_eq(camera, &self.camera) {
            return;
        }
        if camera.gate != self.camera.gate || camera.identifies != self.camera.identifies {
            for ended in self.tracker.end() {
                self.close(&ended, round);
            }
            self.looks.clear();
            self.measured.clear();
        }
        self.camera = camera.clone();
    }
}

#[cfg(test)]
#[path = "taken_up_tests.rs"]
mod tests;
