//! Places to suggest: near, open, liked, and why.
//!
//! What a visitor cannot do without is kept absolutely: closed places, unmet diets, steps, prices above what was asked
//! for are never suggested. What is left is ranked by a weighted sum whose terms are named below, and every suggestion
//! says what speaks for it. It knows no visitor: only wishes, a position and a time.

use crate::guide::{
    day::Why,
    liking::{Seen, is_popular, is_quiet, keeps, liked, likings, met, musts, popularity},
    ways::{Walk, Ways},
};
use jiff::{SignedDuration, ToSpan as _, Zoned};
use usher_config::places::{Kind, Place, Places, Position};

/// What the terms of a score weigh; together one.
pub const NEAR: f64 = 0.4;
/// The share of the likings that the kitchen meets.
pub const LIKED: f64 = 0.25;
/// How popular it is, said or seen.
pub const POPULAR: f64 = 0.2;
/// How long it stays open.
pub const OPEN: f64 = 0.15;

/// Minutes on foot after which nearness is worth a third (1/e) of what it is next door.
const FAR_MINUTES: f64 = 8.0;
/// Up to so many minutes on foot a place is called near.
const NEAR_MINUTES: u32 = 10;
/// Minutes that are spent where one eats or rests, and elsewhere.
const STAY_MINUTES: (i64, i64) = (30, 10);
/// Minutes that a place stays open after that for its term to be whole.
const SPARE_MINUTES: f64 = 60.0;
/// Hours ahead that closing times are looked for.
const AHEAD_HOURS: i64 = 24;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Where somebody is, or will be.
    pub at: Position,
    /// When they are there, by the venue's clocks.
    pub when: Zoned,
    /// What kinds of places.
    pub kinds: &'a [Kind],
    /// Wishes about food, of the words of enrolment: those of [`usher_config::places::DIETS`] are musts, the others likings. Only asked of
    /// where one eats.
    pub food: &'a [String],
    /// Whether there must be no steps, on the way or at the door.
    pub step_free: bool,
    /// The highest price, where somebody names one; a place without a price is not held against it.
    pub price: Option<u8>,
    /// People a minute by camera, from flow.
    pub seen: &'a Seen,
}

/// A place worth going to.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Which of the places, by index.
    pub place: usize,
    /// How much speaks for it, 0..=1.
    pub score: f64,
    /// The way there.
    pub walk: Walk,
    /// What speaks for it, the strongest reason first; one at least, and all of them true.
    pub why: Vec<Why>,
}

/// The best places for what is asked, the best first, at most `how_many`.
///
/// `ways` are those of the same places. Whatever nothing at all speaks for is not suggested.
pub fn suggest(places: &Places, ways: &Ways, asked: &Asked<'_>, how_many: usize) -> Vec<Suggestion> {
    let fits = |place: &Place| {
        asked.kinds.contains(&place.kind)
            && (place.step_free || !asked.step_free)
            && place.price.zip(asked.price).is_none_or(|(price, most)| price <= most)
            && (!place.kind.is_food() || keeps(place, asked.food))
    };
    let fitting: Vec<usize> = (0..places.places.len()).filter(|index| fits(&places.places[*index])).collect();
    // Distances first, lines only for what is told.
    let at: Vec<Position> = fitting.iter().map(|index| places.places[*index].at).collect();
    let mut judged: Vec<(usize, u32, f64)> = Vec::new();
    for (index, leg) in fitting.iter().zip(ways.legs(asked.at, &at, asked.step_free)) {
        let Some(leg) = leg else { continue };
        let place = &places.places[*index];
        let Some(open) = open(place, asked, leg.seconds) else { continue };
        judged.push((*index, leg.seconds, score(place, asked, leg.seconds, open)));
    }
    let nearest = judged.iter().map(|(_, seconds, _)| *seconds).min();
    // Of equals the nearer, then the first of the file: the same question has the same answer.
    judged.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.1.cmp(&b.1)).then(a.0.cmp(&b.0)));
    let told = judged.into_iter().filter_map(|(index, seconds, score)| {
        let place = &places.places[index];
        let why = why(place, asked, seconds, nearest == Some(seconds));
        if why.is_empty() {
            return None;
        }
        let walk = ways.walk(asked.at, place.at, asked.step_free)?;
        Some(Suggestion { place: index, score, walk, why })
    });
    told.take(how_many).collect()
}

/// Whether a place is open all the time from one moment to another, for sure; of one moment alone, for the minute from it.
pub fn is_open(place: &Place, from: &Zoned, to: &Zoned) -> bool {
    let to = if to > from { to.clone() } else { later(from, 1) };
    matches!(hours(place, from, &to).as_slice(), [(opens, closes)] if opens <= from && *closes >= to)
}

