//! Forecasts of arrivals with honest intervals.
//!
//! What is usual at this time of the week (`seasonal`, and [`baseline`]'s library models) and what the programme draws
//! ([`events`]) make expectations; how today differs (`live`) multiplies each; `combine` weighs them by recent loss;
//! `conformal` gives the mean its distribution and keeps intervals as right as they say. Every forecast is kept until its
//! truth comes, and graded (`grade`). Nothing is random, and no time is read: the same counts give the same forecasts.

pub mod baseline;
mod calendar;
mod combine;
mod conformal;
pub mod counts;
pub mod events;
mod expect;
mod grade;
mod live;
mod map;
mod seasonal;
pub mod weather;

use crate::flow::{
    series::Series,
    told::{Fan, Grade, RestsOn},
};
use calendar::Calendar;
use combine::Weights;
use conformal::Conformal;
use counts::Spread;
use events::Event;
use expect::{Expectation, SEASONS};
use grade::Grades;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use live::{Live, MEMORIES};
use std::collections::VecDeque;
use weather::Weather;

/// What a forecaster must know of its series.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a step is: whole seconds, at most a day.
    pub step: SignedDuration,
    /// The venue's clocks, which seasons follow.
    pub zone: TimeZone,
    /// Minutes ahead that are graded and calibrated; 5, 15, 30 and 60 where nothing else is asked.
    pub horizons: Vec<u32>,
}

impl Settings {
    /// Settings with the usual horizons.
    pub fn new(step: SignedDuration, zone: TimeZone) -> Self {
        Self { step, zone, horizons: vec![5, 15, 30, 60] }
    }
}

/// Kinds of hour that differ in how well they are foreseen: hardly anybody, some, many, those of an event.
const KINDS: usize = 4;
/// Expected people in a step below which it is quiet.
const QUIET: f64 = 1.0;
/// The same of some; beyond are many.
const SOME: f64 = 6.0;
/// A step is an event's from this share of it on.
const EVENT: f64 = 0.3;
/// How far apart from 1 a day's factor is likely to be before anything is known: of usual days, of an event.
const APART: [f64; 2] = [0.35, 0.3];
/// Days of history over which forecasts are made as if they were live, so that weights and intervals are known at once.
const WARM_DAYS: i64 = 21;
/// Steps of the same, at most.
const WARM_STEPS: usize = 2016;
/// Minutes ahead that are calibrated beside those that are asked for.
const FAR: [u32; 2] = [120, 240];

/// A forecast on its way to its truth.
#[derive(Clone, Debug)]
struct Look {
    at_s: i64,
    kind: usize,
    mean: f64,
    members: Vec<f64>,
    spread: Spread,
}

/// What is known of one horizon.
#[derive(Clone, Debug)]
struct Known {
    steps: usize,
    weights: [Weights; KINDS],
    conformal: [Conformal; KINDS],
    waiting: VecDeque<Look>,
    grades: Grades,
}

/// The forecaster of one gate.
#[derive(Clone, Debug)]
pub struct Forecaster {
    settings: Settings,
    step_s: i64,
    expectation: Expectation,
    live: Vec<Live>,
    known: Vec<Known>,
    /// When the next step begins; `None` before the first.
    next_s: Option<i64>,
    /// The last week's counts and when the newest of them began.
    week: VecDeque<Option<f64>>,
    /// Days between fits of the library's models; `None` while none are wanted.
    library_days: Option<i64>,
}

impl Forecaster {
    /// A forecaster that has seen `history`, and knows what is on and what weather there was and will be. Steps are those of
    /// the settings; a history of other steps is not learnt.
    pub fn new(settings: Settings, history: Option<&Series>, events: Vec<Event>, weather: Option<Weather>) -> Self {
        let step_s = settings.step.as_secs().clamp(1, 86_400);
        let calendar = Calendar::new(settings.zone.clone(), step_s);
        let members = SEASONS * MEMORIES.len();
        let mut steps: Vec<usize> =
            settings.horizons.iter().chain(&FAR).map(|minutes| ahead(*minutes, step_s)).collect();
        steps.push(1);
        steps.sort_unstable();
        steps.dedup();
        let known = |steps| Known {
            steps,
            weights: std::array::from_fn(|_| Weights::new(members)),
            conformal: std::array::from_fn(|kind| Conformal::new(APART[usize::from(kind == KINDS - 1)])),
            waiting: VecDeque::new(),
            grades: Grades::default(),
        };
        let mut new = Self {
            known: steps.into_iter().map(known).collect(),
            expectation: Expectation::new(calendar, step_s, events, weather),
            live: (0..members).map(|member| Live::new(MEMORIES[member % MEMORIES.len()])).collect(),
            next_s: None,
            week: VecDeque::new(),
            library_days: None,
            settings,
            step_s,
        };
        if let Some(history) = history.filter(|history| history.step == new.settings.step) {
            new.learn_history(history);
        }
        new.library_days = Some(1);
        new
    }

