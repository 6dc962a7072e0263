//! Public transport: when the next vehicles leave, from a GTFS feed.
//!
//! Of a feed only what a way home needs is kept: stops, when vehicles call at them, and on which days. A city's million
//! calls are sixteen megabytes so.

mod feed;
mod load;
mod service;
mod table;

use crate::{places::Position, problem::Problems};
use jiff::{SignedDuration, ToSpan, Zoned, civil::Date, tz::TimeZone};
use service::Services;
use std::{collections::HashSet, path::Path};

/// How far behind a moment departures are looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A venue's public transport.
#[derive(Clone, Debug)]
pub struct Transit {
    /// Whose clocks its times are told by.
    pub time_zone: TimeZone,
    /// Its stops, in the feed's order; platforms are stops of their own.
    pub stops: Vec<Stop>,
    /// When vehicles leave, by stop; the earliest of a day first.
    calls: Vec<Vec<Call>>,
    trips: Vec<Trip>,
    /// Lines and directions, each once.
    words: Vec<String>,
    services: Services,
}

/// A stop.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// What the feed calls it by.
    pub id: String,
    /// Its name, as people know it.
    pub name: String,
    /// Where it is.
    pub at: Position,
    /// The station that it is a platform of, an index of the stops.
    station: Option<usize>,
}

/// A vehicle leaves a stop.
#[derive(Clone, Copy, Debug)]
struct Call {
    trip: u32,
    /// Seconds after the day of service began.
    departs: u32,
    /// Its place on the trip.
    sequence: u32,
    /// Where the vehicle says it goes from here, an index of the words; [`NONE`]: where the trip goes.
    towards: u32,
}

/// No word.
const NONE: u32 = u32::MAX;

/// A journey of a vehicle.
#[derive(Clone, Debug)]
struct Trip {
    /// The line, an index of the words.
    line: u32,
    /// Where it goes, likewise.
    towards: u32,
    service: u32,
    /// When it leaves its first stop.
    begins: u32,
    /// Where it is held at intervals instead of by its own times: from, to before, every so many seconds.
    intervals: Vec<(u32, u32, u32)>,
}

/// Where departures are asked for.
#[derive(Clone, Copy, Debug)]
pub enum From<'a> {
    /// A stop or station, by its id or its name.
    Stop(&'a str),
    /// Any stop within so many metres.
    Near(Position, f64),
}

/// A vehicle that leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// The line, as people name it: `U2`.
    pub line: String,
    /// Where it goes.
    pub towards: String,
    /// When, by the feed's clocks.
    pub at: Zoned,
    /// From which stop, an index of [`Transit::stops`].
    pub stop: usize,
}

/// Reads a GTFS feed: a zip file, or its folder.
///
/// # Errors
/// Every problem of the feed (the first hundred), by file and line, or that it cannot be read.
pub fn read(path: &Path) -> Result<Transit, Problems> {
    load::load(path, None)
}

/// Reads of a feed only the stops within so many metres of one of these positions.
///
/// # Errors
/// Like [`read`].
pub fn read_near(path: &Path, positions: &[Position], metres: f64) -> Result<Transit, Problems> {
    load::load(path, Some((positions, metres)))
}

impl Transit {
    /// The next vehicles that leave within a day, the first in front, at most `count`. Each journey once, from the stop that is
    /// nearest or was named first; where it ends nobody is told to take it.
    pub fn departures(&self, from: From<'_>, now: &Zoned, count: usize) -> Vec<Departure> {
        let now = now.with_time_zone(self.time_zone.clone());
        let mut taken = HashSet::new();
        let mut found = Vec::new();
        for stop in self.meant(from) {
            // A day of service goes on past midnight: yesterday's may still run.
            for ahead in -1..=1_i64 {
                let Ok(date) = now.date().checked_add(ahead.days()) else { continue };
                self.of_day(stop, date, &now, count, |trip, run, at| {
                    if taken.insert((trip, date, run)) {
                        found.push((at, stop, trip));
                    }
                });
            }
        }
        found.sort_by_key(|((at, _), stop, _)| (at.timestamp(), *stop));
        found.truncate(count);
        let word = |index: u32| self.words.get(index as usize).cloned().unwrap_or_default();
        let departure = |((at, towards), stop, trip): ((Zoned, u32), usize, u32)| {
            let trip = &self.trips[trip as usize];
            let towards = word(if towards == NONE { trip.towards } else { towards });
            Departure { line: word(trip.line), towards, at, stop }
        };
        found.into_iter().map(departure).collect()
    }

