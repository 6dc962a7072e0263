//! An event: one `VEVENT`, before its series is followed.

use crate::{
    document::tree::{Entry, Kind, Node},
    problem::Finding,
    programme::ics::{
        lines::{Component, Line},
        zones::{Point, Zones},
    },
};
use calcard::icalendar::{ICalendarParameterName, ICalendarRecurrenceRule, ICalendarValue};
use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};
use std::ops::Range;

/// Properties that say the rest of a session, by its keys.
const FIELDS: [(&str, &[&str]); 5] = [
    ("sport", &["X-USHER-SPORT", "X-SPORT", "CATEGORIES"]),
    ("discipline", &["X-USHER-DISCIPLINE", "X-DISCIPLINE"]),
    ("title", &["SUMMARY"]),
    ("gate", &["X-USHER-GATE", "X-GATE"]),
    ("attendance", &["X-USHER-ATTENDANCE", "X-ATTENDANCE"]),
];
/// The venue's own words for a status.
const STATUS: [&str; 2] = ["X-USHER-STATUS", "X-STATUS"];
/// Where in the venue.
const PLACE: [&str; 2] = ["X-USHER-PLACE", "X-PLACE"];

/// An event as it is written.
pub(crate) struct Event {
    /// Bytes of its `BEGIN`.
    pub(crate) span: Range<usize>,
    pub(crate) uid: Option<(Range<usize>, String)>,
    /// When it begins, by the clocks of `zone`.
    pub(crate) start: DateTime,
    pub(crate) start_span: Range<usize>,
    pub(crate) end_span: Range<usize>,
    /// How long it lasts, by the same clocks.
    pub(crate) lasts: SignedDuration,
    pub(crate) zone: TimeZone,
    /// Sport, title, venue and the rest, as a session's keys.
    pub(crate) fields: Vec<Entry>,
    /// What it says of its status, in a programme's words.
    pub(crate) status: Option<(Range<usize>, String)>,
    pub(crate) rule: Option<(Range<usize>, ICalendarRecurrenceRule, Option<DateTime>)>,
    /// Further occurrences, by the clocks of `zone`.
    pub(crate) also: Vec<DateTime>,
    /// Occurrences that are left out, each with its place.
    pub(crate) except: Vec<(Range<usize>, Point)>,
    /// The occurrence of a series that this event is instead of.
    pub(crate) instead_of: Option<(Range<usize>, Point)>,
}