    fn learn_history(&mut self, history: &Series) {
        let warm = usize::try_from(WARM_DAYS * 86_400 / self.step_s).unwrap_or(WARM_STEPS).min(WARM_STEPS);
        let from = history.counts.len().saturating_sub(warm);
        for (index, count) in history.counts.iter().enumerate() {
            let at_s = history.at(index).as_second();
            if index < from {
                self.note(at_s, *count);
            } else {
                self.library_days = Some(7);
                self.observe(history.at(index), *count);
            }
        }
    }

    /// What is on from now on, and what was: a new programme.
    pub fn set_events(&mut self, events: Vec<Event>) {
        self.expectation.set_events(events);
    }

    /// Learns the count of the step that began at `at`; `None` where nobody counted. Steps come in the order of time, and one
    /// that came before is not learnt again; steps that are left out are gaps.
    pub fn observe(&mut self, at: Timestamp, count: Option<f64>) {
        let at_s = at.as_second();
        if self.next_s.is_some_and(|next| at_s < next) {
            return;
        }
        // Steps that nobody told of are told of as gaps; after a week without, only time has passed.
        let missing = self.next_s.map_or(0, |next| (at_s - next) / self.step_s);
        if missing * self.step_s <= 7 * 86_400 {
            for _ in 0..missing {
                self.next_s.into_iter().for_each(|next| self.step(next, None));
            }
        }
        self.step(at_s, count);
    }

    fn step(&mut self, at_s: i64, count: Option<f64>) {
        self.judge(at_s, count);
        self.note(at_s, count);
        let looks: Vec<Look> = self.known.iter().map(|known| self.look(at_s + self.step_s, known.steps)).collect();
        for (known, look) in self.known.iter_mut().zip(looks) {
            known.waiting.push_back(look);
        }
    }

    /// Forecasts whose truth this is are graded and learnt from.
    fn judge(&mut self, at_s: i64, count: Option<f64>) {
        let naive = self.naive(at_s);
        for known in &mut self.known {
            while known.waiting.front().is_some_and(|look| look.at_s <= at_s) {
                let Some((look, count)) = known.waiting.pop_front().zip(count) else { continue };
                if look.at_s != at_s {
                    continue;
                }
                known.grades.add(&look.spread, naive, count);
                let conformal = &mut known.conformal[look.kind];
                known.weights[look.kind].learn(
                    &look.members,
                    count,
                    conformal.variance(look.mean) / look.mean.max(1e-3),
                );
                conformal.learn(look.mean, &look.spread, count);
            }
        }
    }

    /// What came a week before, or a day while no week is known.
    fn naive(&self, at_s: i64) -> Option<f64> {
        let next = self.next_s?;
        let ago = |days: i64| {
            let back = (next - (at_s - days * 86_400)) / self.step_s;
            self.week.len().checked_sub(usize::try_from(back).ok()?).and_then(|index| self.week.get(index).copied())
        };
        ago(7).unwrap_or_else(|| ago(1).flatten())
    }

    fn note(&mut self, at_s: i64, count: Option<f64>) {
        let passed_s = self.next_s.map_or(self.step_s, |next| at_s + self.step_s - next);
        let expected = self.expectation.at(at_s);
        let wide = {
            let mean = expected.usual[0] + expected.events;
            self.known[0].conformal[kind(mean, expected.of_events())].variance(mean) / mean.max(1e-3)
        };
        for (member, live) in self.live.iter_mut().enumerate() {
            let usual = expected.usual[member / MEMORIES.len()];
            live.pass(passed_s as f64);
            if let Some(count) = count.filter(|_| !usual.is_nan()) {
                live.learn(count, usual + expected.events, wide);
            }
        }
        self.expectation.learn(at_s, count, wide, self.library_days);
        let missing = usize::try_from((passed_s - self.step_s) / self.step_s).unwrap_or(0);
        let most = usize::try_from(7 * 86_400 / self.step_s).unwrap_or(1) + 1;
        self.week.extend(std::iter::repeat_n(None, missing.min(most)));
        self.week.push_back(count);
        let over = self.week.len().saturating_sub(most);
        self.week.drain(..over);
        self.next_s = Some(at_s + self.step_s);
    }

