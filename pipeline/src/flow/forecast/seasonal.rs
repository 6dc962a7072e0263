//! How many usually come at this time of the week.
//!
//! A gate has few weeks of history and a week has many slots. So a slot's mean is shrunk towards what the day's size and the
//! shape that all days share say of it: a Poisson factorisation of rank one (Lee and Seung 2001, whose multiplicative updates
//! these are), its shape smoothed over neighbouring slots, as the prior of a gamma-Poisson mean. Earlier weeks weigh less.

use crate::flow::forecast::calendar::{Calendar, DAYS, Place};

/// Turns of the factorisation; a rank of one settles within a few.
const TURNS: usize = 12;
/// A neighbour's weight when the shape is smoothed, for slots of half an hour.
const SMOOTH: f64 = 0.8;
/// How many people (each counted as [`Season::fit`]'s `wide` says) the prior of a slot is worth.
const PRIOR: f64 = 30.0;
/// Steps of a day's size and of a shape's slot that are taken to have been seen before any were.
const LITTLE: f64 = 0.02;

/// Usual counts of a step in each slot of a week, with a memory of its own.
#[derive(Clone, Debug)]
pub(crate) struct Season {
    /// What is left of a week's weight after one day more.
    kept: f64,
    sums: Vec<f64>,
    steps: Vec<f64>,
    rates: Vec<f64>,
    day: usize,
    passes: usize,
    side: f64,
}

impl Season {
    /// A season that half forgets within so many days.
    pub(crate) fn new(calendar: &Calendar, half_days: f64) -> Self {
        let slots = DAYS * calendar.day();
        let narrow = 30.0 / f64::from(calendar.slot_min());
        // A pass of weight w spreads by 2w / (1 + 2w) slots², and passes add up.
        let passes = (narrow * narrow).round().clamp(1.0, 4.0);
        Self {
            kept: 0.5f64.powf(1.0 / half_days),
            sums: vec![0.0; slots],
            steps: vec![0.0; slots],
            rates: vec![LITTLE; slots],
            day: calendar.day(),
            passes: passes as usize,
            side: SMOOTH * (narrow * narrow / passes).min(1.0),
        }
    }

    /// Notes a step that was counted.
    pub(crate) fn add(&mut self, place: Place, count: f64) {
        let slot = place.weekday * self.day + place.slot;
        self.sums[slot] += count;
        self.steps[slot] += 1.0;
    }

    /// Forgets a day's worth.
    pub(crate) fn forget(&mut self) {
        self.sums.iter_mut().chain(&mut self.steps).for_each(|sum| *sum *= self.kept);
    }

    /// Makes usual counts of what was noted; counts lie `wide` times as wide as Poisson's.
    pub(crate) fn fit(&mut self, wide: f64) {
        let (day, total): (usize, f64) = (self.day, self.sums.iter().sum());
        let level = (total + LITTLE) / (self.steps.iter().sum::<f64>() + 1.0);
        let (mut size, mut shape) = (vec![1.0; DAYS], vec![level; day]);
        for _ in 0..TURNS {
            for (weekday, size) in size.iter_mut().enumerate() {
                let slots = weekday * day..(weekday + 1) * day;
                let usual: f64 = self.steps[slots.clone()].iter().zip(&shape).map(|(steps, shape)| steps * shape).sum();
                // A weekday that was never seen is like all days together.
                let prior = LITTLE * level * day as f64;
                *size = (self.sums[slots].iter().sum::<f64>() + prior) / (usual + prior).max(1e-12);
            }
            for (slot, shape) in shape.iter_mut().enumerate() {
                let days = (0..DAYS).map(|weekday| weekday * day + slot);
                let came: f64 = days.clone().map(|at| self.sums[at]).sum();
                let usual: f64 = days.zip(&size).map(|(at, size)| self.steps[at] * size).sum();
                *shape = (came + LITTLE * level) / (usual + LITTLE);
            }
        }
        for _ in 0..self.passes {
            let near = |slot: usize| shape[(slot + day - 1) % day] + shape[(slot + 1) % day];
            shape = (0..day).map(|slot| (shape[slot] + self.side * near(slot)) / (1.0 + 2.0 * self.side)).collect();
        }
        let prior = PRIOR * wide.max(1.0);
        for (slot, rate) in self.rates.iter_mut().enumerate() {
            let usual = size[slot / day] * shape[slot % day] + 1e-4;
            *rate = usual * (self.sums[slot] + prior) / (self.steps[slot] * usual + prior);
        }
    }

