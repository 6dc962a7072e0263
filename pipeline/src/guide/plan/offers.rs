//! The offers: everything that could be a stop of the day, with its times and what it is worth.

use crate::guide::{
    day::StopKind,
    itinerary::problem::{Item, Window},
    liking::{Seen, keeps, liked, popularity},
    plan::{
        Site, Wanted,
        begin::{Clock, folded, is_at, times},
        legs::Spots,
        worth,
    },
};
use jiff::{
    SignedDuration, ToSpan, Zoned,
    civil::{Date, DateTime, Time},
};
use std::collections::{BTreeMap, BTreeSet};
use usher_config::{
    places::{Kind, Place},
    programme::{Session, Status, When},
};

/// Something that could be done.
pub(super) struct Offer {
    pub(super) item: Item,
    pub(super) what: What,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The session of a number in the programme.
    Session(usize),
    /// A meal at the place of a number.
    Meal(usize),
    /// A rest there.
    Rest(usize),
}

/// All of a day.
pub(super) struct Offers {
    pub(super) all: Vec<Offer>,
    /// Venues of sessions that would have counted, which are not among the places.
    pub(super) unplaced: BTreeSet<String>,
}

/// What is made while offers are gathered.
struct Gather<'a, 'o> {
    site: &'a Site<'a>,
    wanted: &'a Wanted,
    clock: &'a Clock,
    spots: &'o mut Spots,
    offers: Offers,
    groups: BTreeMap<Group, u32>,
}

/// Of these, one at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// A session that is shown several times: sport, discipline and title.
    Repeats(String, String, String),
    Meal(Date, Time),
    Rest(Date, Time),
}

impl Offers {
    /// Those between the clock's beginning and `until`.
    pub(super) fn of(site: &Site<'_>, wanted: &Wanted, clock: &Clock, until: &Zoned, spots: &mut Spots) -> Self {
        let offers = Self { all: Vec::new(), unplaced: BTreeSet::new() };
        let mut gather = Gather { site, wanted, clock, spots, offers, groups: BTreeMap::new() };
        let first = clock.at(0).date();
        let dates: Vec<Date> = first.series(1.day()).take_while(|date| *date <= until.date()).collect();
        gather.sessions(&dates);
        for date in dates {
            gather.meals(date);
            gather.rests(date);
        }
        gather.offers
    }
}

impl Gather<'_, '_> {
    fn sessions(&mut self, dates: &[Date]) {
        let mut sports: Vec<String> = Vec::new();
        for sport in self.wanted.sports.iter().map(|sport| folded(sport)) {
            if !sports.contains(&sport) {
                sports.push(sport);
            }
        }
        let venues: BTreeMap<String, usize> =
            self.of_kind(&[Kind::Venue]).map(|(at, one)| (folded(&one.name), at)).collect();
        let gates: BTreeMap<String, usize> =
            self.of_kind(&[Kind::Gate]).map(|(at, one)| (one.name.clone(), at)).collect();
        for (number, session) in self.site.programme.sessions.iter().enumerate() {
            let Some(rank) = sports.iter().position(|sport| *sport == folded(&session.sport)) else { continue };
            if matches!(session.status, Status::SoldOut | Status::Cancelled) {
                continue;
            }
            for (start, end) in held(session, dates) {
                self.session(number, rank, (start, end), &venues, &gates);
            }
        }
    }

