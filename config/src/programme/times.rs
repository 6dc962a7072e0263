//! Times of a programme: by the venue's own clocks.

use crate::text::{Textual, Unfit, textual, unfit};
use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use std::fmt;

/// A time zone, as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(String);

textual!(Zone, "time-zone", "Europe/Berlin");

impl Zone {
    /// The zone's rules.
    pub fn meant(&self) -> TimeZone {
        // A `Zone` is made by reading it, which asks the same database.
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

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
        let mend = "write `2026-07-14 10:00`, or `10:00` for a session that repeats on some `days`";
        let time = |text: &str| {
            // Spreadsheets write seconds that nobody meant.
            let text = text.strip_suffix(":00").filter(|clock| clock.contains(':')).unwrap_or(text);
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
