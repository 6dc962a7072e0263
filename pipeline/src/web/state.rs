//! What the operator's page is told.

use crate::{
    clock::Moment,
    decide::visit::Deed,
    health::{BrokerState, CameraState, SILENT, Screen},
    identify::identification::Verdict,
    web::{
        Shared,
        board::{Numbered, Pace},
    },
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::{collections::BTreeMap, time::SystemTime};
use usher_config::value::Name;

/// Everything on the operator's page but the pictures. Names are there only for who has signed in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct State {
    site: Name,
    ready: bool,
    signed_in: bool,
    /// Whether pictures may be shown to this asker.
    pictures: bool,
    gates: Vec<Name>,
    cameras: Vec<CameraNow>,
    screens: Vec<ScreenNow>,
    broker: BrokerNow,
    /// Why a file of the guide is not the newest one.
    guide: Option<String>,
    outbox: u64,
    enrolled: usize,
    threshold: f32,
    promised: f64,
    decisions: Vec<DecisionNow>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct CameraNow {
    name: Name,
    gate: Name,
    #[serde(flatten)]
    state: CameraWords,
    #[serde(skip_serializing_if = "Option::is_none")]
    pace: Option<Pace>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ScreenNow {
    name: Name,
    gate: Option<Name>,
    /// Whether it is heard.
    here: bool,
    faults: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum CameraWords {
    Connecting,
    Live,
    Lost { reason: String, since: String, tries: u32 },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum BrokerNow {
    Connecting,
    Up,
    Down { reason: String },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct DecisionNow {
    number: u64,
    at: String,
    gate: Name,
    camera: Name,
    track: u64,
    deed: Deed,
    looks: u32,
    over_ms: u64,
    best: Option<f32>,
    second: Option<f32>,
    threshold: f32,
    enrolled: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<f32>,
    /// Referred since it was required that the looks seem live.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unproven: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// A state and the box's time, by which the page counts seconds whatever its own clock shows.
#[derive(Serialize)]
pub(super) struct Told<'a> {
    pub(super) time: String,
    #[serde(flatten)]
    pub(super) state: &'a State,
}

impl State {
    /// The state now. May unseal names: not for the runtime's thread.
    pub(super) fn of(shared: &Shared, signed_in: bool) -> Self {
        let now = shared.clock.now();
        let mut health = shared.health.cameras();
        let settings = shared.settings();
        let cameras = settings.cameras.iter().map(|camera| CameraNow {
            name: camera.name.clone(),
            gate: camera.gate.clone(),
            state: CameraWords::of(health.remove(&camera.name).unwrap_or(CameraState::Connecting), shared),
            pace: shared.board.pace(&camera.name, now),
        });
        Self {
            site: shared.settings().site.clone(),
            ready: shared.health.is_ready(),
            signed_in,
            pictures: signed_in || shared.settings().listen.ip().is_loopback(),
            gates: shared.settings().gates.clone(),
            cameras: cameras.collect(),
            screens: screens(shared.health.screens(now), now),
            broker: BrokerNow::from(shared.health.broker()),
            guide: shared.health.guide(),
            outbox: shared.health.outbox(),
            enrolled: (shared.figures.enrolled)(),
            threshold: (shared.figures.threshold)(),
            promised: (shared.figures.promised)(),
            decisions: shared.board.last().iter().map(|last| DecisionNow::of(last, shared, signed_in)).collect(),
        }
    }
}

fn screens(heard: BTreeMap<Name, Screen>, now: Moment) -> Vec<ScreenNow> {
    let told = |(name, screen): (Name, Screen)| ScreenNow {
        name,
        gate: screen.gate,
        here: now.since(screen.seen) < SILENT,
        faults: screen.faults,
    };
    heard.into_iter().map(told).collect()
}

impl DecisionNow {
    fn of(Numbered { number, outcome, .. }: &Numbered, shared: &Shared, signed_in: bool) -> Self {
        let named = matches!(outcome.deed, Deed::Welcomed | Deed::AlreadyGreeted);
        // Scores, like pictures, are for who sits at the box or has signed in.
        let figures = signed_in || shared.settings().listen.ip().is_loopback();
        let name = match outcome.verdict {
            Verdict::Known { visitor, .. } if signed_in && named => (shared.figures.name_of)(visitor),
            _ => None,
        };
        Self {
            number: *number,
            at: shared.written(outcome.at.wall),
            gate: outcome.camera.gate.clone(),
            camera: outcome.camera.name.clone(),
            track: outcome.track.0,
            deed: outcome.deed,
            looks: outcome.evidence.looks,
            over_ms: outcome.evidence.over.as_millis() as u64,
            best: outcome.evidence.best.filter(|_| figures).map(|score| score.0),
            second: outcome.evidence.second.filter(|_| figures).map(|score| score.0),
            threshold: outcome.evidence.threshold.0,
            enrolled: outcome.evidence.enrolled,
            live: outcome.live.map(|live| live.0),
            unproven: outcome.verdict == Verdict::Suspect { is_greeted: false },
            name,
        }
    }
}

impl CameraWords {
    fn of(state: CameraState, shared: &Shared) -> Self {
        match state {
            CameraState::Connecting => Self::Connecting,
            CameraState::Live => Self::Live,
            CameraState::Lost { reason, since, tries } => {
                Self::Lost { reason, since: shared.written(since.wall), tries }
            }
        }
    }
}

impl From<BrokerState> for BrokerNow {
    fn from(state: BrokerState) -> Self {
        match state {
            BrokerState::Connecting => Self::Connecting,
            BrokerState::Up => Self::Up,
            BrokerState::Down { reason } => Self::Down { reason },
        }
    }
}

impl Shared {
    /// The time as the venue's clocks show it, whatever those of the box and of a kiosk do.
    pub(super) fn written(&self, wall: SystemTime) -> String {
        written_in(wall, self.settings().zone.clone())
    }
}

/// RFC 3339 with milliseconds and the box's own offset.
pub(super) fn written(wall: SystemTime) -> String {
    written_in(wall, TimeZone::system())
}

fn written_in(wall: SystemTime, zone: TimeZone) -> String {
    let time = Timestamp::try_from(wall).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    time.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_back_as_they_were() {
        let wall = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_800_000_000_123);
        assert_eq!(written(wall).parse::<Timestamp>().unwrap(), Timestamp::try_from(wall).unwrap());
        let seoul = written_in(wall, TimeZone::get("Asia/Seoul").unwrap());
        assert_eq!(seoul, "2027-01-15T17:00:00.123+09:00");
    }
}
