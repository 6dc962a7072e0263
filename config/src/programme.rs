//! The programme: which sessions there are, when and where.
//!
//! A file of its own, exported by whoever plans the day, and read as strictly as the configuration. A session is written
//! once with dates (`start: 2026-07-14 10:00`) or repeats with `days` (`start: 10:00`, `days: daily`).

mod check;

use crate::{
    problem::Problems,
    text::{Textual, Unfit, textual, unfit},
    value::Name,
};
use garde::Validate;
use jiff::{
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

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
    /// What it is told by when its time or place changes: given, or made of what does not change (unique in a programme).
    pub id: String,
    /// The sport, as visitors name it.
    pub sport: String,
    /// The discipline within the sport, where there are several: `Marathon`.
    pub discipline: Option<String>,
    /// What is on: `Women's 100 m heats`.
    pub title: String,
    /// The building or ground.
    pub venue: String,
    /// Where in it: court, hall, stand.
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

/// A venue's programme of sessions.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "usher programme")]
pub struct Written {
    /// The venue's time zone, by its IANA name.
    #[garde(skip)]
    pub time_zone: Zone,
    /// The sessions.
    #[garde(length(max = 10_000), dive)]
    pub sessions: Vec<WrittenSession>,
}

/// One session, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenSession {
    /// The sport, spelt as visitors choose it when they enrol; capitals do not matter.
    #[garde(length(chars, min = 1, max = 40))]
    #[schemars(extend("examples" = ["Athletics"]))]
    pub sport: String,
    /// What the session is told by when its time or place changes; unique.
    #[garde(inner(length(chars, min = 1, max = 80)))]
    #[serde(default)]
    #[schemars(extend("examples" = ["ATH-W100-H1"]))]
    pub id: Option<String>,
    /// The discipline within the sport.
    #[garde(inner(length(chars, min = 1, max = 60)))]
    #[serde(default)]
    #[schemars(extend("examples" = ["Marathon"]))]
    pub discipline: Option<String>,
    /// What is on.
    #[garde(length(chars, min = 1, max = 80))]
    #[schemars(extend("examples" = ["Women's 100 m heats"]))]
    pub title: String,
    /// The building or ground.
    #[garde(length(chars, min = 1, max = 60))]
    #[schemars(extend("examples" = ["Olympic Stadium"]))]
    pub venue: String,
    /// Where in it: court, hall, stand.
    #[garde(length(chars, min = 1, max = 60))]
    #[schemars(extend("examples" = ["Track"]))]
    pub place: String,
    /// The gate to take.
    #[garde(skip)]
    #[serde(default)]
    pub gate: Option<Name>,
    /// When it begins: `2026-07-14 10:00`, or `10:00` with `days`.
    #[garde(skip)]
    pub start: Moment,
    /// When it ends, written like `start`.
    #[garde(skip)]
    pub end: Moment,
    /// On which days it repeats: `daily` or a list of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`; only where `start`
    /// names no date.
    #[garde(skip)]
    #[schemars(extend("examples" = ["daily", ["sat", "sun"]]))]
    #[serde(default)]
    pub days: Option<Days>,
    /// Whether it is held as announced.
    #[garde(skip)]
    #[serde(default)]
    pub status: Status,
    /// People expected.
    #[garde(inner(range(max = 1_000_000)))]
    #[serde(default)]
    pub attendance: Option<u32>,
}

/// Days of the week, as written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Days {
    /// `daily`
    Daily(Daily),
    /// a list such as `[sat, sun]`
    Some(#[schemars(length(min = 1))] Vec<Day>),
}

/// The word for every day.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Daily {
    /// Every day.
    Daily,
}

/// A day of the week, as written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Days {
    fn meant(&self) -> Vec<Weekday> {
        match self {
            Self::Daily(_) => Weekday::Monday.cycle_forward().take(7).collect(),
            Self::Some(days) => {
                // Monday is offset 1 and the enum begins with it.
                days.iter().filter_map(|day| Weekday::from_monday_one_offset(*day as i8 + 1).ok()).collect()
            }
        }
    }
}