    /// The last day on which anything runs.
    pub fn last_day(&self) -> Option<Date> {
        self.services.last_day()
    }

    /// The stops that are meant, the nearest or best first.
    fn meant(&self, from: From<'_>) -> Vec<usize> {
        match from {
            From::Stop(name) => {
                let named = |stop: &Stop| stop.id == name || stop.name.eq_ignore_ascii_case(name.trim());
                let is_meant =
                    |stop: &Stop| named(stop) || stop.station.is_some_and(|station| named(&self.stops[station]));
                (0..self.stops.len()).filter(|index| is_meant(&self.stops[*index])).collect()
            }
            From::Near(at, metres) => {
                let mut near: Vec<(f64, usize)> =
                    self.stops.iter().map(|stop| distance(stop.at, at)).zip(0..).collect();
                near.retain(|(distance, stop)| *distance <= metres && !self.calls[*stop].is_empty());
                near.sort_by(|a, b| a.0.total_cmp(&b.0));
                near.into_iter().map(|(_, stop)| stop).collect()
            }
        }
    }

    /// Tells of what leaves a stop on a day of service after `now`: the trip, which of its runs, when and where to. At least
    /// the first `count` of it.
    fn of_day(&self, stop: usize, date: Date, now: &Zoned, count: usize, mut tell: impl FnMut(u32, u32, (Zoned, u32))) {
        // GTFS counts from noon less twelve hours, which is midnight except where the clocks change.
        let Ok(noon) = date.at(12, 0, 0, 0).to_zoned(self.time_zone.clone()) else { return };
        let Ok(begins) = noon.checked_sub(SignedDuration::from_hours(12)) else { return };
        let since = now.duration_since(&begins).as_secs();
        let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
        let (from, to) = (seconds(since), seconds(since + AHEAD.as_secs()));
        if since + AHEAD.as_secs() < 0 {
            return;
        }
        let at = |time: u32| begins.checked_add(SignedDuration::from_secs(i64::from(time))).ok();
        let calls = &self.calls[stop];
        let first = calls.partition_point(|call| call.departs < from);
        let mut told = 0;
        for call in calls[first..].iter().take_while(|call| call.departs < to) {
            let trip = &self.trips[call.trip as usize];
            if told < count && trip.intervals.is_empty() && self.services.run(trip.service, date) {
                told += 1;
                if let Some(at) = at(call.departs) {
                    tell(call.trip, 0, (at, call.towards));
                }
            }
        }
        // Trips at intervals may leave at any time, whatever their pattern says.
        for call in calls {
            let trip = &self.trips[call.trip as usize];
            if trip.intervals.is_empty() || !self.services.run(trip.service, date) {
                continue;
            }
            let later = call.departs.saturating_sub(trip.begins);
            for (start, end, every) in &trip.intervals {
                let missed = from.saturating_sub(start.saturating_add(later)).div_ceil(*every);
                let runs = (0..).map(|run| start.saturating_add((missed + run).saturating_mul(*every)));
                let runs = runs.take_while(|begins| begins < end && begins.saturating_add(later) < to);
                for begins in runs.take(count) {
                    if let Some(at) = at(begins + later) {
                        tell(call.trip, begins, (at, call.towards));
                    }
                }
            }
        }
    }
}

/// Metres between two positions, on a sphere of the earth's mean radius: within half a per cent.
fn distance(one: Position, other: Position) -> f64 {
    const RADIUS: f64 = 6_371_008.8;
    let (one_lat, other_lat) = (one.latitude.to_radians(), other.latitude.to_radians());
    let north = ((other_lat - one_lat) / 2.0).sin().powi(2);
    let east = ((other.longitude - one.longitude).to_radians() / 2.0).sin().powi(2);
    2.0 * RADIUS * (north + one_lat.cos() * other_lat.cos() * east).sqrt().min(1.0).asin()
}
