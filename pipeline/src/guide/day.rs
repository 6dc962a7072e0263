//! A day: what a visitor could do from now on, stop by stop.
//!
//! The words of it are the contract with screens and the visitor's page; times are the venue's, text is never markup.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_config::{places::Position, programme::Status, value::Name};

/// A day's plan. Never has overlaps, closed places or ways that cannot be walked in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// What comes, in order; the first is where the visitor is.
    pub stops: Vec<Stop>,
    /// The way through all of them, as pairs of longitude and latitude (WGS 84); at most 400 points.
    pub route: Vec<[f64; 2]>,
}

/// One stop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// What is done there.
    pub kind: StopKind,
    /// What it is called; text, never markup.
    pub title: String,
    /// Where, in words.
    pub place: String,
    /// RFC 3339, with the venue's offset.
    #[schemars(extend("format" = "date-time"))]
    pub starts: String,
    /// RFC 3339, with the venue's offset.
    #[schemars(extend("format" = "date-time"))]
    pub ends: String,
    /// Seconds on foot from the stop before, without waiting.
    pub walk_s: u32,
    /// Metres on foot from the stop before.
    pub walk_m: u32,
    /// The gate to take, where there is one.
    pub gate: Option<Name>,
    /// Seconds of waiting at that gate, as far as it is known.
    pub wait_s: u32,
    /// The session's id in the programme.
    pub session: Option<String>,
    /// Whether the session is held as announced.
    pub status: Option<Status>,
    /// Longitude and latitude (WGS 84).
    pub at: Option<[f64; 2]>,
    /// Why this and nothing else, the strongest reason first.
    pub why: Vec<Why>,
}

/// A place near by that this visitor would like, open when they are there.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Nearby {
    /// What kind of place, as the map has it.
    #[schemars(with = "String")]
    pub kind: &'static str,
    /// What it is called; text, never markup.
    pub name: String,
    /// Seconds on foot.
    pub walk_s: u32,
    /// Metres on foot.
    pub walk_m: u32,
    /// Longitude and latitude (WGS 84).
    pub at: [f64; 2],
    /// Why this and nothing else, the strongest reason first.
    pub why: Vec<Why>,
}

/// What is done at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// Coming in, or being there already.
    Arrive,
    /// A session.
    Session,
    /// A meal.
    Meal,
    /// A rest.
    Rest,
    /// Going home.
    Leave,
}

/// A reason for a suggestion; said in the visitor's language by whoever shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Why {
    /// A favourite sport.
    Favourite {
        /// Which.
        sport: String,
    },
    /// It meets a wish about food.
    Wish {
        /// Which, of the words of enrolment.
        food: String,
    },
    /// It is near.
    Near {
        /// Minutes on foot, rounded up.
        minutes: u32,
    },
    /// Many are there now, or usually.
    Popular,
    /// Few are there now: no queue.
    Quiet,
    /// It is open long enough.
    OpenUntil {
        /// `22:00` by the venue's clocks.
        at: String,
    },
    /// No steps on the way, where that was asked for.
    StepFree,
    /// The next vehicles home.
    Departs {
        /// The line or route, as the feed names it.
        line: String,
        /// Where it goes.
        towards: String,
        /// `21:40` by the venue's clocks.
        at: String,
    },
}

/// As GeoJSON writes it.
pub fn pair(position: Position) -> [f64; 2] {
    [position.longitude, position.latitude]
}
