//! A feed as it is read: table by table, each reference held against the tables before.

use crate::{
    places::Position,
    problem::Problems,
    programme::times::Zone,
    text::Textual,
    transit::{
        Call, NONE, Stop, Transit, Trip, distance,
        feed::Feed,
        service::Services,
        table::{Row, Table, Troubles},
    },
};
use jiff::{civil::Date, tz::TimeZone};
use std::{collections::HashMap, path::Path};

/// The mend for what a publisher must mend.
const PUBLISHER: &str = "tell whoever publishes the feed, or use the version before";

/// The feed, and what is read of it so far.
struct Load {
    feed: Feed,
    rest: Rest,
}

/// What is read so far; every table is held against it.
#[derive(Default)]
struct Rest {
    troubles: Troubles,
    words: Words,
    routes: HashMap<Vec<u8>, u32>,
    services: Services,
    service_ids: HashMap<Vec<u8>, u32>,
    trips: Vec<Trip>,
    trip_ids: HashMap<Vec<u8>, u32>,
    /// Every stop's name, and its index among those that are kept.
    all_stops: Vec<(String, Option<usize>)>,
    stop_ids: HashMap<Vec<u8>, u32>,
    stops: Vec<Stop>,
}

/// Words, each once.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    known: HashMap<String, u32>,
}

impl Words {
    fn of(&mut self, word: &str) -> u32 {
        if let Some(known) = self.known.get(word) {
            return *known;
        }
        let index = u32::try_from(self.all.len()).unwrap_or(NONE - 1);
        self.all.push(word.to_owned());
        self.known.insert(word.to_owned(), index);
        index
    }
}

/// Reads a feed; `near`: only the stops within so many metres of one of some positions.
///
/// # Errors
/// Every problem, or that it cannot be opened.
pub(crate) fn load(path: &Path, near: Option<(&[Position], f64)>) -> Result<Transit, Problems> {
    let mut load = Load { feed: Feed::open(path)?, rest: Rest::default() };
    let time_zone = load.agency();
    load.read_routes();
    load.read_services();
    load.read_trips();
    load.read_frequencies();
    load.read_stops(near);
    let calls = load.read_calls();
    let Load { feed, rest } = load;
    let Rest { mut troubles, words, services, trips, stops, .. } = rest;
    if services.last_day().is_none() && !troubles.are_many() {
        let mend = "fetch a feed that is valid now";
        troubles.find(&feed.name("calendar.txt"), 0, "", "nothing runs on any day of this feed", mend);
    }
    troubles.all()?;
    Ok(Transit { time_zone, stops, calls, trips, words: words.all, services })
}

impl Load {
    /// Reads a table row by row.
    fn each(
        &mut self,
        file: &str,
        columns: &'static [&'static str],
        required: usize,
        is_needed: bool,
        mut take: impl FnMut(&mut Rest, &Row<'_>),
    ) {
        let name = self.feed.name(file);
        let rest = &mut self.rest;
        let Some(bytes) = self.feed.file(file) else {
            if is_needed {
                let mend = "fetch the feed again, or ask whoever publishes it: GTFS requires the file";
                rest.troubles.find(&name, 0, "", format!("`{file}` is missing from the feed"), mend);
            }
            return;
        };
        let Some(mut table) = Table::open(name, bytes, columns, required, &mut rest.troubles) else { return };
        while let Some(row) = table.next(&mut rest.troubles) {
            take(rest, &row);
        }
    }

    fn agency(&mut self) -> TimeZone {
        let mut zone = None;
        self.each("agency.txt", &["agency_timezone"], 1, true, |rest, row| {
            let name = row.text(0);
            match Zone::read(&name) {
                Ok(read) => zone = zone.take().or(Some(read)),
                Err(unfit) => row.find(0, &mut rest.troubles, unfit.message, &unfit.mend),
            }
        });
        zone.map_or(TimeZone::UTC, |zone| zone.meant())
    }

    fn read_routes(&mut self) {
        self.each("routes.txt", &["route_id", "route_short_name", "route_long_name"], 1, true, |rest, row| {
            let name = [1, 2, 0].into_iter().map(|column| row.text(column)).find(|name| !name.is_empty());
            let line = rest.words.of(&name.unwrap_or_default());
            rest.routes.insert(row.bytes(0).to_vec(), line);
        });
    }

