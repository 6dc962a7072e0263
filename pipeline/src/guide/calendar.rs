//! A day as a calendar file (iCalendar, RFC 5545), to be taken into the visitor's own.

use crate::guide::day::{Day, Stop, StopKind};
use calcard::{
    common::PartialDateTime,
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType as Component, ICalendarProperty as Property,
        ICalendarValue as Value,
    },
};
use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest as _, Sha256};

/// The day's sessions, meals, rests and way home, in UTC, as the text of an `.ics` file. Holds no name of a visitor.
pub fn ics(day: &Day, now: Timestamp) -> String {
    let mut calendar = ICalendarComponent::new(Component::VCalendar);
    calendar.add_property(Property::Version, Value::Text("2.0".to_owned()));
    calendar.add_property(Property::Prodid, Value::Text("-//usher//day//EN".to_owned()));
    let events: Vec<_> = day.stops.iter().filter_map(|stop| event(stop, now)).collect();
    calendar.component_ids = (1..=events.len() as u32).collect();
    let mut components = vec![calendar];
    components.extend(events);
    ICalendar { components }.to_string()
}

/// One stop; `None` for arriving, which is over, and for whatever has no time.
fn event(stop: &Stop, now: Timestamp) -> Option<ICalendarComponent> {
    if stop.kind == StopKind::Arrive {
        return None;
    }
    let (starts, ends) = (utc(stop.starts.parse().ok()?)?, utc(stop.ends.parse().ok()?)?);
    let mut event = ICalendarComponent::new(Component::VEvent);
    event.add_uid(&uid(stop));
    event.add_dtstamp(utc(now)?);
    event.add_property(Property::Dtstart, Value::PartialDateTime(Box::new(starts)));
    event.add_property(Property::Dtend, Value::PartialDateTime(Box::new(ends)));
    event.add_property(Property::Summary, Value::Text(stop.title.clone()));
    if !stop.place.is_empty() {
        event.add_property(Property::Location, Value::Text(stop.place.clone()));
    }
    Some(event)
}

/// The same for the same stop, so that a day that is taken along twice is in the calendar once; a session keeps it when it moves.
fn uid(stop: &Stop) -> String {
    let of = stop
        .session
        .clone()
        .unwrap_or_else(|| format!("{:?}/{}/{}/{}", stop.kind, stop.title, stop.place, stop.starts));
    let hash = Sha256::digest(of.as_bytes());
    format!("{}@usher", data_encoding::HEXLOWER.encode(&hash[..16]))
}

fn utc(at: Timestamp) -> Option<PartialDateTime> {
    let at = at.to_zoned(TimeZone::UTC);
    let small = |n: i8| u8::try_from(n).ok();
    Some(PartialDateTime {
        year: Some(u16::try_from(at.year()).ok()?),
        month: Some(small(at.month())?),
        day: Some(small(at.day())?),
        hour: Some(small(at.hour())?),
        minute: Some(small(at.minute())?),
        second: Some(small(at.second())?),
        tz_hour: Some(0),
        tz_minute: Some(0),
        tz_minus: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use calcard::{Entry, Parser};

    fn stop(kind: StopKind, title: &str, session: Option<&str>) -> Stop {
        Stop {
            kind,
            title: title.to_owned(),
            place: "Hall 2; row K, seat 1".to_owned(),
            starts: "2026-07-14T19:00:00+02:00".to_owned(),
            ends: "2026-07-14T20:30:00+02:00".to_owned(),
            walk_s: 0,
            walk_m: 0,
            gate: None,
            wait_s: 0,
            session: session.map(str::to_owned),
            status: None,
            at: None,
            why: Vec::new(),
        }
    }

    fn now() -> Timestamp {
        "2026-07-14T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_day_is_read_back_by_a_calendar() {
        let title = "Women’s 1500 m: semi-finals, heat 2; \"Épée\" \\ and a line that is so long that it has to be folded twice";
        let day = Day {
            stops: vec![stop(StopKind::Arrive, "Gate A", None), stop(StopKind::Session, title, Some("S1"))],
            route: Vec::new(),
        };
        let text = ics(&day, now());
        assert!(text.lines().all(|line| line.len() <= 76), "{text}");
        assert!(text.contains("DTSTART:20260714T170000Z") && text.contains("DTEND:20260714T183000Z"), "{text}");
        let Entry::ICalendar(read) = Parser::new(&text).entry() else { panic!("no calendar: {text}") };
        let events: Vec<_> = read.components.iter().filter(|one| one.component_type == Component::VEvent).collect();
        assert_eq!(events.len(), 1, "arriving is over");
        let summary = events[0].entries.iter().find(|entry| entry.name == Property::Summary).unwrap();
        assert_eq!(summary.values, [Value::Text(title.to_owned())]);
    }

    #[test]
    fn a_session_that_moves_is_the_same_event() {
        let before = stop(StopKind::Session, "Final", Some("S1"));
        let after = Stop { starts: "2026-07-14T19:30:00+02:00".to_owned(), ..before.clone() };
        assert_eq!(uid(&before), uid(&after));
        assert_ne!(uid(&before), uid(&stop(StopKind::Session, "Final", Some("S2"))));
    }
}
