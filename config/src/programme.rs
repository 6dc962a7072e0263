//! The programme: which sessions there are, when and where.
//!
//! A file of its own, exported by whoever plans the day, and read as strictly as the configuration. A session is written
//! once with dates (`start: 2026-07-14 10:00`) or repeats with `days` (`start: 10:00`, `days: daily`).

mod check;
pub mod csv;
pub mod ics;
mod ids;
pub mod times;
mod written;

use crate::{document, problem::Problems, value::Name};
use jiff::{
    civil::{DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use written::Written;

/// A venue's programme as meant.
#[derive(Clone, Debug)]
pub struct Programme {
    /// Where its clocks stand.
    pub time_zone: TimeZone,
    /// Its sessions, in the file's order.
    pub sessions: Vec<Session>,
}

/// One session.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// What it is told by when its time or place changes: given, or made of what does not change; unique in a programme.
    pub id: String,
    /// The sport, as visitors name it; spelt as in the list `sports`, where there is one.
    pub sport: String,
    /// The discipline within the sport, where there are several: `Marathon`.
    pub discipline: Option<String>,
    /// What is on: `Women's 100 m heats`.
    pub title: String,
    /// The building or ground.
    pub venue: String,
    /// Where in it: court, hall, stand; empty where the programme does not say.
    pub place: String,
    /// The gate to take, where there is one to name.
    pub gate: Option<Name>,
    /// When it is held now; where it was moved, the new time.
    pub when: When,
    /// Whether it is held as announced.
    pub status: Status,
    /// People expected, where the organiser says so.
    pub attendance: Option<u32>,
}

/// Whether a session is held as announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As announced.
    #[default]
    OnTime,
    /// Later than announced; `start` and `end` are the new times.
    Delayed,
    /// At another time or place than announced; both are the new ones.
    Moved,
    /// No seats are left.
    SoldOut,
    /// Not held.
    Cancelled,
}

/// When a session is, by the venue's clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Once. `end` is after `start`, by at most 24 hours.
    Once {
        /// Its beginning.
        start: DateTime,
        /// Its end.
        end: DateTime,
    },
    /// On some days of every week; `end` is after `start` on the same day.
    Weekly {
        /// The days; all seven for `daily`.
        days: Vec<Weekday>,
        /// Its beginning.
        start: Time,
        /// Its end.
        end: Time,
    },
}

/// Largest file that is read. Ten thousand sessions have two MiB in YAML or CSV, eight in iCalendar.
const LARGEST: u64 = 16 << 20;

/// Reads a programme: YAML, CSV or iCalendar, by the file's ending.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &Path) -> Result<Programme, Problems> {
    let name = path.display().to_string();
    let ending = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let read: fn(&str, &str) -> Result<Programme, Problems> = match ending.as_str() {
        "yaml" | "yml" => return from_text(&document::text_of(path)?, &name),
        "csv" | "tsv" => csv::from_text,
        "ics" => ics::from_text,
        _ => {
            let message = if ending.is_empty() {
                "the programme's file has no ending".to_owned()
            } else {
                format!("a programme cannot be read from a file that ends in `.{ending}`")
            };
            let mend = "save it as `.yaml`, as `.csv` (a table) or as `.ics` (iCalendar)";
            return Err(Problems::whole_file(&name, message, mend));
        }
    };
    read(&document::text_up_to(path, LARGEST)?, &name)
}

/// Reads a programme from the text of a YAML file; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str) -> Result<Programme, Problems> {
    Ok(document::parse::<Written>(text, file_name, check::check)?.meant())
}

/// The JSON schema of a programme as YAML.
pub fn json_schema() -> serde_json::Value {
    document::json_schema::<Written>()
}
