//! Opening hours: when a place is open, by the venue's clocks.
//!
//! Written in OpenStreetMap's `opening_hours`, which every map tool knows, and read by a library that keeps to its
//! specification. What it can only guess at (sunset, an open end) is refused: a closed place must never be suggested.

use crate::text::Unfit;
use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};
use jiff::civil::DateTime;
use opening_hours::{DateTimeRange, OpeningHours, RuleKind};
use opening_hours_syntax::{
    Error,
    rules::{
        RuleSequence,
        day::WeekDayRange,
        time::{Time, TimeSpan},
    },
};
use std::{fmt, str::FromStr};

/// When a place is open; always, where nothing is said.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Opening(Option<OpeningHours>);

/// Why opening hours cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Bytes into the text.
    pub(crate) at: usize,
    /// What is wrong, one lower-case clause.
    pub(crate) message: String,
    /// What to do, one sentence.
    pub(crate) mend: String,
}

impl Opening {
    /// Whether it never closes.
    pub fn is_always(&self) -> bool {
        self.0.as_ref().is_none_or(|hours| {
            hours.get_expression().is_constant() && hours.state(NOON) == (RuleKind::Open, "".into())
        })
    }

    /// The times between two moments in which it is open for sure, in order and apart from each other; both moments and
    /// what is returned are clock times of the venue. Empty where it stays closed, or `to` is not after `from`.
    pub fn windows(&self, from: DateTime, to: DateTime) -> Vec<(DateTime, DateTime)> {
        if to <= from {
            return Vec::new();
        }
        let Some(hours) = &self.0 else { return vec![(from, to)] };
        let Some((start, end)) = chrono_of(from).zip(chrono_of(to)) else { return Vec::new() };
        let mut windows: Vec<(DateTime, DateTime)> = Vec::new();
        // A comment alone makes hours uncertain (`10:00-12:00 "in good weather"`).
        let is_sure = |part: &DateTimeRange| part.kind == RuleKind::Open && part.comment.is_empty();
        for part in hours.iter_range(start, end).filter(is_sure) {
            // The library counts in whole minutes; nothing outside what was asked for is told.
            let (opens, closes) = (jiff_of(part.range.start).max(from), jiff_of(part.range.end).min(to));
            match windows.last_mut() {
                Some((_, end)) if *end >= opens => *end = closes.max(*end),
                _ => windows.push((opens, closes)),
            }
        }
        windows.retain(|(opens, closes)| opens < closes);
        windows
    }

    /// What of it says nothing here: in words, with what to write instead.
    pub(crate) fn doubt(&self) -> Option<(&'static str, &'static str)> {
        let expression = self.0.as_ref()?.get_expression();
        let mut days = expression.rules.iter().flat_map(|rule| &rule.day_selector.weekday);
        if days.any(|day| matches!(day, WeekDayRange::Holiday { .. })) {
            let mend = "write the dates, such as `Dec 25 off`: usher knows no country's holidays";
            return Some(("names holidays, which are not read", mend));
        }
        let is_open = |rule: &RuleSequence| rule.kind != RuleKind::Closed;
        if expression
            .rules
            .iter()
            .any(|rule| is_open(rule) && (!rule.comment.is_empty() || rule.kind == RuleKind::Unknown))
        {
            return Some((
                "has hours that are not certain; the place counts as closed then",
                "write certain hours, without a comment",
            ));
        }
        None
    }

    /// Reads it; blank text is none, so that it is always open.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        let hours: OpeningHours = text.parse().map_err(|error| unreadable(text, &error))?;
        let expression = hours.get_expression();
        let guess =
            expression.rules.iter().flat_map(|rule| &rule.time_selector.spans).find_map(|span| guess(span, text));
        match guess {
            Some(unreadable) => Err(unreadable),
            None => Ok(Self(Some(hours))),
        }
    }
}

impl FromStr for Opening {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        Self::read(text).map_err(|unreadable| Unfit { message: unreadable.message, mend: unreadable.mend })
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(hours) => hours.fmt(f),
            None => f.write_str("24/7"),
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({self})")
    }
}

/// Any moment: what is constant is the same at all of them.
const NOON: NaiveDateTime = match NaiveDate::from_ymd_opt(2026, 1, 1) {
    Some(date) => match date.and_hms_opt(12, 0, 0) {
        Some(noon) => noon,
        None => NaiveDateTime::MIN,
    },
    None => NaiveDateTime::MIN,
};

/// Times that the library would only guess.
fn guess(span: &TimeSpan, text: &str) -> Option<Unreadable> {
    let event = [span.range.start, span.range.end].iter().find_map(Time::as_time_event);
    if let Some(event) = event {
        let at = text.to_lowercase().find(event.as_str()).unwrap_or(0);
        return Some(Unreadable {
            at,
            message: format!("`{}` is another time every day", event.as_str()),
            mend: "write clock times, such as `10:00-20:00`".to_owned(),
        });
    }
    span.open_end.then(|| Unreadable {
        at: text.find('+').unwrap_or(0),
        message: "it does not say when it closes".to_owned(),
        mend: "write when it closes instead of `+`, such as `18:00-23:00`".to_owned(),
    })
}

