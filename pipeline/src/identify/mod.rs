//! Identify: sightings to identifications.

pub mod calibration;
pub mod checks;
pub mod drift;
pub mod evidence;
pub mod identification;
pub mod liveness;
pub mod passes;
pub mod reasons;
pub mod threshold;
pub mod tracks;

mod asked;

pub use asked::Asked;

use crate::{
    clock::{Clock, Moment},
    gallery::current::Current,
    health::Health,
    identify::{identification::Identification, threshold::Law, tracks::Tracks},
    infer::sighting::Sighting,
    metrics::{STAGE_SECONDS, STRANGERS_NEAR},
    supervise::Beat,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// How long to wait for a sighting before beating anyway and ending tracks that nobody sees any more.
pub const IDLE: Duration = Duration::from_millis(500);

/// How much time passes between two searches for tracks that nobody sees any more, while work comes in.
const SWEEP: Duration = Duration::from_secs(1);

/// Turns sightings into identifications until `sightings` or `identifications` closes. Sends when a verdict changes and
/// when a track ends; waits where the next stage is slower. Ends early only when nobody listens any more. `health` is told
/// when strangers have come nearer to the enrolled than they should. `rules` hold as they are, or as they are in force: see [`Asked`].
#[expect(clippy::too_many_arguments, reason = "what a stage works with; wired in one place")]
pub fn run(
    sightings: &Receiver<Sighting>,
    identifications: &Sender<Identification>,
    gallery: &Current,
    rules: impl Into<Asked>,
    law: Law,
    health: &Health,
    clock: &dyn Clock,
    beat: &Beat,
) {
    let mut identifier = Identifier::new(rules, law, clock.now());
    loop {
        beat.beat();
        let sighting = match sightings.recv_timeout(IDLE) {
            Ok(sighting) => Some(sighting),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for identification in identifier.step(sighting, gallery, health, clock) {
            if identifications.send(identification).is_err() {
                return;
            }
        }
    }
}

/// What identify keeps, and its one step; without thread and channels, so that the simulator drives what the gate runs.
pub struct Identifier {
    asked: Asked,
    tracks: Tracks,
    swept: Moment,
}

impl Identifier {
    /// No tracks yet.
    pub fn new(rules: impl Into<Asked>, law: Law, now: Moment) -> Self {
        let asked: Asked = rules.into();
        Self { tracks: Tracks::new(asked.rules(), law), asked, swept: now }
    }

    /// Tracks remembered now.
    pub fn tracks(&self) -> usize {
        self.tracks.len()
    }

    /// Takes in one sighting, or that none came for a while; what came of it, in order.
    pub fn step(
        &mut self,
        sighting: Option<Sighting>,
        gallery: &Current,
        health: &Health,
        clock: &dyn Clock,
    ) -> Vec<Identification> {
        let begun = clock.now();
        if let Some(now) = self.asked.news() {
            self.tracks.take_up(now.config.rules.clone(), &now.cameras);
        }
        let (tracks, mut found) = (&mut self.tracks, Vec::new());
        match sighting {
            Some(Sighting::Look(probe)) => {
                // Whoever was looked at before a gate was told otherwise is compared with nobody more than it may know now.
                if let Some(camera) = self.asked.camera(&probe.camera) {
                    let gallery = gallery.load_for(&camera);
                    found.extend(tracks.look(*probe, &gallery));
                }
                metrics::histogram!(STAGE_SECONDS, "stage" => "identify")
                    .record(clock.now().since(begun).as_secs_f64());
            }
            Some(Sighting::Seen { track, taken, rect }) => tracks.seen(track, taken, rect),
            Some(Sighting::Live { track, live, .. }) => found.extend(tracks.live(track, live)),
            Some(Sighting::Gone { track, .. }) => found.extend(tracks.gone(track)),
            None => {}
        }
        if begun.since(self.swept) >= SWEEP {
            self.swept = begun;
            found.extend(tracks.expire(begun));
            watch(tracks, health);
        }
        for identification in &mut found {
            identification.judged = Some(clock.now());
        }
        found
    }
}

/// Says whether the threshold still means what it promises.
fn watch(tracks: &Tracks, health: &Health) {
    let drift = tracks.drift();
    if let Some(share) = drift.share() {
        metrics::gauge!(STRANGERS_NEAR).set(share);
    }
    match (drift.is_moved(), health.set_drift(drift.is_moved())) {
        (true, true) => tracing::warn!(
            share = drift.share(),
            expected = drift::SHARE,
            "strangers come nearer to enrolled people than when thresholds were measured; run `usher calibrate`"
        ),
        (false, true) => tracing::info!("strangers are as far from enrolled people as they should be again"),
        _ => {}
    }
}