    /// The usual count at a place; between the middles of slots on a straight line where steps are shorter than slots.
    pub(crate) fn rate(&self, place: Place) -> f64 {
        rate(&self.rates, self.day, place)
    }
}

/// The value of a week's slots at a place.
pub(crate) fn rate(week: &[f64], day: usize, place: Place) -> f64 {
    let slots = DAYS * day;
    let along = (place.weekday * day) as f64 + place.within + slots as f64;
    let (slot, part) = (along.floor() as usize, along.fract());
    let at = |slot: usize| week[slot % slots];
    at(slot) * (1.0 - part) + at(slot + 1) * part
}

/// Which weekday today is like: a holiday is a Sunday by its visitors before it is one by the calendar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Similar {
    likeness: [f64; DAYS],
}

/// The chance that a day is like another weekday than its own.
const ODD: f64 = 0.02;

impl Similar {
    /// A new day.
    pub(crate) fn begin(&mut self) {
        self.likeness = [0.0; DAYS];
    }

    /// Notes a step that was counted; it lies `wide` times as wide as Poisson's.
    pub(crate) fn add(&mut self, season: &Season, place: Place, count: f64, wide: f64) {
        for (weekday, likeness) in self.likeness.iter_mut().enumerate() {
            let usual = season.rate(Place { weekday, ..place }).max(1e-3);
            *likeness += (count * usual.ln() - usual) / wide;
        }
    }

    /// The usual count of days like today, for another place of today.
    pub(crate) fn rate(&self, season: &Season, place: Place) -> f64 {
        let most = self.likeness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut all, mut sum) = (0.0, 0.0);
        for (weekday, likeness) in self.likeness.iter().enumerate() {
            let own = if weekday == place.weekday { 1.0 - ODD } else { ODD / (DAYS - 1) as f64 };
            let weight = own * (likeness - most).exp();
            all += weight;
            sum += weight * season.rate(Place { weekday, ..place });
        }
        if all > 0.0 { sum / all } else { season.rate(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn usual(weekday: usize, slot: usize) -> f64 {
        let size = if weekday < 5 { 1.0 } else { 0.1 };
        size * 20.0 * (-(slot as f64 - 24.0).powi(2) / 30.0).exp()
    }

    fn season(weeks: i64, weekdays: usize) -> (Calendar, Season) {
        let calendar = Calendar::new(TimeZone::UTC, 1800);
        let mut season = Season::new(&calendar, 28.0);
        // Day 4 was a Monday.
        for step in 4 * 48..(4 + weeks * 7) * 48 {
            let place = calendar.place(step * 1800, 1800);
            if place.weekday < weekdays {
                season.add(place, usual(place.weekday, place.slot).round());
            }
        }
        season.fit(1.0);
        (calendar, season)
    }

    #[test]
    fn weekdays_and_weekends_keep_their_own_sizes() {
        let (calendar, season) = season(4, 7);
        for (day, weekday) in [(4, 0), (9, 5)] {
            let rate = season.rate(calendar.place((day * 48 + 24) * 1800, 1800));
            let expected = usual(weekday, 24);
            assert!((rate - expected).abs() < 0.2 * expected + 0.3, "{weekday}: {rate} {expected}");
        }
    }

    #[test]
    fn a_weekday_that_was_never_seen_is_like_the_others() {
        let (calendar, season) = season(2, 3);
        let rate = season.rate(calendar.place((7 * 48 + 24) * 1800, 1800));
        assert!((15.0..22.0).contains(&rate), "{rate}");
    }

    #[test]
    fn nothing_seen_is_next_to_nothing_expected() {
        let calendar = Calendar::new(TimeZone::UTC, 300);
        let mut season = Season::new(&calendar, 28.0);
        season.fit(1.0);
        assert!(season.rate(calendar.place(0, 300)) < 0.1);
    }

    #[test]
    fn a_holiday_becomes_a_sunday_before_noon() {
        let (calendar, season) = season(4, 7);
        let mut today = Similar::default();
        today.begin();
        let place = |slot: i64| calendar.place((4 * 48 + slot) * 1800, 1800);
        let before = today.rate(&season, place(24));
        for slot in 0..22 {
            today.add(&season, place(slot), 0.0, 2.0);
        }
        let after = today.rate(&season, place(24));
        assert!(before > 15.0 && after < 4.0, "{before} {after}");
    }
}