    fn session(
        &mut self,
        number: usize,
        rank: usize,
        (start, end): (DateTime, DateTime),
        venues: &BTreeMap<String, usize>,
        gates: &BTreeMap<String, usize>,
    ) {
        let session = &self.site.programme.sessions[number];
        let Some((begins, ends)) = self.clock.since_zero(start).zip(self.clock.since_zero(end)) else { return };
        // What runs already when the day begins cannot be seen from its beginning.
        if begins == 0 || ends <= begins {
            return;
        }
        let Some(venue) = venues.get(&folded(&session.venue)) else {
            self.offers.unplaced.insert(session.venue.clone());
            return;
        };
        let gate = session.gate.as_ref().and_then(|gate| gates.get(gate.as_str())).copied();
        let is_barred = |place: usize| self.wanted.step_free && !self.site.places.places[place].step_free;
        if is_barred(*venue) || gate.is_some_and(is_barred) {
            return;
        }
        let text = |text: Option<&str>| folded(text.unwrap_or_default());
        let repeats =
            Group::Repeats(folded(&session.sport), text(session.discipline.as_deref()), folded(&session.title));
        let wait = session.gate.as_ref().and_then(|gate| self.wanted.waits.get(gate));
        // Nobody waits for hours; a measurement that says so is one of something else.
        let wait = wait.map_or(0, |wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).min(2 * 3600));
        let kept = self.kept(|stop| stop.session.as_deref() == Some(&session.id));
        let item = Item {
            place: self.spots.of(*venue, gate, &folded(&session.place)),
            duration: ends - begins,
            windows: vec![Window { from: begins, to: begins }],
            prize: worth::session(rank, ends - begins) + kept,
            group: Some(self.group(repeats)),
            entry: worth::SEATED + wait,
        };
        self.offers.all.push(Offer { item, what: What::Session(number) });
    }

    fn meals(&mut self, date: Date) {
        for meal in &worth::MEALS {
            let (from, to) = (date.to_datetime(meal.from), date.to_datetime(meal.to));
            if self.was_begun(StopKind::Meal, from, to) {
                continue;
            }
            let group = self.group(Group::Meal(date, meal.from));
            let places: Vec<usize> =
                self.of_kind(&[Kind::Restaurant, Kind::Cafe, Kind::Kiosk]).map(|(at, _)| at).collect();
            for number in places {
                let place = &self.site.places.places[number];
                let Some((duration, points)) = worth::meal(place.kind) else { continue };
                let Some(liking) = liking(place, self.wanted, from) else { continue };
                let marks = points * worth::POINT + (liking * worth::LIKING * worth::POINT as f64) as i64;
                self.offer(number, What::Meal(number), StopKind::Meal, (from, to), duration, marks, group);
            }
        }
    }

    fn rests(&mut self, date: Date) {
        let apart = SignedDuration::from_secs(worth::APART.into());
        let arrived = self.wanted.before.iter().flat_map(|day| &day.stops).find_map(|stop| Some(times(stop)?.0));
        let zone = || self.clock.time_zone.clone();
        let arrived = arrived.map_or_else(|| self.clock.at(0), |arrived| arrived.to_zoned(zone())).datetime();
        let rested = arrived.saturating_add(SignedDuration::from_secs(worth::BUSY.into()));
        let mut begins = date.to_datetime(Time::midnight());
        for meal in &worth::MEALS {
            let (from, to) = (begins.max(rested), date.to_datetime(meal.from));
            begins = date.to_datetime(meal.to).saturating_add(apart);
            if from >= to || self.was_begun(StopKind::Rest, from, to) {
                continue;
            }
            let group = self.group(Group::Rest(date, meal.from));
            let places: Vec<usize> = self.of_kind(&[Kind::Rest]).map(|(at, _)| at).collect();
            for number in places {
                let marks = worth::RESTED * worth::POINT;
                self.offer(number, What::Rest(number), StopKind::Rest, (from, to), worth::REST, marks, group);
            }
        }
    }

    /// Offers a place for as long as it is open between two times.
    #[expect(clippy::too_many_arguments, reason = "an offer has so many parts")]
    fn offer(
        &mut self,
        number: usize,
        what: What,
        kind: StopKind,
        (from, to): (DateTime, DateTime),
        duration: u32,
        marks: i64,
        group: u32,
    ) {
        let place = &self.site.places.places[number];
        let window = |(opens, closes): (DateTime, DateTime)| {
            let (from, to) = self.clock.since_zero(opens).zip(self.clock.since_zero(closes))?;
            let to = to.checked_sub(duration)?;
            (from <= to).then_some(Window { from, to })
        };
        let windows: Vec<Window> = place.opening.windows(from, to).into_iter().filter_map(window).collect();
        if windows.is_empty() {
            return;
        }
        let kept = self.kept(|stop| stop.kind == kind && is_at(stop, place));
        let place = self.spots.of(number, None, "");
        let item = Item { place, duration, windows, prize: marks + kept, group: Some(group), entry: 0 };
        self.offers.all.push(Offer { item, what });
    }

    /// Places of some kinds that this visitor can enter, with their numbers.
    fn of_kind<'k>(&self, kinds: &'k [Kind]) -> impl Iterator<Item = (usize, &Place)> + use<'_, 'k> {
        let step_free = self.wanted.step_free;
        let places = self.site.places.places.iter().enumerate();
        places.filter(move |(_, place)| kinds.contains(&place.kind) && (place.step_free || !step_free))
    }

    fn group(&mut self, group: Group) -> u32 {
        let next = self.groups.len() as u32;
        *self.groups.entry(group).or_insert(next)
    }

    /// Marks for a stop that was told before and has not begun.
    fn kept(&self, is_it: impl Fn(&crate::guide::day::Stop) -> bool) -> i64 {
        let before = self.wanted.before.iter().flat_map(|day| &day.stops);
        let is_ahead = |stop: &&crate::guide::day::Stop| {
            times(stop).is_some_and(|(starts, _)| starts > self.wanted.at.timestamp())
        };
        if before.filter(is_ahead).any(is_it) { worth::KEPT * worth::POINT } else { 0 }
    }

    /// Whether the day told before had a stop of a kind between two times, and it was begun: it is not had twice.
    fn was_begun(&self, kind: StopKind, from: DateTime, to: DateTime) -> bool {
        let zone = &self.clock.time_zone;
        self.wanted.before.iter().flat_map(|day| &day.stops).filter(|stop| stop.kind == kind).filter_map(times).any(
            |(starts, _)| {
                let began = starts.to_zoned(zone.clone()).datetime();
                starts <= self.wanted.at.timestamp() && from <= began && began <= to
            },
        )
    }
}

/// When a session is held on some dates, by the venue's clocks.
fn held(session: &Session, dates: &[Date]) -> Vec<(DateTime, DateTime)> {
    match &session.when {
        When::Once { start, end } => dates.contains(&start.date()).then_some((*start, *end)).into_iter().collect(),
        When::Weekly { days, start, end } => {
            let dates = dates.iter().filter(|date| days.contains(&date.weekday()));
            dates.map(|date| (date.to_datetime(*start), date.to_datetime(*end))).collect()
        }
    }
}

/// How much somebody would like to eat at a place, 0..=1; `None` where it fails a diet they keep. Of whom nothing is known nothing is
/// held: neither popular nor not.
fn liking(place: &Place, wanted: &Wanted, begins: DateTime) -> Option<f64> {
    let none = Seen::new();
    let popularity = popularity(place, wanted.seen_at(begins).unwrap_or(&none)).unwrap_or(0.5).clamp(0.0, 1.0);
    keeps(place, &wanted.food).then(|| worth::LIKED * liked(place, &wanted.food) + worth::POPULAR * popularity)
}
