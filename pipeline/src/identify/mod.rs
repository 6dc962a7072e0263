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
    clock::Clock,
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
const IDLE: Duration = Duration::from_millis(500);

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
    let mut asked: Asked = rules.into();
    let mut tracks = Tracks::new(asked.rules(), law);
    let mut swept = clock.now();
    loop {
        beat.beat();
        let sighting = match sightings.recv_timeout(IDLE) {
            Ok(sighting) => Some(sighting),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let begun = clock.now();
        let mut found = Vec::new();
        if let Some(now) = asked.news() {
            tracks.take_up(now.config.rules.clone(), &now.cameras);
        }
        match sighting {
            Some(Sighting::Look(probe)) => {
                // Whoever was looked at before a gate was told otherwise is compared with nobody more than it may know now.
                if let Some(camera) = asked.camera(&probe.camera) {
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
        if begun.since(swept) >= SWEEP {
            swept = begun;
            found.extend(tracks.expire(begun));
            watch(&tracks, health);
        }
        for mut identification in found {
            identification.judged = Some(clock.now());
            if identifications.send(identification).is_err() {
                return;
            }
        }
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
