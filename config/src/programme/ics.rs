//! A programme as iCalendar (RFC 5545): an event a session.
//!
//! What calendars and ticket shops export. A series that goes on for ever is a session that repeats; one with an end is
//! written out, an occurrence a session. What comes of it is the tree that a YAML file becomes, so the very same checks
//! judge it.

mod event;
mod lines;
mod series;
mod zones;

use crate::{
    document::{
        self,
        tree::{Entry, Kind, Node},
    },
    problem::{Finding, Problems},
    programme::{Programme, check, times::Zone, written::Written},
    text::Textual,
};
use event::{Event, Reader, field};
use jiff::{civil::DateTime, tz::TimeZone};
use lines::{Component, components, masked};
use series::Series;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use zones::Zones;

/// Reads a programme from the text of an iCalendar file; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str) -> Result<Programme, Problems> {
    let text = document::plain(text);
    let shown: Arc<str> = Arc::from(document::without_control(&masked(&text)));
    let mut findings = Vec::new();
    let written = read(&text, &mut findings);
    findings.iter_mut().for_each(reword);
    Problems::of(findings, file_name, &shown)?;
    let mend = "check that it is the right file; iCalendar begins with `BEGIN:VCALENDAR`";
    Ok(written.ok_or_else(|| Problems::whole_file(file_name, "this is no iCalendar file", mend))?.meant())
}

/// The programme; `None` only where `findings` say what is wrong.
fn read(text: &str, findings: &mut Vec<Finding>) -> Option<Written> {
    if let Some(at) = document::control(text) {
        let mend = "remove it, or check that this is the right file";
        findings.push(Finding::new(at..at + 1, "", "this is no calendar: a control character stands here", mend));
        return None;
    }
    let components = components(text, findings)?;
    let zones = Zones::of(&components);
    let (zone, entry) = own_zone(&components, &zones, findings)?;
    let mut reader = Reader { zones: &zones, own: &zone, findings };
    let written = components.iter().filter(|component| component.kind == "VEVENT");
    let events: Vec<Event> = written.filter_map(|component| reader.event(component)).collect();
    let sessions = sessions(&events, &zone, findings);
    let top = components[0].span.clone();
    let sessions = Node { span: top.clone(), kind: Kind::List(sessions), secret: false };
    let entries = vec![entry, Entry { key: "sessions".to_owned(), key_span: top, value: sessions }];
    let root = Node { span: 0..text.len(), kind: Kind::Map(entries), secret: false };
    document::held(&root, findings, check::check)
}

/// The venue's clocks: what the calendar says of itself, else the one zone that its events are told in.
fn own_zone(components: &[Component], zones: &Zones, findings: &mut Vec<Finding>) -> Option<(TimeZone, Entry)> {
    let said = components.iter().filter(|component| component.kind == "VCALENDAR");
    let said = said.filter_map(|component| component.line(&["X-WR-TIMEZONE", "TIMEZONE-ID"])).next();
    let mend = "say whose clocks the screens show: `X-WR-TIMEZONE:Europe/Berlin` below `BEGIN:VCALENDAR`";
    let (span, name) = if let Some(line) = said {
        (line.span.clone(), line.text())
    } else {
        let starts = components.iter().filter(|component| component.kind == "VEVENT");
        let starts = starts.filter_map(|component| component.line(&["DTSTART"]));
        let told: Vec<_> =
            starts.filter_map(|line| Some((line.span.clone(), line.entry()?.tz_id()?.to_owned()))).collect();
        let names: HashSet<&str> = told.iter().map(|(_, name)| name.as_str()).collect();
        if names.len() > 1 {
            let mut names: Vec<&str> = names.into_iter().collect();
            names.sort_unstable();
            let message = format!("the events are told in several time zones: `{}`", names.join("`, `"));
            findings.push(Finding::new(components[0].span.clone(), "X-WR-TIMEZONE", message, mend));
            return None;
        }
        let Some(first) = told.into_iter().next() else {
            let message = "the calendar names no time zone";
            findings.push(Finding::new(components[0].span.clone(), "X-WR-TIMEZONE", message, mend));
            return None;
        };
        first
    };
    let zone = zones.named(&name);
    match zone.as_ref().and_then(|zone| Zone::read(zone.iana_name()?).ok()) {
        Some(known) => Some((known.meant(), field("time_zone", span, known.name()))),
        None => {
            let mend = "name it as the IANA does, such as `Europe/Berlin`";
            findings.push(Finding::new(span, "X-WR-TIMEZONE", format!("`{name}` is no time zone of a place"), mend));
            None
        }
    }
}

