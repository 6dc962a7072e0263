//! Times of a calendar and the zones they are told in.
//!
//! Names of zones are understood as calcard understands them: of the IANA, of Windows, with prefixes of old exporters, or
//! as a `VTIMEZONE` says by `X-LIC-LOCATION`. What such a component says of offsets is not read: the database knows better.

use crate::programme::ics::lines::Component;
use calcard::{
    Entry, Parser,
    common::{PartialDateTime, timezone::Tz},
    icalendar::{ICalendarEntry, ICalendarValue},
};
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use std::{collections::HashMap, str::FromStr};

/// A time, and whose clocks show it.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) at: DateTime,
    /// `None`: those of the venue ("floating").
    pub(crate) zone: Option<TimeZone>,
    /// A day without a time.
    pub(crate) is_day: bool,
}

/// The zones that a calendar defines for itself, by its names for them.
#[derive(Default)]
pub(crate) struct Zones(HashMap<String, TimeZone>);

impl Zones {
    pub(crate) fn of(components: &[Component]) -> Self {
        let defined = components.iter().filter(|component| component.kind == "VTIMEZONE").filter_map(|component| {
            let lines: Vec<String> = ["TZID", "X-LIC-LOCATION", "X-MICROSOFT-CDO-TZID"]
                .iter()
                .filter_map(|name| Some(format!("{name}:{}\r\n", component.line(&[name])?.raw())))
                .collect();
            let text = format!("BEGIN:VTIMEZONE\r\n{}END:VTIMEZONE\r\n", lines.concat());
            let Entry::ICalendar(calendar) = Parser::new(&text).entry() else { return None };
            let (name, zone) = calendar.components.first()?.timezone()?;
            Some((name.to_owned(), meant(zone)?))
        });
        Self(defined.collect())
    }

    /// The zone of a name.
    pub(crate) fn named(&self, name: &str) -> Option<TimeZone> {
        self.0.get(name).cloned().or_else(|| meant(Tz::from_str(name).ok()?)).or_else(|| {
            // `/freeassociation.sourceforge.net/Europe/Berlin`: a name in somebody's registry.
            let mut rest = name.strip_prefix('/')?;
            loop {
                rest = rest.split_once('/')?.1;
                if let (true, Ok(zone)) = (rest.contains('/'), TimeZone::get(rest)) {
                    return Some(zone);
                }
            }
        })
    }

    /// The times of a property.
    ///
    /// # Errors
    /// What is wrong with it, and the mend.
    pub(crate) fn points(&self, entry: &ICalendarEntry, written: &str) -> Result<Vec<Point>, (String, String)> {
        let no_time = || {
            let mend = "write `20260714T100000` with `TZID`, or `20260714T080000Z` for UTC";
            (format!("`{written}` is no time"), mend.to_owned())
        };
        let named = match entry.tz_id() {
            None => None,
            Some(name) => Some(self.named(name).ok_or_else(|| {
                let mend = "name it as the IANA does, such as `TZID=Europe/Berlin`";
                (format!("`{name}` is no time zone"), mend.to_owned())
            })?),
        };
        if entry.values.is_empty() {
            return Err(no_time());
        }
        let points = entry.values.iter().map(|value| match value {
            ICalendarValue::PartialDateTime(time) => point(time, named.clone()),
            _ => None,
        });
        points.collect::<Option<Vec<_>>>().ok_or_else(no_time)
    }
}

/// A zone of calcard's as one of ours.
fn meant(zone: Tz) -> Option<TimeZone> {
    match zone {
        Tz::Floating => None,
        Tz::Fixed(offset) => Some(TimeZone::fixed(Offset::from_seconds(offset.local_minus_utc()).ok()?)),
        Tz::Tz(_) => TimeZone::get(&zone.name()?).ok(),
    }
}

pub(crate) fn point(time: &PartialDateTime, named: Option<TimeZone>) -> Option<Point> {
    let small = |number: u8| i8::try_from(number).ok();
    let (year, month, day) = (i16::try_from(time.year?).ok()?, small(time.month?)?, small(time.day?)?);
    let is_day = time.hour.is_none();
    let (hour, minute) = (small(time.hour.unwrap_or(0))?, small(time.minute.unwrap_or(0))?);
    let at = DateTime::new(year, month, day, hour, minute, 0, 0).ok()?;
    let offset = time.tz_hour.map(|hours| {
        let seconds = i32::from(hours) * 3600 + i32::from(time.tz_minute.unwrap_or(0)) * 60;
        if time.tz_minus { -seconds } else { seconds }
    });
    let zone = match offset {
        Some(0) => Some(TimeZone::UTC),
        Some(seconds) => Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?)),
        None => named,
    };
    Some(Point { at, zone, is_day })
}

impl Point {
    /// What the clocks of `own` show then; a point without a zone was told by `floating`'s.
    pub(crate) fn by(&self, own: &TimeZone, floating: &TimeZone) -> DateTime {
        let zone = self.zone.as_ref().unwrap_or(floating);
        if zone == own {
            return self.at;
        }
        let moment = self.at.to_zoned(zone.clone());
        moment.map_or(self.at, |moment| moment.with_time_zone(own.clone()).datetime())
    }
}