/// Reads events and says what is wrong with them.
pub(crate) struct Reader<'c> {
    pub(crate) zones: &'c Zones,
    /// The venue's clocks.
    pub(crate) own: &'c TimeZone,
    pub(crate) findings: &'c mut Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, span: Range<usize>, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(span, key, message, mend));
    }

    /// The times of a line.
    fn points(&mut self, line: &Line) -> Option<Vec<Point>> {
        let read = line.entry().map(|entry| self.zones.points(&entry, line.raw()));
        match read {
            Some(Ok(points)) => Some(points),
            Some(Err((message, mend))) => {
                self.find(line.span.clone(), &line.name, message, mend);
                None
            }
            None => {
                self.find(line.span.clone(), &line.name, "this line cannot be read", "check how it is written");
                None
            }
        }
    }

    /// The time of a line.
    fn point(&mut self, line: &Line) -> Option<Point> {
        let point = self.points(line)?.into_iter().next()?;
        if point.is_day {
            let message = format!("`{}` is a day without a time", line.raw());
            self.find(line.span.clone(), &line.name, message, "write when it is held: `20260714T100000`");
            return None;
        }
        Some(point)
    }

    /// The event; `None` where its times cannot be read.
    pub(crate) fn event(&mut self, component: &Component) -> Option<Event> {
        let fields = self.fields(component);
        let status = self.status(component);
        let Some(start_line) = component.line(&["DTSTART"]) else {
            self.find(component.span.clone(), "DTSTART", "the event has no `DTSTART`", "write when it begins");
            return None;
        };
        let start = self.point(start_line)?;
        let zone = start.zone.clone().unwrap_or_else(|| self.own.clone());
        let (end_span, lasts) = self.lasts(component, start_line, &start, &zone)?;
        let rule = match component.line(&["RRULE"]) {
            Some(line) => Some(self.rule(line, &zone)?),
            None => None,
        };
        let named = |name: &str| component.lines.iter().filter(move |line| line.name == name).collect::<Vec<_>>();
        let (mut also, mut except) = (Vec::new(), Vec::new());
        for line in named("RDATE") {
            also.extend(self.points(line)?.iter().map(|point| point.by(&zone, self.own)));
        }
        for line in named("EXDATE").into_iter().filter(|line| !line.raw().is_empty()) {
            except.extend(self.points(line)?.into_iter().map(|point| (line.span.clone(), point)));
        }
        if let Some(line) = component.line(&["EXRULE"]) {
            self.find(line.span.clone(), "EXRULE", "rules for exceptions are not followed", "list them as `EXDATE`");
        }
        let instead_of = match component.line(&["RECURRENCE-ID"]) {
            Some(line) => {
                if line.entry().is_some_and(|entry| entry.has_parameter(&ICalendarParameterName::Range)) {
                    let message = "a change of this occurrence and all that follow is not followed";
                    let mend = "end the series before it (`UNTIL`) and begin a new one";
                    self.find(line.span.clone(), "RECURRENCE-ID", message, mend);
                }
                Some((line.span.clone(), self.point(line)?))
            }
            None => None,
        };
        Some(Event {
            span: component.span.clone(),
            uid: component.line(&["UID"]).map(|line| (line.span.clone(), line.text())),
            start: start.at,
            start_span: start_line.span.clone(),
            end_span,
            lasts,
            zone,
            fields,
            status,
            rule,
            also,
            except,
            instead_of,
        })
    }

    /// How long an event lasts, and the place that says so.
    fn lasts(
        &mut self,
        component: &Component,
        start_line: &Line,
        start: &Point,
        zone: &TimeZone,
    ) -> Option<(Range<usize>, SignedDuration)> {
        if let Some(line) = component.line(&["DTEND"]) {
            let end = self.point(line)?.by(zone, self.own);
            return Some((line.span.clone(), end.duration_since(start.at)));
        }
        if let Some(line) = component.line(&["DURATION"]) {
            let value = line.entry().and_then(|entry| entry.values.into_iter().next());
            if let Some(ICalendarValue::Duration(length)) = value {
                return Some((line.span.clone(), SignedDuration::from_secs(length.as_seconds())));
            }
            let message = format!("`{}` is no length of time", line.raw());
            self.find(line.span.clone(), "DURATION", message, "write for instance `PT2H30M`");
            return None;
        }
        let mend = "write when it ends (`DTEND`) or how long it lasts (`DURATION:PT2H`)";
        self.find(start_line.span.clone(), "DTEND", "the event has no end", mend);
        None
    }

    /// A rule, and its end by the clocks of the event's zone.
    fn rule(
        &mut self,
        line: &Line,
        zone: &TimeZone,
    ) -> Option<(Range<usize>, ICalendarRecurrenceRule, Option<DateTime>)> {
        let value = line.entry().and_then(|entry| entry.values.into_iter().next());
        let Some(ICalendarValue::RecurrenceRule(rule)) = value else {
            let message = format!("`{}` is no rule of recurrence", line.raw());
            self.find(line.span.clone(), "RRULE", message, "write for instance `FREQ=DAILY;UNTIL=20260726T235959Z`");
            return None;
        };
        let until = match &rule.until {
            None => None,
            Some(until) => {
                let point = crate::programme::ics::zones::point(until, None);
                let Some(point) = point else {
                    let message = format!("the end of `{}` is no time", line.raw());
                    self.find(line.span.clone(), "RRULE", message, "write for instance `UNTIL=20260726T235959Z`");
                    return None;
                };
                // A day without a time is meant with that day; a time without a zone is told like the start.
                let last = point.at.date().at(23, 59, 59, 0);
                Some(if point.is_day { last } else { point.by(zone, zone) })
            }
        };
        Some((line.span.clone(), *rule, until))
    }

    fn status(&mut self, component: &Component) -> Option<(Range<usize>, String)> {
        if let Some(line) = component.line(&STATUS) {
            return Some((line.span.clone(), line.text().to_lowercase().replace([' ', '-'], "_")));
        }
        let line = component.line(&["STATUS"])?;
        match line.raw().to_uppercase().as_str() {
            "CANCELLED" | "CANCELED" => Some((line.span.clone(), "cancelled".to_owned())),
            // What may still change is announced all the same: whoever gives the calendar to a gate wants it told.
            "CONFIRMED" | "TENTATIVE" => None,
            other => {
                let message = format!("`{other}` is no status of an event");
                let mend =
                    "write `CONFIRMED` or `CANCELLED`; for `delayed`, `moved` and `sold_out` write `X-USHER-STATUS`";
                self.find(line.span.clone(), "STATUS", message, mend);
                None
            }
        }
    }

    fn fields(&mut self, component: &Component) -> Vec<Entry> {
        let mut fields = Vec::new();
        for (key, names) in FIELDS {
            let Some(line) = component.line(names) else { continue };
            let text = line.text();
            // Of several categories the first is the sport.
            let text = if line.name == "CATEGORIES" { text.split(", ").next().unwrap_or_default() } else { &text };
            fields.push(field(key, line.span.clone(), text));
        }
        if let Some(line) = component.line(&["LOCATION"]) {
            let text = line.text();
            let place = component.line(&PLACE);
            // Whoever names the place on its own, even as none, means the location whole.
            let is_whole = component.lines.iter().any(|line| PLACE.contains(&line.name.as_str()));
            let (venue, rest) = text.split_once(',').filter(|_| !is_whole).unwrap_or((&text, ""));
            fields.push(field("venue", line.span.clone(), venue.trim()));
            let place =
                place.map_or((line.span.clone(), rest.trim().to_owned()), |place| (place.span.clone(), place.text()));
            if !place.1.is_empty() {
                fields.push(field("place", place.0, &place.1));
            }
        }
        let missing = [
            ("sport", "CATEGORIES", "write the sport: `CATEGORIES:Athletics`"),
            ("title", "SUMMARY", "write what is on: `SUMMARY:Women's 100 m heats`"),
            ("venue", "LOCATION", "write where: `LOCATION:Olympic Stadium\\, Track`"),
        ];
        for (key, name, mend) in missing {
            if fields.iter().all(|entry| entry.key != key) {
                self.find(component.span.clone(), name, format!("the event has no `{name}`"), mend);
                // Said once, and better than the shape of a session would say it.
                fields.push(field(key, component.span.clone(), "-"));
            }
        }
        fields
    }
}

/// A key of a session.
pub(crate) fn field(key: &str, span: Range<usize>, text: &str) -> Entry {
    let kind = Kind::Scalar { text: text.to_owned(), plain: true };
    Entry { key: key.to_owned(), key_span: span.clone(), value: Node { span, kind, secret: false } }
}
