//! A visitor's day: programme, places, ways and wishes, made into a problem, and its answer into a [`Day`].
//!
//! Nothing of a visitor but sports, wishes about food, ways without steps and times is asked for, and nothing is kept.
//! Planning again is planning from now: what was begun is finished, and what was promised is kept where it costs little.

mod begin;
pub mod legs;
mod offers;
mod tell;
pub mod worth;

use crate::guide::{
    day::Day,
    itinerary::{
        problem::{Plan, Problem, Start, Unfit},
        solve::{Limits, Proof, solve},
    },
    liking::Seen,
    plan::{
        begin::{Begin, Clock, end_of_day, leaving},
        legs::{Legs, Spots},
        offers::{Offer, Offers},
    },
    ways::Ways,
};
use jiff::{SignedDuration, ToSpan, Unit, Zoned, civil::DateTime};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use thiserror::Error;
use usher_config::{
    places::{Places, Position},
    programme::Programme,
    value::Name,
};

/// What days are planned on. Everything but the departures is read at start and again when a file changes.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Its programme.
    pub programme: &'a Programme,
    /// Its places.
    pub places: &'a Places,
    /// The ways between.
    pub ways: &'a Ways,
    /// How long they are, from place to place.
    pub legs: &'a Legs,
    /// When vehicles leave, where that is known.
    pub departures: Option<&'a dyn Departures>,
}

/// Who knows when vehicles leave.
pub trait Departures {
    /// The next departures at a stop from a moment on, the first in front, at most `how_many`.
    fn next(&self, stop: Position, from: &Zoned, how_many: usize) -> Vec<Departure>;
}

/// A vehicle that leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// The line, as people know it.
    pub line: String,
    /// Where it goes.
    pub towards: String,
    /// When it leaves.
    pub at: Zoned,
}

/// What a visitor wants of a day. It has no `Debug`: wishes are personal.
#[derive(Clone)]
pub struct Wanted {
    /// Favourite sports, the dearest first; capitals and blanks do not matter, repeats are left out.
    pub sports: Vec<String>,
    /// Wishes about food, of the words of enrolment.
    pub food: Vec<String>,
    /// Whether they need ways without steps.
    pub step_free: bool,
    /// The gate they are at.
    pub from: Name,
    /// From when on to plan: now, or when they arrive.
    pub at: Zoned,
    /// When they want to be at the stop or gate they leave by; the end of that day where nothing is said.
    pub until: Option<Zoned>,
    /// How long the queues at gates are, where somebody measures.
    pub waits: BTreeMap<Name, Duration>,
    /// How many go to places now, where a camera counts there.
    pub seen: Seen,
    /// The day they were told before, where they were.
    pub before: Option<Day>,
}

impl Wanted {
    /// What is seen at places, for a stop that begins at a time by the venue's clocks: what is seen now says little of hours ahead.
    fn seen_at(&self, begins: DateTime) -> Option<&Seen> {
        (begins <= self.at.datetime().saturating_add(SEEN)).then_some(&self.seen)
    }
}

/// A day and how good it is.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The day.
    pub day: Day,
    /// What it is worth, in points (see [`worth`]).
    pub points: f64,
    /// How sure it is that no day is worth more.
    pub proof: Proof,
    /// Venues of sessions that would have counted, which the places do not have.
    pub unplaced: BTreeSet<String>,
    /// The problem that was solved, for whoever checks.
    pub problem: Problem,
    /// Its answer, likewise.
    pub plan: Plan,
}

/// Why no day can be planned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unplannable {
    /// The gate is not among the places.
    #[error(
        "the places have no gate `{gate}`, so there is nowhere to begin; add a point of `kind: gate` with that name ({})",
        known_gates(known)
    )]
    NoGate {
        /// Which.
        gate: Name,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The day ends before it begins.
    #[error(
        "the day ends at {until}, which is not after its beginning at {at}; name a later `until`, or an earlier `arrival`"
    )]
    Over {
        /// Its beginning.
        at: String,
        /// Its end.
        until: String,
    },
    /// There is no time even to leave.
    #[error("by {until} nobody is out who is at {from} at {at}; name a later `until`")]
    NoTime {
        /// Where they are.
        from: String,
        /// When.
        at: String,
        /// The end.
        until: String,
    },
    /// A fault of this program.
    #[error("the day made no problem that can be solved: {0}")]
    Unfit(#[from] Unfit),
}

fn known_gates(known: &[String]) -> String {
    if known.is_empty() { "there is none yet".to_owned() } else { format!("there are: {}", known.join(", ")) }
}

/// How long what is seen now is believed: a meal is had meanwhile.
const SEEN: SignedDuration = SignedDuration::from_mins(60);

/// Longest day: what is further away is no plan for a day.
const LONGEST_HOURS: i64 = 24;

/// Plans a day.
///
/// # Errors
/// Why there is none; an empty programme is no error, but a day on which one leaves again.
pub fn day_for(site: &Site<'_>, wanted: &Wanted) -> Result<Planned, Unplannable> {
    // Plans count in whole seconds: a fraction in their beginning would tell every session a second too early.
    let at = wanted.at.round(Unit::Second).unwrap_or_else(|_| wanted.at.clone());
    let wanted = &Wanted { at, ..wanted.clone() };
    let begin = Begin::of(site, wanted)?;
    let until = wanted.until.clone().unwrap_or_else(|| end_of_day(&wanted.at));
    let until = until.min(begin.at.saturating_add(LONGEST_HOURS.hours()));
    if until <= wanted.at {
        return Err(Unplannable::Over { at: tell::clock(&wanted.at), until: tell::clock(&until) });
    }
    let clock = Clock { zero: begin.at.timestamp(), time_zone: site.programme.time_zone.clone() };
    let mut spots = Spots::default();
    let start = Start { place: spots.of(begin.place, None, ""), time: 0 };
    let ends = leaving(site, wanted, begin.place);
    let end_spots: Vec<usize> = ends.iter().map(|place| spots.of(*place, None, "")).collect();
    let offers = Offers::of(site, wanted, &clock, &until, &mut spots);
    let problem = Problem {
        start,
        ends: end_spots,
        latest: clock.seconds(&until).unwrap_or(0),
        items: offers.all.iter().map(|offer| offer.item.clone()).collect(),
        walks: spots.table(site.legs, wanted.step_free),
        walking: worth::WALKING,
        waiting: worth::WAITING,
    };
    let Some(solution) = solve(&problem, Limits::default())? else {
        let from = site.places.places[begin.place].name.clone();
        return Err(Unplannable::NoTime { from, at: tell::clock(&begin.at), until: tell::clock(&until) });
    };
    let done: Vec<&Offer> = solution.plan.visits.iter().map(|visit| &offers.all[visit.item]).collect();
    let day = tell::Teller { site, wanted, clock: &clock, spots: &spots }.day(&begin, &done, &solution.plan);
    Ok(Planned {
        day,
        points: solution.plan.value as f64 / worth::POINT as f64,
        proof: solution.proof,
        unplaced: offers.unplaced,
        problem,
        plan: solution.plan,
    })
}