/// The events as sessions: series followed, changed occurrences in their place.
fn sessions(events: &[Event], own: &TimeZone, findings: &mut Vec<Finding>) -> Vec<Node> {
    let uid = |event: &Event| event.uid.as_ref().map(|(_, uid)| uid.clone());
    let mut changed: HashMap<(Option<String>, DateTime), &Event> = HashMap::new();
    for event in events {
        if let Some((_, original)) = &event.instead_of {
            changed.insert((uid(event), original.by(own, own)), event);
        }
    }
    let mut used: HashSet<*const Event> = HashSet::new();
    let mut sessions = Vec::new();
    for event in events.iter().filter(|event| event.instead_of.is_none()) {
        let times = match series(event, &changed, own) {
            Ok(Held::Once) => {
                sessions.push(session(event, event.start, own, None, None));
                continue;
            }
            Ok(Held::Weekly(days)) => {
                sessions.push(session(event, event.start, own, Some(&days), None));
                continue;
            }
            Ok(Held::Times(times)) => times,
            Err((span, key, message, mend)) => {
                findings.push(Finding::new(span, key, message, mend));
                continue;
            }
        };
        for at in times {
            let told = by_own(event, at, own);
            let id = event.uid.as_ref().map(|(_, uid)| format!("{uid}/{}", stamp(at)));
            match changed.get(&(uid(event), told)) {
                Some(instead) => {
                    used.insert(*instead);
                    sessions.push(changed_session(event, at, instead, own, id.as_deref()));
                }
                None => sessions.push(session(event, at, own, None, id.as_deref())),
            }
        }
    }
    let with_series: HashSet<Option<String>> =
        events.iter().filter(|event| event.rule.is_some() && event.uid.is_some()).map(uid).collect();
    for event in events.iter().filter(|event| !used.contains(&std::ptr::from_ref(*event))) {
        let Some((span, original)) = &event.instead_of else { continue };
        if with_series.contains(&uid(event)) {
            let message = "no occurrence of the series is held then";
            let mend = "write the occurrence's own start as it was, with the same `TZID` as `DTSTART`";
            findings.push(Finding::new(span.clone(), "RECURRENCE-ID", message, mend));
        }
        // An occurrence that came without its series is a session all the same.
        let at = original.by(&event.zone, own);
        let id = event.uid.as_ref().map(|(_, uid)| format!("{uid}/{}", stamp(at)));
        sessions.push(session(event, event.start, own, None, id.as_deref()));
    }
    sessions
}

