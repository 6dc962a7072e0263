//! The answer in the words of screens: stops, the way through them, and why.

use crate::guide::{
    day::{Day, Stop, StopKind, Why, pair},
    itinerary::problem::Plan,
    liking::{Seen, is_popular, is_quiet, met, musts},
    plan::{
        Site, Wanted,
        begin::{Begin, Clock},
        legs::Spots,
        offers::{Offer, What},
    },
    ways::Leg,
};
use jiff::{Zoned, civil::Time};
use usher_config::places::{Kind, Place, Position};

/// Most points of a route.
const ROUTE: usize = 400;
/// Seconds of a way that is called near.
const NEAR: u32 = 5 * 60;
/// How many departures are told.
const DEPARTURES: usize = 3;

/// RFC 3339 with the venue's offset.
pub(super) fn rfc3339(at: &Zoned) -> String {
    at.timestamp().display_with_offset(at.offset()).to_string()
}

/// `21:40`.
pub(super) fn clock(at: &Zoned) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// Who puts an answer into words.
pub(super) struct Teller<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) wanted: &'a Wanted,
    pub(super) clock: &'a Clock,
    pub(super) spots: &'a Spots,
}

impl Teller<'_> {
    /// The day of a plan; `done` are its offers in order. It begins at the first of the spots.
    pub(super) fn day(&self, begin: &Begin, done: &[&Offer], plan: &Plan) -> Day {
        let mut stops = vec![begin.running.clone().unwrap_or_else(|| self.arrive(begin))];
        let mut route: Vec<Position> = vec![self.place(begin.place).at];
        let mut here = 0;
        for (offer, visit) in done.iter().zip(&plan.visits) {
            let there = offer.item.place;
            let leg = self.leg(here, there);
            let (begins, ends) = (self.clock.at(visit.begins), self.clock.at(visit.ends));
            let mut stop = self.stop(offer, leg, &begins);
            (stop.starts, stop.ends) = (rfc3339(&begins), rfc3339(&ends));
            if let What::Meal(place) | What::Rest(place) = offer.what {
                stop.why.extend(self.open_until(place, &begins));
            }
            reason(&mut stop);
            if here == there {
                stop.wait_s = 0;
            }
            stops.push(stop);
            self.walk(&mut route, here, there);
            here = there;
        }
        stops.push(self.leave(here, plan));
        self.walk(&mut route, here, plan.end);
        Day { stops, route: thinned(&route) }
    }

    fn place(&self, number: usize) -> &Place {
        &self.site.places.places[number]
    }

    fn leg(&self, from: usize, to: usize) -> Leg {
        // A plan has no stop without a way to it.
        self.spots.leg(self.site.legs, from, to, self.wanted.step_free).unwrap_or_default()
    }

    fn arrive(&self, begin: &Begin) -> Stop {
        let at = rfc3339(&begin.at);
        let place = self.place(begin.place);
        let mut stop = self.blank(StopKind::Arrive, begin.place, Leg::default());
        (stop.starts, stop.ends) = (at.clone(), at);
        stop.gate = usher_config::value::Name::new(&place.name);
        stop
    }

    fn leave(&self, from: usize, plan: &Plan) -> Stop {
        let number = self.spots.get(plan.end).place;
        let at = self.clock.at(plan.home);
        let mut stop = self.blank(StopKind::Leave, number, self.leg(from, plan.end));
        (stop.starts, stop.ends) = (rfc3339(&at), rfc3339(&at));
        let place = self.place(number);
        stop.gate = usher_config::value::Name::new(&place.name).filter(|_| place.kind == Kind::Gate);
        let next = self.site.departures.map(|board| board.next(place.at, &at, DEPARTURES)).unwrap_or_default();
        let departs = next.into_iter().map(|one| Why::Departs {
            line: one.line,
            towards: one.towards,
            at: clock(&one.at.with_time_zone(self.clock.time_zone.clone())),
        });
        stop.why = departs.chain(stop.why.drain(..)).collect();
        reason(&mut stop);
        stop
    }

    fn stop(&self, offer: &Offer, leg: Leg, begins: &Zoned) -> Stop {
        match offer.what {
            What::Session(number) => self.session(number, offer.item.place, leg),
            What::Meal(number) => self.meal(number, leg, begins),
            What::Rest(number) => self.blank(StopKind::Rest, number, leg),
        }
    }

    fn session(&self, number: usize, spot: usize, leg: Leg) -> Stop {
        let session = &self.site.programme.sessions[number];
        let mut stop = self.blank(StopKind::Session, self.spots.get(spot).place, leg);
        stop.title.clone_from(&session.title);
        let words = [session.venue.as_str(), session.place.as_str()].into_iter().filter(|words| !words.is_empty());
        stop.place = words.collect::<Vec<_>>().join(", ");
        stop.gate.clone_from(&session.gate);
        let wait = session.gate.as_ref().and_then(|gate| self.wanted.waits.get(gate));
        stop.wait_s = wait.map_or(0, |wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
        stop.session = Some(session.id.clone());
        stop.status = Some(session.status);
        stop.why.insert(0, Why::Favourite { sport: session.sport.clone() });
        stop
    }

    fn meal(&self, number: usize, leg: Leg, begins: &Zoned) -> Stop {
        let place = self.place(number);
        let mut stop = self.blank(StopKind::Meal, number, leg);
        let food = &self.wanted.food;
        let mut why: Vec<Why> =
            musts(food).chain(met(place, food)).map(|food| Why::Wish { food: food.clone() }).collect();
        let none = Seen::new();
        let seen = self.wanted.seen_at(begins.datetime()).unwrap_or(&none);
        if is_popular(place, seen) {
            why.push(Why::Popular);
        }
        if is_quiet(place, seen) {
            why.push(Why::Quiet);
        }
        why.append(&mut stop.why);
        stop.why = why;
        stop
    }

    /// Until when a place is open, where it closes before the day does.
    fn open_until(&self, number: usize, from: &Zoned) -> Option<Why> {
        let from = from.datetime();
        let midnight = from.date().tomorrow().ok()?.to_datetime(Time::midnight());
        let (_, closes) = self.place(number).opening.windows(from, midnight).into_iter().next()?;
        let at = format!("{:02}:{:02}", closes.hour(), closes.minute());
        (closes < midnight).then_some(Why::OpenUntil { at })
    }

    /// A stop at a place without its times, with the reasons that any stop may have.
    fn blank(&self, kind: StopKind, number: usize, leg: Leg) -> Stop {
        let place = self.place(number);
        let mut why = Vec::new();
        if kind != StopKind::Arrive && leg.seconds <= NEAR {
            why.push(Why::Near { minutes: leg.seconds.div_ceil(60) });
        }
        if kind != StopKind::Arrive && self.wanted.step_free {
            why.push(Why::StepFree);
        }
        Stop {
            kind,
            title: place.name.clone(),
            place: self.near(number),
            starts: String::new(),
            ends: String::new(),
            walk_s: leg.seconds,
            walk_m: leg.metres,
            gate: None,
            wait_s: 0,
            session: None,
            status: None,
            at: Some(pair(place.at)),
            why,
        }
    }

    /// Where a place is, in words: the nearest venue, which people know.
    fn near(&self, number: usize) -> String {
        let venues = self.site.places.places.iter().enumerate().filter(|(_, place)| place.kind == Kind::Venue);
        let away = venues.filter_map(|(venue, place)| {
            Some((self.site.legs.between(number, venue, self.wanted.step_free)?.seconds, &place.name))
        });
        away.min().map_or_else(String::new, |(_, name)| name.clone())
    }

    /// Adds the line of a way.
    fn walk(&self, route: &mut Vec<Position>, from: usize, to: usize) {
        let (from, to) = (self.spots.get(from), self.spots.get(to));
        if from.place == to.place {
            return;
        }
        let through = [to.gate, Some(to.place)];
        let mut here = from.place;
        for next in through.into_iter().flatten() {
            let walk = self.site.ways.walk(self.place(here).at, self.place(next).at, self.wanted.step_free);
            route.extend(walk.into_iter().flat_map(|walk| walk.line));
            here = next;
        }
    }
}

/// Gives a stop without a better reason the one that all have: how far it is.
fn reason(stop: &mut Stop) {
    if stop.why.is_empty() {
        stop.why.push(Why::Near { minutes: stop.walk_s.div_ceil(60) });
    }
}

/// A line with at most [`ROUTE`] points: of those between its ends, every n-th. To seven decimals, a centimetre.
fn thinned(line: &[Position]) -> Vec<[f64; 2]> {
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    let mut line: Vec<[f64; 2]> = line.iter().map(|at| pair(*at).map(rounded)).collect();
    line.dedup();
    let step = line.len().saturating_sub(2).div_ceil(ROUTE - 2).max(1);
    let last = line.len().saturating_sub(1);
    let keep = |index: usize| index == 0 || index == last || (index - 1).is_multiple_of(step);
    line.into_iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, at)| at).collect()
}
