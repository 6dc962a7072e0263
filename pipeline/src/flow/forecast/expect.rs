//! What is expected at a time: season, weather, events, and what of it goes to which.
//!
//! Several seasons are kept beside each other (long and short memory, days like today, two models of the library); each is
//! told apart from what events draw, by the share that either explains (the expectation step of a mixture of Poissons).

use crate::flow::forecast::{
    baseline::{Library, filled, seasons},
    calendar::{Calendar, DAYS, Place},
    events::{Event, Response},
    seasonal::{Season, Similar, rate},
    weather::{Effects, Weather},
};
use std::collections::VecDeque;

/// Seasons beside each other.
pub(crate) const SEASONS: usize = 5;
/// Days after which the two seasons of ours have half forgotten.
const HALF_DAYS: [f64; 2] = [21.0, 10.0];
/// Days that the library's models look back.
const LOOK_BACK: usize = 35;

/// What is expected of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// By each season, weather considered; `NaN` where there is none yet.
    pub(crate) usual: [f64; SEASONS],
    /// By events.
    pub(crate) events: f64,
}

impl Expected {
    /// The share that events have in it.
    pub(crate) fn of_events(&self) -> f64 {
        self.events / (self.events + self.usual[0]).max(1e-9)
    }
}

/// All that makes expectations, learnt step by step.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    calendar: Calendar,
    step_s: i64,
    seasons: [Season; 2],
    today: Similar,
    day: Option<i64>,
    /// Weeks that the library's models forecast, by slot.
    library: [Option<Vec<f64>>; 2],
    /// Means of a step by slot, in the order of time, and the slot that is being filled: its number, sum and steps.
    slots: VecDeque<Option<f64>>,
    open: Option<(i64, f64, f64)>,
    days_fitted: i64,
    response: Response,
    events: Vec<Event>,
    drawn: VecDeque<(i64, f64)>,
    finished_until_s: i64,
    weather: Option<Weather>,
    effects: Effects,
    pub(crate) days_seen: i64,
}

impl Expectation {
    pub(crate) fn new(calendar: Calendar, step_s: i64, events: Vec<Event>, weather: Option<Weather>) -> Self {
        let mut new = Self {
            step_s,
            seasons: HALF_DAYS.map(|half| Season::new(&calendar, half)),
            today: Similar::default(),
            day: None,
            library: [None, None],
            slots: VecDeque::new(),
            open: None,
            days_fitted: i64::MIN,
            response: Response::default(),
            events: Vec::new(),
            drawn: VecDeque::new(),
            finished_until_s: i64::MAX - 1,
            weather,
            effects: Effects::default(),
            days_seen: 0,
            calendar,
        };
        new.set_events(events);
        new
    }

    pub(crate) fn set_events(&mut self, mut events: Vec<Event>) {
        events.sort_by_key(|event| event.start);
        self.events = events;
    }

    /// Whether any event is known.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Events that draw people at a time.
    fn drawing(&self, at_s: i64) -> &[Event] {
        let (before, after) = Response::reach_s();
        let from = self.events.partition_point(|event| event.start.as_second() + after <= at_s);
        let to = self.events.partition_point(|event| event.start.as_second() - before < at_s + self.step_s);
        &self.events[from.min(to)..to]
    }

    /// What is expected of the step that begins at `at_s`.
    pub(crate) fn at(&self, at_s: i64) -> Expected {
        let place = self.calendar.place(at_s, self.step_s);
        let factor = self.weather.as_ref().map_or(1.0, |weather| self.effects.factor(weather.kinds(at_s)));
        let usual =
            |week: &Option<Vec<f64>>| week.as_ref().map_or(f64::NAN, |week| rate(week, self.calendar.day(), place));
        let similar = match self.day == Some(place.day) {
            true => self.today.rate(&self.seasons[0], place),
            false => self.seasons[0].rate(place),
        };
        let seasons = [
            self.seasons[0].rate(place),
            self.seasons[1].rate(place),
            similar,
            usual(&self.library[0]),
            usual(&self.library[1]),
        ];
        let events = self.drawing(at_s).iter().map(|event| self.response.expected(event, at_s, self.step_s)).sum();
        Expected { usual: seasons.map(|usual| usual * factor), events }
    }

    /// Learns a step that was counted; counts lie `wide` times as wide as Poisson's. Seasons are fitted anew each day, the
    /// library's models every `every` days, never where that is `None`.
    pub(crate) fn learn(&mut self, at_s: i64, count: Option<f64>, wide: f64, every: Option<i64>) {
        let place = self.calendar.place(at_s, self.step_s);
        if self.day != Some(place.day) {
            self.new_day(place, wide, every);
        }
        self.fill(at_s, count);
        if let Some(count) = count {
            let expected = self.at(at_s);
            let drawn = count * expected.of_events();
            let usual = count - drawn;
            let kinds = self.weather.as_ref().map(|weather| weather.kinds(at_s));
            let factor = kinds.map_or(1.0, |kinds| self.effects.factor(kinds));
            if let Some(kinds) = kinds {
                self.effects.learn(kinds, usual, expected.usual[0] / factor, wide);
            }
            let place = self.calendar.place(at_s, self.step_s);
            self.today.add(&self.seasons[0], place, usual / factor, wide);
            self.seasons.iter_mut().for_each(|season| season.add(place, usual / factor));
            if expected.events > 0.0 {
                self.drawn.push_back((at_s, drawn));
            }
            // Before a season is known, every step says what is usual.
            if self.days_seen < 2 {
                self.seasons.iter_mut().for_each(|season| season.fit(wide));
            }
        }
        self.finish_events(at_s);
    }

