//! The beginning of a plan, its end, and the clock between.

use crate::guide::{
    day::{Stop, StopKind, pair},
    plan::{Site, Unplannable, Wanted},
};
use jiff::{Timestamp, ToSpan, Zoned, civil::DateTime, tz::TimeZone};
use usher_config::places::{Kind, Place};

/// Where and when planning begins.
pub(super) struct Begin {
    /// Its number among the places.
    pub(super) place: usize,
    pub(super) at: Zoned,
    /// The stop of the day before that is not over yet.
    pub(super) running: Option<Stop>,
}

impl Begin {
    /// At the gate and now, or at the end of what was begun before.
    pub(super) fn of(site: &Site<'_>, wanted: &Wanted) -> Result<Self, Unplannable> {
        let before = wanted.before.iter().flat_map(|day| &day.stops);
        if let Some(running) = before.filter_map(|stop| running(site, wanted, stop)).next() {
            return Ok(running);
        }
        let gates = || site.places.places.iter().enumerate().filter(|(_, place)| place.kind == Kind::Gate);
        match gates().find(|(_, place)| place.name == wanted.from.as_str()) {
            Some((place, _)) => Ok(Self { place, at: wanted.at.clone(), running: None }),
            None => Err(Unplannable::NoGate {
                gate: wanted.from.clone(),
                known: gates().map(|(_, gate)| gate.name.clone()).collect(),
            }),
        }
    }
}

/// A stop that was begun and is not over: it is finished first. A session counts while the programme still has it so.
fn running(site: &Site<'_>, wanted: &Wanted, stop: &Stop) -> Option<Begin> {
    let (starts, ends) = times(stop)?;
    let now = wanted.at.timestamp();
    if !(starts <= now && now < ends) {
        return None;
    }
    let places = site.places.places.iter();
    let is_here: Box<dyn Fn(&Place) -> bool> = match stop.kind {
        StopKind::Session => {
            let id = stop.session.as_deref()?;
            let session = site.programme.sessions.iter().find(|session| session.id == id)?;
            if session.status == usher_config::programme::Status::Cancelled {
                return None;
            }
            Box::new(|place| place.kind == Kind::Venue && same(&place.name, &session.venue))
        }
        StopKind::Meal | StopKind::Rest => Box::new(|place| is_at(stop, place)),
        StopKind::Arrive | StopKind::Leave => return None,
    };
    let place = places.clone().position(is_here)?;
    Some(Begin { place, at: ends.to_zoned(wanted.at.time_zone().clone()), running: Some(stop.clone()) })
}

/// Beginning and end of a stop of a day that was told before.
pub(super) fn times(stop: &Stop) -> Option<(Timestamp, Timestamp)> {
    Some((stop.starts.parse().ok()?, stop.ends.parse().ok()?))
}

/// Whether a stop is at a place: of its name, and not ten centimetres from it, since text rounds numbers.
pub(super) fn is_at(stop: &Stop, place: &Place) -> bool {
    let near = |[longitude, latitude]: [f64; 2]| {
        let [east, north] = pair(place.at);
        (longitude - east).abs() < 1e-6 && (latitude - north).abs() < 1e-6
    };
    stop.title == place.name && stop.at.is_some_and(near)
}

/// Whether two names are the same but for capitals and blanks.
pub(super) fn same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

/// A name as it is compared: blanks as one, capitals as small letters.
pub(super) fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The last minute of a moment's day, by the venue's clocks.
pub(super) fn end_of_day(at: &Zoned) -> Zoned {
    at.tomorrow()
        .and_then(|next| next.start_of_day())
        .map_or_else(|_| at.clone(), |next| next.saturating_sub(1.minute()))
}

/// Where one may leave: the stops of public transport that can be reached, else where one is.
pub(super) fn leaving(site: &Site<'_>, wanted: &Wanted, from: usize) -> Vec<usize> {
    let places = site.places.places.iter().enumerate();
    let stops: Vec<usize> = places
        .filter(|(_, place)| place.kind == Kind::Transit && (place.step_free || !wanted.step_free))
        .map(|(index, _)| index)
        .filter(|stop| site.legs.between(from, *stop, wanted.step_free).is_some())
        .collect();
    if stops.is_empty() { vec![from] } else { stops }
}

/// The problem's seconds and the venue's clocks.
pub(super) struct Clock {
    /// When the problem's second 0 is.
    pub(super) zero: Timestamp,
    pub(super) time_zone: TimeZone,
}

impl Clock {
    /// Seconds of a moment; `None` before the beginning, or further than a plan goes.
    pub(super) fn seconds(&self, at: &Zoned) -> Option<u32> {
        u32::try_from(at.timestamp().duration_since(self.zero).as_secs()).ok()
    }

    /// Seconds of the venue's clock time, 0 before the beginning.
    ///
    /// A time that the clocks skip is moved forward, one they show twice is the first: what a venue's staff would do.
    pub(super) fn since_zero(&self, at: DateTime) -> Option<u32> {
        let seconds = at.to_zoned(self.time_zone.clone()).ok()?.timestamp().duration_since(self.zero).as_secs();
        u32::try_from(seconds.max(0)).ok()
    }

    /// The moment of a second.
    pub(super) fn at(&self, seconds: u32) -> Zoned {
        self.zero.to_zoned(self.time_zone.clone()).saturating_add(i64::from(seconds).seconds())
    }
}