/// When a place that is open at a moment closes next; `None` where it is closed then, or stays open for a day at least.
pub fn open_until(place: &Place, at: &Zoned) -> Option<Zoned> {
    let end = later(at, AHEAD_HOURS * 60);
    let (opens, closes) = hours(place, at, &end).into_iter().next()?;
    (opens <= *at && closes < end).then_some(closes)
}

/// The times between two moments in which a place is open for sure, in order, by the clocks of the first moment.
pub fn hours(place: &Place, from: &Zoned, to: &Zoned) -> Vec<(Zoned, Zoned)> {
    let zone = from.time_zone();
    if place.opening.is_always() {
        return if from < to { vec![(from.clone(), to.clone())] } else { Vec::new() };
    }
    let zoned = |at: jiff::civil::DateTime| at.to_zoned(zone.clone()).ok();
    let windows = place.opening.windows(from.datetime(), to.with_time_zone(zone.clone()).datetime());
    let windows = windows.into_iter().filter_map(|(opens, closes)| Some((zoned(opens)?, zoned(closes)?)));
    // A clock that is put back shows an hour twice; nothing outside what was asked for is told.
    let within = windows.map(|(opens, closes)| (opens.max(from.clone()), closes.min(to.clone())));
    within.filter(|(opens, closes)| opens < closes).collect()
}

fn later(at: &Zoned, minutes: i64) -> Zoned {
    at.checked_add(minutes.minutes()).unwrap_or_else(|_| at.clone())
}

/// Minutes of staying there.
fn stay(kind: Kind) -> i64 {
    if kind.is_food() || kind == Kind::Rest { STAY_MINUTES.0 } else { STAY_MINUTES.1 }
}

/// How much time to spare there is after the stay, 0..=1; `None` where it is not open all the while.
fn open(place: &Place, asked: &Asked<'_>, seconds: u32) -> Option<f64> {
    if place.opening.is_always() {
        return Some(1.0);
    }
    let comes = asked.when.checked_add(i64::from(seconds).seconds()).ok()?;
    let goes = later(&comes, stay(place.kind));
    if !is_open(place, &comes, &goes) {
        return None;
    }
    let Some(closes) = open_until(place, &comes) else { return Some(1.0) };
    let spare: SignedDuration = closes.duration_since(&goes);
    Some((spare.as_secs_f64() / 60.0 / SPARE_MINUTES).clamp(0.0, 1.0))
}

fn near(seconds: u32) -> f64 {
    (-f64::from(seconds) / 60.0 / FAR_MINUTES).exp()
}

fn score(place: &Place, asked: &Asked<'_>, seconds: u32, open: f64) -> f64 {
    // Of whom nothing is known nothing is held: neither popular nor not.
    let popular = popularity(place, asked.seen).unwrap_or(0.5);
    NEAR * near(seconds) + LIKED * liked(place, asked.food) + POPULAR * popular + OPEN * open
}

/// What speaks for a place, the strongest first.
fn why(place: &Place, asked: &Asked<'_>, seconds: u32, is_nearest: bool) -> Vec<Why> {
    let mut why: Vec<(f64, Why)> = Vec::new();
    if place.kind.is_food() {
        // A must that is met weighs more than anything that is only pleasant.
        why.extend(musts(asked.food).map(|diet| (2.0, Why::Wish { food: diet.clone() })));
        let share = LIKED / likings(asked.food).count().max(1) as f64;
        why.extend(met(place, asked.food).map(|wish| (share, Why::Wish { food: wish.clone() })));
    }
    if asked.step_free {
        why.push((1.0, Why::StepFree));
    }
    let minutes = seconds.div_ceil(60);
    if minutes <= NEAR_MINUTES || is_nearest {
        why.push((NEAR * near(seconds), Why::Near { minutes }));
    }
    if is_popular(place, asked.seen) {
        why.push((POPULAR * popularity(place, asked.seen).unwrap_or(0.5), Why::Popular));
    }
    if is_quiet(place, asked.seen) {
        why.push((POPULAR * 0.5, Why::Quiet));
    }
    let comes = asked.when.checked_add(i64::from(seconds).seconds()).ok();
    if let Some(closes) = comes.and_then(|comes| open_until(place, &comes)) {
        why.push((OPEN * 0.5, Why::OpenUntil { at: format!("{:02}:{:02}", closes.hour(), closes.minute()) }));
    }
    why.sort_by(|a, b| b.0.total_cmp(&a.0));
    why.into_iter().map(|(_, why)| why).collect()
}

#[cfg(test)]
mod tests;