    fn new_day(&mut self, place: Place, wide: f64, every: Option<i64>) {
        let passed = self.day.map_or(0, |day| (place.day - day).clamp(0, 400));
        for season in &mut self.seasons {
            (0..passed).for_each(|_| season.forget());
            season.fit(wide);
        }
        self.days_seen += i64::from(passed > 0);
        self.day = Some(place.day);
        self.today.begin();
        if every.is_some_and(|every| place.day.saturating_sub(self.days_fitted) >= every) {
            self.days_fitted = place.day;
            self.fit_library();
        }
    }

    /// The library's models forecast the coming week, from what is usual without events.
    fn fit_library(&mut self) {
        let Some((open, ..)) = self.open else { return };
        let slot_min = self.calendar.slot_min();
        // Half hours are fine enough for a season, and four times as quick to fit as quarters.
        let merge = (30 / slot_min).max(1) as usize;
        let (day, slot_s) = (self.calendar.day() / merge, i64::from(slot_min) * 60 * merge as i64);
        let counts = filled(self.slots.make_contiguous(), day * merge);
        // The slot that is open is the first of those that are forecast; what lies before it is merged from there backwards.
        let odd = counts.len() % merge;
        let merged = counts[odd..].chunks_exact(merge).map(|part| part.iter().sum::<f64>() / merge as f64);
        let merged: Vec<f64> = merged.collect();
        let ahead = DAYS * day + 1;
        let weeks = [seasons(&merged, day, ahead), Library::Prophet.forecast(&merged, day, ahead)];
        for (next, library) in weeks.into_iter().zip(&mut self.library) {
            let Some(next) = next else { continue };
            let mut week = vec![0.0; DAYS * day * merge];
            for (index, count) in (0..).zip(next) {
                for part in 0..merge as i64 {
                    let at_s = open * i64::from(slot_min) * 60 + index * slot_s + part * i64::from(slot_min) * 60;
                    let place = self.calendar.place(at_s, i64::from(slot_min) * 60);
                    week[place.weekday * day * merge + place.slot] = count;
                }
            }
            *library = Some(week);
        }
    }

    fn fill(&mut self, at_s: i64, count: Option<f64>) {
        let slot = at_s.div_euclid(i64::from(self.calendar.slot_min()) * 60);
        match &mut self.open {
            Some((open, ..)) if *open == slot => {}
            open => {
                if let Some((before, sum, steps)) = open.take() {
                    self.slots.push_back((steps > 0.0).then(|| sum / steps));
                    let most = LOOK_BACK * self.calendar.day();
                    let missing = usize::try_from(slot - before - 1).unwrap_or(0).min(most);
                    self.slots.extend(std::iter::repeat_n(None, missing));
                    let over = self.slots.len().saturating_sub(most);
                    self.slots.drain(..over);
                }
                self.open = Some((slot, 0.0, 0.0));
            }
        }
        if let (Some(count), events) = (count, self.at(at_s).of_events())
            && let Some((_, sum, steps)) = &mut self.open
        {
            *sum += count * (1.0 - events);
            *steps += 1.0;
        }
    }

    /// Learns from events that draw nobody any more.
    fn finish_events(&mut self, at_s: i64) {
        let (before, after) = Response::reach_s();
        let since = std::mem::replace(&mut self.finished_until_s, at_s);
        let over = |event: &&Event| (since + 1..=at_s).contains(&(event.start.as_second() + after));
        let finished: Vec<Event> = self.events.iter().filter(over).cloned().collect();
        for event in finished {
            let since = event.start.as_second() - before;
            let share = |at: i64| {
                let own = self.response.expected(&event, at, self.step_s);
                let all: f64 =
                    self.drawing(at).iter().map(|event| self.response.expected(event, at, self.step_s)).sum();
                if all > 0.0 { (own / all).min(1.0) } else { 0.0 }
            };
            let came = self.drawn.iter().filter(|(at, _)| *at >= since).map(|(at, came)| (*at, came * share(*at)));
            let came: Vec<(i64, f64)> = came.collect();
            self.response.learn(&event, &came, self.step_s);
        }
        while self.drawn.front().is_some_and(|(at, _)| *at < at_s - before - after - 86_400) {
            self.drawn.pop_front();
        }
    }
}
