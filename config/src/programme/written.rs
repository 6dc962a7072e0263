//! The programme as written: its keys, their ranges, and what they mean.

use crate::{
    programme::{
        Programme, Session, Status, When, ids,
        times::{Moment, Zone},
    },
    value::Name,
};
use garde::Validate;
use jiff::civil::Weekday;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A venue's programme of sessions.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "usher programme")]
pub(crate) struct Written {
    /// The venue's time zone, by its IANA name.
    #[garde(skip)]
    pub time_zone: Zone,
    /// The sports that there are; where they are listed, every session is of one of them. Catches what is misspelt.
    #[garde(length(max = 200), inner(length(chars, min = 1, max = 40)))]
    #[serde(default)]
    #[schemars(extend("examples" = [["Athletics", "Swimming"]]))]
    pub sports: Vec<String>,
    /// The sessions.
    #[garde(length(max = 10_000), dive)]
    pub sessions: Vec<WrittenSession>,
}

/// One session, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenSession {
    /// The sport, spelt as visitors choose it when they enrol; capitals do not matter.
    #[garde(length(chars, min = 1, max = 40))]
    #[schemars(extend("examples" = ["Athletics"]))]
    pub sport: String,
    /// What the session is told by when its time or place changes; unique. Without it one is made of sport, discipline and
    /// title, numbered in the file's order where they recur.
    #[garde(length(chars, min = 1, max = 255))]
    #[serde(default)]
    #[schemars(extend("examples" = ["ATH-W100-H1"]))]
    pub id: Option<String>,
    /// The discipline within the sport.
    #[garde(length(chars, min = 1, max = 60))]
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
    /// Where in it: court, hall, stand. Two sessions may not be in one place at one time.
    #[garde(length(chars, min = 1, max = 60))]
    #[serde(default)]
    #[schemars(extend("examples" = ["Track"]))]
    pub place: Option<String>,
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
    #[garde(range(max = 1_000_000))]
    #[serde(default)]
    pub attendance: Option<u32>,
}

/// Days of the week, as written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Days {
    /// `daily`
    Daily(Daily),
    /// a list such as `[sat, sun]`
    Some(#[schemars(length(min = 1))] Vec<Day>),
}

/// The word for every day.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Daily {
    /// Every day.
    Daily,
}

/// A day of the week, as written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Day {
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

impl Written {
    /// What it means. Sessions that the checks would have refused are left out.
    pub(crate) fn meant(&self) -> Programme {
        let ids = ids::of(&self.sessions);
        Programme {
            time_zone: self.time_zone.meant(),
            sessions: self.sessions.iter().zip(ids).filter_map(|(session, id)| session.meant(id, self)).collect(),
        }
    }

    /// A sport as the list spells it, where there is one.
    fn spelt(&self, sport: &str) -> String {
        let wanted = folded(sport);
        let listed = self.sports.iter().find(|listed| folded(listed) == wanted);
        listed.map_or(sport, String::as_str).trim().to_owned()
    }
}

impl WrittenSession {
    /// The session; `None` only where the checks would have found a problem.
    fn meant(&self, id: String, programme: &Written) -> Option<Session> {
        let when = match (self.start, self.end, &self.days) {
            (Moment::Dated(start), Moment::Dated(end), None) => When::Once { start, end },
            (Moment::Daily(start), Moment::Daily(end), Some(days)) => When::Weekly { days: days.meant(), start, end },
            _ => return None,
        };
        let trimmed = |text: &str| text.trim().to_owned();
        Some(Session {
            id,
            discipline: self.discipline.as_deref().map(trimmed),
            status: self.status,
            attendance: self.attendance,
            sport: programme.spelt(&self.sport),
            title: trimmed(&self.title),
            venue: trimmed(&self.venue),
            place: self.place.as_deref().map(trimmed).unwrap_or_default(),
            gate: self.gate.clone(),
            when,
        })
    }
}

/// A name as it is compared: blanks as one, capitals as small letters.
pub(crate) fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
