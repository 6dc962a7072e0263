//! What flow tells: counts, queues, forecasts and advice of a gate.
//!
//! Bodies of the topics `gate/GATE/flow` and `gate/GATE/forecast`, both retained: they name nobody, and whoever comes late wants the
//! last of each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_config::value::Name;

/// A forecast number with its intervals; all in the same unit, none below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fan {
    /// As likely more as less.
    pub median: f64,
    /// Lower end of the interval that holds the truth four times of five.
    pub low80: f64,
    /// Its upper end.
    pub high80: f64,
    /// Lower end of the interval that holds it 19 times of 20.
    pub low95: f64,
    /// Its upper end.
    pub high95: f64,
}

/// A number measured now, with the interval that holds the truth four times of five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The likeliest.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How a gate will be in some minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Horizon {
    /// Minutes from now.
    pub minutes: u32,
    /// People who arrive, a minute.
    pub arrivals: Fan,
    /// People in the queue; absent where nobody measures one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Fan>,
    /// Seconds that whoever arrives then waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<Fan>,
}

/// A part of the day's forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DayBin {
    /// When it begins, RFC 3339 with the venue's offset.
    pub at: String,
    /// People who arrive in it.
    pub arrivals: Fan,
}

/// How good forecasts so far ahead have been here, lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grade {
    /// Minutes ahead.
    pub minutes: u32,
    /// Forecasts whose truth is known.
    pub forecasts: u64,
    /// Their mean absolute error, people a minute.
    pub mean_absolute_error: f64,
    /// The same as a share of the error of "as a week ago", or of "as a day ago" while no week is known; absent until either is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mase: Option<f64>,
    /// The share that fell into the 80 % interval, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage80: Option<f64>,
    /// The share that fell into the 95 % interval, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage95: Option<f64>,
}

/// A gate's queue now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueNow {
    /// People in it.
    pub length: Estimate,
    /// Seconds from its back to the gate.
    pub wait_seconds: Estimate,
    /// People let in a minute, by all open lanes together, while people wait.
    pub service_per_minute: Estimate,
    /// Lanes that are open.
    pub lanes_open: u32,
}

/// What staff may do, or should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// What it is about; there is one advice at most of a cause, and it keeps this word while it lasts.
    pub cause: String,
    /// What kind of advice.
    pub kind: AdviceKind,
    /// Minutes until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// How many lanes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lanes: Option<u32>,
    /// The gate with room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Name>,
    /// Seconds of waiting there, or here where no other gate is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u32>,
    /// The same in English, for operators.
    pub text: String,
}

/// A kind of advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
    /// The wait is over the gate's limit.
    Over,
    /// It will be.
    OverSoon,
    /// More lanes would keep it below.
    OpenLanes,
    /// Fewer lanes would do.
    CloseLanes,
    /// Another gate has room.
    Steer,
    /// Some of what counts here does not see.
    CameraLost,
}

/// Whether a gate's cameras count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// All of them.
    Whole,
    /// Some of them: the figures are too low.
    Partial,
    /// None of them: the last minute is not known, which is not nobody.
    #[default]
    None,
}

/// What a forecast rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// Counts of earlier days.
    History,
    /// The programme alone.
    Programme,
    /// Both.
    Both,
    /// What was counted today alone.
    LiveOnly,
}

/// How many came and went at a gate, and how it is there: topic `gate/GATE/flow`, every 10 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateFlow {
    /// Version of this form: 1.
    pub v: u32,
    /// The site.
    pub site: Name,
    /// The gate.
    pub gate: Name,
    /// When, RFC 3339.
    pub at: String,
    /// Whether its cameras count.
    pub counting: Counting,
    /// Those that do not.
    pub lost_cameras: Vec<Name>,
    /// Since when all of them count, RFC 3339, while that is shorter than a minute: the first whole minute is not over yet, and
    /// `counting` is `partial` for that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counting_since: Option<String>,
    /// People who came in, in the last minute; absent where nobody saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered_last_minute: Option<u32>,
    /// People who went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_last_minute: Option<u32>,
    /// Since the day began.
    pub entered_total: u64,
    /// The same of those who went out.
    pub left_total: u64,
    /// Came in less went out, never below zero; absent where nothing counts who goes out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<u64>,
    /// The queue; absent where nobody measures one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueNow>,
    /// The longest wait that the venue wants here, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_seconds: Option<u32>,
    /// What staff may do, the most pressing first.
    pub advice: Vec<Advice>,
}

/// What comes next at a gate: topic `gate/GATE/forecast`, every minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateForecast {
    /// Version of this form: 1.
    pub v: u32,
    /// The site.
    pub site: Name,
    /// The gate.
    pub gate: Name,
    /// When, RFC 3339.
    pub at: String,
    /// In 5, 15, 30 and 60 minutes.
    pub horizons: Vec<Horizon>,
    /// To the end of the day, in quarters of an hour.
    pub day: Vec<DayBin>,
    /// How good its forecasts have been.
    pub grades: Vec<Grade>,
    /// What it rests on.
    pub rests_on: RestsOn,
}