    fn read_services(&mut self) {
        const WEEK: &[&str] = &[
            "service_id",
            "start_date",
            "end_date",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        self.each("calendar.txt", WEEK, WEEK.len(), false, |rest, row| {
            let (Some(from), Some(to)) = (date(rest, row, 1), date(rest, row, 2)) else { return };
            if to < from {
                let message = format!("the service ends on {to}, before it begins on {from}");
                row.find(2, &mut rest.troubles, message, PUBLISHER);
            }
            let days = (0..7).filter(|day| row.bytes(3 + day) == b"1").fold(0, |days, day| days | 1 << day);
            let service = rest.service(row.bytes(0));
            rest.services.weekly(service, days, from, to);
        });
        self.each("calendar_dates.txt", &["service_id", "date", "exception_type"], 3, false, |rest, row| {
            let Some(date) = date(rest, row, 1) else { return };
            let service = rest.service(row.bytes(0));
            match row.bytes(2) {
                b"1" => rest.services.except(service, date, true),
                b"2" => rest.services.except(service, date, false),
                _ => {
                    let message = format!("`exception_type` is `{}`, which is neither 1 (runs) nor 2", row.text(2));
                    row.find(2, &mut rest.troubles, message, PUBLISHER);
                }
            }
        });
        let is_there = ["calendar.txt", "calendar_dates.txt"].iter().any(|file| self.feed.file(file).is_some());
        if !is_there {
            let name = self.feed.name("calendar.txt");
            let mend = "fetch the feed again, or ask whoever publishes it: GTFS requires one of the two";
            self.rest.troubles.find(
                &name,
                0,
                "",
                "neither `calendar.txt` nor `calendar_dates.txt` is in the feed",
                mend,
            );
        }
    }

    fn read_trips(&mut self) {
        self.each("trips.txt", &["trip_id", "route_id", "service_id", "trip_headsign"], 3, true, |rest, row| {
            let Some(line) = rest.routes.get(row.bytes(1)).copied() else {
                let message = format!("the trip's route `{}` is not in `routes.txt`", row.text(1));
                return row.find(1, &mut rest.troubles, message, PUBLISHER);
            };
            let Some(service) = rest.service_ids.get(row.bytes(2)).copied() else {
                let message = format!(
                    "the trip's service `{}` is in neither `calendar.txt` nor `calendar_dates.txt`",
                    row.text(2)
                );
                return row.find(2, &mut rest.troubles, message, PUBLISHER);
            };
            let towards = if row.bytes(3).is_empty() { NONE } else { rest.words.of(&row.text(3)) };
            let index = u32::try_from(rest.trips.len()).unwrap_or(NONE);
            if rest.trip_ids.insert(row.bytes(0).to_vec(), index).is_some() {
                let message = format!("the trip `{}` stands here a second time", row.text(0));
                row.find(0, &mut rest.troubles, message, PUBLISHER);
            }
            rest.trips.push(Trip { line, towards, service, begins: 0, intervals: Vec::new() });
        });
    }

    fn read_frequencies(&mut self) {
        let columns = &["trip_id", "start_time", "end_time", "headway_secs"];
        self.each("frequencies.txt", columns, 4, false, |rest, row| {
            let Some(trip) = rest.trip_ids.get(row.bytes(0)).copied() else {
                let message = format!("the trip `{}` is not in `trips.txt`", row.text(0));
                return row.find(0, &mut rest.troubles, message, PUBLISHER);
            };
            let (Some(from), Some(to)) = (time(rest, row, 1), time(rest, row, 2)) else { return };
            match row.text(3).parse::<u32>().ok().filter(|every| *every > 0) {
                Some(every) => rest.trips[trip as usize].intervals.push((from, to, every)),
                None => {
                    let message = format!("`headway_secs` is `{}`, not a number of seconds", row.text(3));
                    row.find(3, &mut rest.troubles, message, PUBLISHER);
                }
            }
        });
    }

    fn read_stops(&mut self, near: Option<(&[Position], f64)>) {
        let columns = &["stop_id", "stop_lat", "stop_lon", "stop_name", "location_type", "parent_station"];
        // Stations may stand behind their platforms.
        let mut stations: Vec<(usize, Vec<u8>)> = Vec::new();
        self.each("stops.txt", columns, 3, true, |rest, row| {
            let index = u32::try_from(rest.all_stops.len()).unwrap_or(NONE);
            let name = if row.bytes(3).is_empty() { row.text(0) } else { row.text(3) };
            rest.stop_ids.insert(row.bytes(0).to_vec(), index);
            rest.all_stops.push((name.clone().into_owned(), None));
            // Entrances, nodes of a station and where one boards a train: nothing leaves from them.
            if !matches!(row.bytes(4), b"" | b"0" | b"1") {
                return;
            }
            let degrees =
                |column: usize, most: f64| row.text(column).parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
            let (latitude, longitude) = (degrees(1, 90.0), degrees(2, 180.0));
            for (column, degrees, most) in [(1, latitude, 90), (2, longitude, 180)] {
                if degrees.is_none() {
                    let message = match row.text(column) {
                        text if text.is_empty() => "the stop has no position".to_owned(),
                        text => format!("`{text}` are no degrees from -{most} to {most}"),
                    };
                    row.find(column, &mut rest.troubles, message, PUBLISHER);
                }
            }
            let Some((latitude, longitude)) = latitude.zip(longitude) else { return };
            let at = Position { longitude, latitude };
            if near.is_some_and(|(others, metres)| others.iter().all(|other| distance(*other, at) > metres)) {
                return;
            }
            if !row.bytes(5).is_empty() {
                stations.push((rest.stops.len(), row.bytes(5).to_vec()));
            }
            if let Some(stop) = rest.all_stops.last_mut() {
                stop.1 = Some(rest.stops.len());
            }
            rest.stops.push(Stop { id: row.text(0).into_owned(), name: name.into_owned(), at, station: None });
        });
        for (stop, station) in stations {
            let station = self.rest.stop_ids.get(&station).and_then(|index| self.rest.all_stops[*index as usize].1);
            self.rest.stops[stop].station = station;
        }
    }

    /// When vehicles call at each stop that is kept, the earliest first.
    fn read_calls(&mut self) -> Vec<Vec<Call>> {
        let columns =
            &["trip_id", "stop_id", "stop_sequence", "departure_time", "arrival_time", "stop_headsign", "pickup_type"];
        let mut calls: Vec<Vec<Call>> = vec![Vec::new(); self.rest.stops.len()];
        // Of each trip: its first place and when it leaves there, its last place and stop.
        let mut ends: Vec<(u32, u32, u32, u32)> = vec![(NONE, 0, 0, NONE); self.rest.trips.len()];
        // The rows of a trip stand together nearly always.
        let mut last: (Vec<u8>, u32) = (Vec::new(), NONE);
        self.each("stop_times.txt", columns, 3, true, |rest, row| {
            if row.bytes(0) != last.0 || last.1 == NONE {
                let Some(trip) = rest.trip_ids.get(row.bytes(0)).copied() else {
                    let message = format!("the trip `{}` is not in `trips.txt`", row.text(0));
                    return row.find(0, &mut rest.troubles, message, PUBLISHER);
                };
                last = (row.bytes(0).to_vec(), trip);
            }
            let trip = last.1;
            let Some(stop) = rest.stop_ids.get(row.bytes(1)).copied() else {
                let message = format!("the stop `{}` is not in `stops.txt`", row.text(1));
                return row.find(1, &mut rest.troubles, message, PUBLISHER);
            };
            let Some(sequence) = whole(row.bytes(2)) else {
                let message = format!("`stop_sequence` is `{}`, not a number", row.text(2));
                return row.find(2, &mut rest.troubles, message, PUBLISHER);
            };
            let column = if row.bytes(3).is_empty() { 4 } else { 3 };
            let ends = &mut ends[trip as usize];
            if ends.3 == NONE || sequence >= ends.2 {
                (ends.2, ends.3) = (sequence, stop);
            }
            if row.bytes(column).is_empty() {
                // A stop on request between two times: nobody can be told when.
                return;
            }
            let Some(departs) = time(rest, row, column) else { return };
            if sequence < ends.0 {
                (ends.0, ends.1) = (sequence, departs);
            }
            let Some(kept) = rest.all_stops[stop as usize].1.filter(|_| row.bytes(6) != b"1") else { return };
            let towards = if row.bytes(5).is_empty() { NONE } else { rest.words.of(&row.text(5)) };
            calls[kept].push(Call { trip, departs, sequence, towards });
        });
        for (trip, (_, begins, _, stop)) in self.rest.trips.iter_mut().zip(&ends) {
            trip.begins = *begins;
            if trip.towards == NONE && *stop != NONE {
                trip.towards = self.rest.words.of(&self.rest.all_stops[*stop as usize].0);
            }
        }
        for calls in &mut calls {
            // Where a trip ends nobody gets on.
            calls.retain(|call| call.sequence != ends[call.trip as usize].2);
            calls.sort_by_key(|call| call.departs);
            calls.shrink_to_fit();
        }
        calls
    }
}

impl Rest {
    /// A service by its id, known or new.
    fn service(&mut self, id: &[u8]) -> u32 {
        if let Some(known) = self.service_ids.get(id) {
            return *known;
        }
        let index = self.services.add();
        self.service_ids.insert(id.to_vec(), index);
        index
    }
}

/// A date of a cell, `20260714`; says what is wrong with it.
fn date(rest: &mut Rest, row: &Row<'_>, column: usize) -> Option<Date> {
    let text = row.text(column);
    let digits = |range| text.get(range).and_then(|digits: &str| digits.parse::<i16>().ok());
    let small = |range| digits(range).and_then(|number| i8::try_from(number).ok());
    let is_one = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = digits(0..4).zip(small(4..6)).zip(small(6..8));
    let date = date.filter(|_| is_one).and_then(|((year, month), day)| Date::new(year, month, day).ok());
    if date.is_none() {
        row.find(column, &mut rest.troubles, format!("`{text}` is no date, such as `20260714`"), PUBLISHER);
    }
    date
}

/// Seconds of a time of a cell, `25:10:00`; says what is wrong with it.
fn time(rest: &mut Rest, row: &Row<'_>, column: usize) -> Option<u32> {
    let mut parts = row.bytes(column).split(|byte| *byte == b':').map(whole);
    let parts = [parts.next(), parts.next(), parts.next(), parts.next()];
    if let [Some(Some(hours @ 0..=240)), Some(Some(minutes @ 0..=59)), Some(Some(seconds @ 0..=59)), None] = parts {
        return Some(hours * 3600 + minutes * 60 + seconds);
    }
    row.find(column, &mut rest.troubles, format!("`{}` is no time, such as `25:10:00`", row.text(column)), PUBLISHER);
    None
}

/// A whole number.
fn whole(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}