/// A time zone, as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(String);

textual!(Zone, "time-zone", "Europe/Berlin");

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Textual for Zone {
    fn read(text: &str) -> Result<Self, Unfit> {
        if TimeZone::get(text).is_ok() {
            return Ok(Self(text.to_owned()));
        }
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        // `GMT+2` is nearest to `GMT+0`, which is not what anyone meant.
        let near =
            crate::document::words::nearest(text, names.iter().map(String::as_str)).filter(|_| text.contains('/'));
        let mend = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write an IANA name, such as `Europe/Berlin`, `Asia/Tashkent` or `UTC`".to_owned(),
        };
        unfit(format!("`{text}` is no time zone"), mend)
    }
}

/// A date and time, or a time of day, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `2026-07-14 10:00`
    Dated(DateTime),
    /// `10:00`
    Daily(Time),
}

textual!(Moment, "moment", "2026-07-14 10:00");

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dated(at) => write!(f, "{} {:02}:{:02}", at.date(), at.hour(), at.minute()),
            Self::Daily(at) => write!(f, "{:02}:{:02}", at.hour(), at.minute()),
        }
    }
}

impl Textual for Moment {
    fn read(text: &str) -> Result<Self, Unfit> {
        let mend = "write `2026-07-14 10:00`, or `10:00` for a session that repeats (`days: daily`)";
        let time = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let number = |text: &str| text.parse::<i8>().ok().filter(|_| (1..=2).contains(&text.len()));
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        };
        if let Some(at) = time(text) {
            return Ok(Self::Daily(at));
        }
        let at = text.split_once([' ', 'T']).and_then(|(date, clock)| {
            let date: Date = date.parse().ok()?;
            Some(date.to_datetime(time(clock.trim())?))
        });
        match at {
            Some(at) if (2000..=2200).contains(&at.year()) => Ok(Self::Dated(at)),
            Some(at) => unfit(format!("the year {} is no year of a programme", at.year()), mend),
            None if text.contains(['+', 'Z']) => unfit(
                format!("`{text}` has an offset"),
                "write the venue's own clock time: `time_zone` says the offset",
            ),
            None => unfit(format!("`{text}` is no time"), mend),
        }
    }
}

/// Reads a programme.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &Path) -> Result<Programme, Problems> {
    from_text(&crate::document::text_of(path)?, &path.display().to_string())
}

/// Reads a programme from its text; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str) -> Result<Programme, Problems> {
    let written: Written = crate::document::parse(text, file_name, check::check)?;
    Ok(Programme {
        time_zone: TimeZone::get(&written.time_zone.0).unwrap_or(TimeZone::UTC),
        sessions: written.sessions.iter().filter_map(WrittenSession::meant).collect(),
    })
}

/// The JSON schema of a programme.
pub fn json_schema() -> serde_json::Value {
    crate::document::json_schema::<Written>()
}

impl WrittenSession {
    /// The session; `None` only where the checks would have found a problem.
    fn meant(&self) -> Option<Session> {
        let when = match (self.start, self.end, &self.days) {
            (Moment::Dated(start), Moment::Dated(end), None) => When::Once { start, end },
            (Moment::Daily(start), Moment::Daily(end), Some(days)) => When::Weekly { days: days.meant(), start, end },
            _ => return None,
        };
        let trimmed = |text: &str| text.trim().to_owned();
        let id = self.id.clone().unwrap_or_else(|| {
            [&self.sport, &self.title, &self.venue].map(|text| text.trim().to_lowercase()).join("/")
        });
        Some(Session {
            id,
            discipline: self.discipline.as_deref().map(trimmed),
            status: self.status,
            attendance: self.attendance,
            sport: trimmed(&self.sport),
            title: trimmed(&self.title),
            venue: trimmed(&self.venue),
            place: trimmed(&self.place),
            gate: self.gate.clone(),
            when,
        })
    }
}