    /// The forecast of the step that is `steps` (at least 1) ahead of the one before `from_s`.
    fn look(&self, from_s: i64, steps: usize) -> Look {
        let at_s = from_s + (steps.max(1) as i64 - 1) * self.step_s;
        let seen_s = self.next_s.unwrap_or(from_s);
        let ahead_s = (at_s + self.step_s - seen_s).max(0) as f64;
        let expected = self.expectation.at(at_s);
        let member = |(member, live): (usize, &Live)| {
            (expected.usual[member / MEMORIES.len()] + expected.events) * live.factor(ahead_s)
        };
        let members: Vec<f64> = self.live.iter().enumerate().map(member).collect();
        let kind = kind(expected.usual[0] + expected.events, expected.of_events());
        let ahead = usize::try_from((at_s + self.step_s - seen_s) / self.step_s).unwrap_or(1);
        let known = self.known.iter().find(|known| known.steps >= ahead).or(self.known.last());
        let known = known.expect("one step ahead is always known");
        let mean = known.weights[kind].mean(&members);
        Look { at_s, kind, mean, spread: known.conformal[kind].spread(mean), members }
    }

    /// Arrivals of the steps that end `minutes` after `at`, in people a step; `at` is when the next step begins.
    pub fn forecast(&self, at: Timestamp, minutes: &[u32]) -> Vec<Fan> {
        self.spreads(at, minutes).iter().map(Spread::fan).collect()
    }

    /// The same as continuous quantiles.
    pub fn spreads(&self, at: Timestamp, minutes: &[u32]) -> Vec<Spread> {
        minutes.iter().map(|minutes| self.look(at.as_second(), ahead(*minutes, self.step_s)).spread).collect()
    }

    /// Arrivals of each of the next steps from `at` on, in people a step.
    pub fn path(&self, at: Timestamp, steps: usize) -> Vec<Fan> {
        (1..=steps).map(|steps| self.look(at.as_second(), steps).spread.fan()).collect()
    }

    /// Whether the step that begins at `at` is an event's, as far as can be known before.
    pub fn of_event(&self, at: Timestamp) -> bool {
        self.expectation.at(at.as_second()).of_events() >= EVENT
    }

    /// How good forecasts have been here lately, by minutes ahead.
    pub fn grades(&self) -> Vec<Grade> {
        let asked = self.settings.horizons.iter().filter(|minutes| i64::from(**minutes) * 60 % self.step_s == 0);
        let grade = |minutes: &u32| {
            let steps = ahead(*minutes, self.step_s);
            let known = self.known.iter().find(|known| known.steps == steps)?;
            known.grades.grade(*minutes, self.step_s as f64 / 60.0)
        };
        asked.filter_map(grade).collect()
    }

    /// What forecasts rest on.
    pub fn rests_on(&self) -> RestsOn {
        match (self.expectation.days_seen >= 2, self.expectation.has_events()) {
            (true, true) => RestsOn::Both,
            (true, false) => RestsOn::History,
            (false, true) => RestsOn::Programme,
            (false, false) => RestsOn::LiveOnly,
        }
    }
}

/// Steps that end some minutes ahead: as many as reach there, at least one.
fn ahead(minutes: u32, step_s: i64) -> usize {
    usize::try_from((i64::from(minutes) * 60 + step_s - 1) / step_s).unwrap_or(1).max(1)
}

/// The kind of hour of a step.
fn kind(mean: f64, of_events: f64) -> usize {
    match mean {
        _ if of_events >= EVENT && mean >= QUIET => 3,
        mean if mean < QUIET => 0,
        mean if mean < SOME => 1,
        _ => 2,
    }
}

#[cfg(test)]
pub(crate) mod tests;