/// The library's error at its place.
fn unreadable(text: &str, error: &Error) -> Unreadable {
    let mend = "write for instance `10:00-22:00` or `Mo-Fr 10:00-22:00; Sa,Su 09:00-23:00`".to_owned();
    let at = match error {
        Error::Syntax(error) => match error.location {
            pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at.min(text.len()),
        },
        _ => 0,
    };
    let message = match error {
        Error::Syntax(_) => {
            let rest = &text[text.floor_char_boundary(at)..];
            let word: String = rest.trim_start().chars().take_while(|c| !c.is_whitespace() && *c != ';').collect();
            if word.is_empty() { format!("`{text}` ends too soon") } else { format!("`{word}` cannot be read here") }
        }
        other => {
            let said = other.to_string();
            let mut chars = said.chars();
            chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
        }
    };
    Unreadable { at, message, mend }
}

fn chrono_of(at: DateTime) -> Option<NaiveDateTime> {
    let small = |number: i8| u32::try_from(number).ok();
    NaiveDate::from_ymd_opt(at.year().into(), small(at.month())?, small(at.day())?)?.and_hms_opt(
        small(at.hour())?,
        small(at.minute())?,
        small(at.second())?,
    )
}

fn jiff_of(at: NaiveDateTime) -> DateTime {
    // Every part is in range: the library knows no year beyond 9999.
    let (month, day) = (at.month() as i8, at.day() as i8);
    let (hour, minute, second) = (at.hour() as i8, at.minute() as i8, at.second() as i8);
    DateTime::new(at.year() as i16, month, day, hour, minute, second, 0).unwrap_or(DateTime::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(hours: &str, from: &str, to: &str) -> Vec<String> {
        let opening: Opening = hours.parse().unwrap();
        let windows = opening.windows(from.parse().unwrap(), to.parse().unwrap());
        windows.iter().map(|(opens, closes)| format!("{} {}", opens.time(), closes.time())).collect()
    }

    #[test]
    fn a_place_is_open_when_its_hours_say_so_and_past_midnight_too() {
        // 2026-07-14 is a Tuesday.
        let all_day = ("2026-07-14T00:00", "2026-07-15T00:00");
        assert_eq!(
            windows("Mo-Fr 11:30-15:00,17:00-23:00", all_day.0, all_day.1),
            ["11:30:00 15:00:00", "17:00:00 23:00:00"]
        );
        assert_eq!(windows("Sa,Su 10:00-18:00", all_day.0, all_day.1), [""; 0]);
        assert_eq!(windows("18:00-02:00", all_day.0, all_day.1), ["00:00:00 02:00:00", "18:00:00 00:00:00"]);
        assert_eq!(windows("10:00-22:00; Jul 14 off", all_day.0, all_day.1), [""; 0]);
        assert_eq!(windows("", "2026-07-14T09:00:30", "2026-07-14T09:01"), ["09:00:30 09:01:00"]);
        assert_eq!(windows("10:00-22:00", "2026-07-14T12:00:30", "2026-07-14T12:00:40"), ["12:00:30 12:00:40"]);
        assert_eq!(windows("10:00-22:00", "2026-07-14T12:00", "2026-07-14T11:00"), [""; 0]);
    }

    #[test]
    fn what_may_be_closed_is_not_open() {
        let day = ("2026-07-14T00:00", "2026-07-15T00:00");
        assert_eq!(windows("10:00-12:00 unknown, 14:00-16:00 open", day.0, day.1), ["14:00:00 16:00:00"]);
        assert_eq!(windows("10:00-12:00 \"on rainy days\", 12:00-13:00", day.0, day.1), ["12:00:00 13:00:00"]);
    }

    #[test]
    fn only_what_never_closes_is_always_open() {
        let always = |text: &str| text.parse::<Opening>().unwrap().is_always();
        assert!(always("") && always("24/7") && Opening::default().is_always());
        assert!(!always("10:00-22:00") && !always("off"));
    }

    #[test]
    fn hours_that_cannot_be_read_say_where_and_how_they_are_mended() {
        for (text, at, message) in [
            ("Mo-Fr 10:00-22:0O", 15, "cannot be read here"),
            ("10 am - 10 pm", 0, "cannot be read here"),
            ("Mon-Sun 10:00-22:00", 2, "cannot be read here"),
            ("Mo-Fr 10:00-", 12, "ends too soon"),
            ("10:00-sunset", 6, "`sunset` is another time every day"),
            ("18:00+", 5, "it does not say when it closes"),
        ] {
            let found = Opening::read(text).unwrap_err();
            assert!(found.message.contains(message) && found.mend.contains("00"), "{text}: {found:?}");
            assert_eq!(found.at, at, "{text}: {found:?}");
        }
    }
}