/// When an event is held.
enum Held {
    Once,
    Weekly(Vec<&'static str>),
    /// By the clocks of the event's own zone.
    Times(Vec<DateTime>),
}

/// Follows an event's series.
fn series(
    event: &Event,
    changed: &HashMap<(Option<String>, DateTime), &Event>,
    own: &TimeZone,
) -> Result<Held, (std::ops::Range<usize>, &'static str, String, String)> {
    let mut times = match &event.rule {
        None if event.also.is_empty() => return Ok(Held::Once),
        None => vec![event.start],
        Some((span, rule, until)) => {
            let wrong = |(message, mend)| (span.clone(), "RRULE", message, mend);
            match series::follow(rule, event.start, *until).map_err(wrong)? {
                Series::Times(times) => times,
                Series::Weekly(days) => {
                    let uid = event.uid.as_ref().map(|(_, uid)| uid.as_str());
                    let is_changed = changed.keys().any(|(other, _)| other.is_some() && other.as_deref() == uid);
                    let exceptions = !event.also.is_empty() || !event.except.is_empty() || is_changed;
                    if !exceptions && event.zone == *own {
                        return Ok(Held::Weekly(days));
                    }
                    let why =
                        if exceptions { "has exceptions" } else { "is told in another time zone than the calendar" };
                    let message = format!("the event repeats without an end and {why}");
                    return Err(wrong((message, "add `UNTIL=` or `COUNT=` to the rule".to_owned())));
                }
            }
        }
    };
    times.extend(&event.also);
    times.sort_unstable();
    times.dedup();
    let (first, last) = (times.first().copied(), times.last().copied());
    for (span, point) in &event.except {
        let at = point.by(&event.zone, own);
        let before = times.len();
        times.retain(|time| if point.is_day { time.date() != point.at.date() } else { *time != at });
        // One outside the series is left over from a longer one; one inside it was meant for something.
        let inside = first.is_some_and(|first| first <= at) && last.is_some_and(|last| at <= last);
        if times.len() == before && inside {
            let message = format!("nothing is held at `{}`, which is left out here", stamp(at));
            let mend = "write the occurrence's own start, with the same `TZID` as `DTSTART`";
            return Err((span.clone(), "EXDATE", message, mend.to_owned()));
        }
    }
    Ok(Held::Times(times))
}

/// What the venue's clocks show when those of the event's zone show `at`.
fn by_own(event: &Event, at: DateTime, own: &TimeZone) -> DateTime {
    zones::Point { at, zone: Some(event.zone.clone()), is_day: false }.by(own, own)
}

/// An occurrence that another event stands for: later on its day is delayed, at another time or place moved.
fn changed_session(event: &Event, at: DateTime, instead: &Event, own: &TimeZone, id: Option<&str>) -> Node {
    let (before, now) = (by_own(event, at, own), by_own(instead, instead.start, own));
    let place = |event: &Event, key: &str| {
        event.fields.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.text().map(str::to_owned))
    };
    let stays = ["venue", "place"].iter().all(|key| place(event, key) == place(instead, key));
    let status = match (stays, now) {
        (true, now) if now == before => None,
        (true, now) if now > before && now.date() == before.date() => Some("delayed"),
        _ => Some("moved"),
    };
    let mut node = session(instead, instead.start, own, None, id);
    if let (Some(status), Kind::Map(entries)) = (status.filter(|_| instead.status.is_none()), &mut node.kind) {
        entries.push(field("status", instead.start_span.clone(), status));
    }
    node
}

/// One session. `days` where it repeats; `id` where it is an occurrence of a series.
fn session(event: &Event, at: DateTime, own: &TimeZone, days: Option<&[&str]>, id: Option<&str>) -> Node {
    let start = by_own(event, at, own);
    let end = by_own(event, at.saturating_add(event.lasts), own);
    let told = |at: DateTime| match days {
        Some(_) => format!("{:02}:{:02}", at.hour(), at.minute()),
        None => format!("{} {:02}:{:02}", at.date(), at.hour(), at.minute()),
    };
    let mut entries = event.fields.clone();
    entries.push(field("start", event.start_span.clone(), &told(start)));
    entries.push(field("end", event.end_span.clone(), &told(end)));
    if let Some((span, uid)) = &event.uid {
        entries.push(field("id", span.clone(), id.unwrap_or(uid)));
    }
    if let Some((span, status)) = &event.status {
        entries.push(field("status", span.clone(), status));
    }
    if let Some(days) = days {
        let span = event.rule.as_ref().map_or(event.span.clone(), |(span, ..)| span.clone());
        let list = days.iter().map(|day| field("days", span.clone(), day).value).collect();
        let value = Node { span: span.clone(), kind: Kind::List(list), secret: false };
        entries.push(Entry { key: "days".to_owned(), key_span: span, value });
    }
    Node { span: event.span.clone(), kind: Kind::Map(entries), secret: false }
}

/// A time as part of an id: `2026-07-14T10:00`.
fn stamp(at: DateTime) -> String {
    format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// A finding in the words of a calendar: properties instead of keys.
fn reword(finding: &mut Finding) {
    let Some((_, key)) = finding.key.strip_prefix("sessions[").and_then(|rest| rest.split_once(']')) else { return };
    let key = key.trim_start_matches('.').split('[').next().unwrap_or_default().to_owned();
    let name = match key.as_str() {
        "start" => "DTSTART",
        "end" => "DTEND",
        "title" => "SUMMARY",
        "venue" | "place" => "LOCATION",
        "sport" => "CATEGORIES",
        "id" => "UID",
        "days" => "RRULE",
        "status" => "X-USHER-STATUS",
        "discipline" => "X-USHER-DISCIPLINE",
        "gate" => "X-USHER-GATE",
        "attendance" => "X-USHER-ATTENDANCE",
        _ => return,
    };
    // Missing properties are found where the event is read, in better words.
    finding.mend = finding.mend.replace(&format!("`{key}: "), &format!("`{name}:"));
    finding.message = finding.message.replace(&format!("`{key}`"), &format!("`{name}`"));
    finding.key = name.to_owned();
}
