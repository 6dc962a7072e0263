//! One gate of the stage: its queue, its forecast, and what was told of it.

use crate::{
    clock::Moment,
    flow::{
        count::tally::{Back, GateTally, Minute},
        desk::{Answer, Refusal, Step, WhatIf},
        forecast::{Forecaster, Settings, events::Event, weather::Weather},
        meters::Meters,
        queue::Queue,
        series::Series,
        stage::{
            learnt::{joined, steps_of},
            tell::{HORIZONS, Path},
        },
        told::{AdviceKind, Counting, Fan},
    },
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use usher_config::{decide::Lanes, value::Name};

/// Step of forecasts where a history has none that is longer.
const STEP: SignedDuration = SignedDuration::from_mins(5);
/// Minutes of a queue that are kept.
const KEPT_S: i64 = 24 * 3600;
/// How far "what if" looks beyond the time that it is asked about, minutes.
const AFTER: usize = 60;
/// Farthest that "what if" may look, minutes.
const FARTHEST: usize = 240;
/// How often steps of an answer are told, minutes.
const EVERY: usize = 5;
/// How far a count of people in pictures may be from people in the queue: some are hidden, some only stand about.
const HIDDEN: f64 = 0.15;

/// One gate.
pub(super) struct Gate {
    pub(super) name: Name,
    pub(super) lanes: Option<Lanes>,
    pub(super) queue: Option<Queue>,
    /// Lanes that are open, as staff said last, or as configured.
    open: u32,
    pub(super) meters: Meters,
    forecaster: Option<Forecaster>,
    step: SignedDuration,
    /// When the next step to be observed begins.
    next: Option<Timestamp>,
    /// What the day's total stood at, and the people in the pictures, when the queue was looked at last.
    seen: Option<(u64, Option<u32>)>,
    /// The same of the back of the queue: who joined it, and who turned back.
    back: Option<Back>,
    /// The minute in which the pictures were last taken for a count of the queue.
    counted: Option<i64>,
    /// People in the queue and seconds of waiting at the end of each minute, by its begin.
    pub(super) queues: BTreeMap<i64, (f32, f32)>,
    /// Steps of the forecast, from when on.
    path: (Timestamp, Vec<Fan>),
    /// Causes and kinds of the advice that was told last.
    pub(super) advised: Vec<(String, AdviceKind)>,
    /// When it is told next, and forecast next; steady time.
    pub(super) tell: Duration,
    pub(super) foresee: Duration,
}

impl Gate {
    /// A gate of which nothing is known yet; staff said that `said` lanes are open, where they said anything.
    pub(super) fn new(name: Name, lanes: Option<Lanes>, said: Option<u32>, tell: Duration, foresee: Duration) -> Self {
        let open = said.or(lanes.map(|lanes| lanes.open)).unwrap_or(0);
        Self {
            name,
            queue: lanes.map(|lanes| Queue::new(Lanes { open, ..lanes })),
            open,
            lanes,
            meters: Meters::default(),
            forecaster: None,
            step: STEP,
            next: None,
            seen: None,
            back: None,
            counted: None,
            queues: BTreeMap::new(),
            path: (Timestamp::UNIX_EPOCH, Vec::new()),
            advised: Vec::new(),
            tell,
            foresee,
        }
    }

    /// The gate is built otherwise: its queue is counted anew, what was learnt of those who come stays.
    pub(super) fn rebuild(&mut self, lanes: Option<Lanes>, said: Option<u32>, now: Moment) {
        let open = said.or(lanes.map(|lanes| lanes.open)).unwrap_or(0);
        (self.lanes, self.queue) = (lanes, lanes.map(|lanes| Queue::new(Lanes { open, ..lanes })));
        (self.back, self.counted) = (None, None);
        self.set_open(open, now);
    }

    /// Learns what is known of earlier days, from a history and from the minutes that were recorded, in place of what was learnt
    /// before.
    pub(super) fn learn(
        &mut self,
        history: Option<&Series>,
        recorded: &[Minute],
        zone: &TimeZone,
        events: Vec<Event>,
        weather: Option<Weather>,
    ) {
        let history = history.and_then(learnable);
        self.step = history.as_ref().map_or(STEP, |history| history.step);
        let ends = |series: &Series| series.at(series.counts.len());
        let steps = steps_of(recorded, self.step, history.as_ref().map(ends));
        let known = joined(history.as_ref(), &steps, self.step);
        self.next = known.as_ref().map(ends);
        let settings = Settings::new(self.step, zone.clone());
        self.forecaster = Some(Forecaster::new(settings, known.as_ref(), events, weather));
    }

    /// Lanes that are open; none where nobody said how the gate is built.
    pub(super) fn open(&self) -> u32 {
        self.open
    }

    /// The same, and more where more go through than so many could let in: what the future is worked out with.
    pub(super) fn at_work(&self) -> u32 {
        self.queue.as_ref().map_or(self.open, |queue| queue.at_work(self.open))
    }

    /// Staff opened or closed lanes; the gate is told at once.
    pub(super) fn set_open(&mut self, lanes: u32, now: Moment) {
        (self.open, self.tell, self.foresee) = (lanes, now.steady, self.foresee.min(now.steady));
    }

    pub(super) fn is_learnt(&self) -> bool {
        self.forecaster.is_some()
    }

    pub(super) fn set_events(&mut self, events: Vec<Event>) {
        if let Some(forecaster) = &mut self.forecaster {
            forecaster.set_events(events);
        }
    }

    /// Lets the queue live on: who came through since the last look, and who stands in the pictures now.
    pub(super) fn look(&mut self, tally: &GateTally, occupancy: Option<u32>, now: Moment) {
        let coming =
            Timestamp::try_from(now.wall).ok().and_then(|at| self.path_now().by_minute(at, 1).first().copied());
        let Some(queue) = &mut self.queue else { return };
        // Where a camera is lost, as many come as were forecast.
        queue.expect(coming.map(|fan| fan.median));
        let open = self.open;
        let is_whole = tally.counting == Counting::Whole;
        // Where the back is counted, the queue is what lies between, and pictures of the gate show the front of it alone.
        let occupancy = occupancy.filter(|_| is_whole && tally.back.is_none());
        let served = self.seen.filter(|_| is_whole).map(|(total, _)| {
            // A day's total begins anew at 04:00.
            tally.entered_total.checked_sub(total).unwrap_or(tally.entered_total) as f64
        });
        // Whoever came to the queue went through it or stands in it.
        let before = self.seen.and_then(|(_, people)| people);
        let arrived = match (tally.back, served, before, occupancy) {
            (Some(back), ..) => self.back.and_then(|before| came_between(&before, &back)),
            (None, Some(served), Some(before), Some(people)) => Some(served + f64::from(people) - f64::from(before)),
            _ => None,
        };
        queue.observe(now.steady, arrived, served, open);
        self.back = tally.back;
        self.seen = Some((tally.entered_total, occupancy));
        let minute = seconds(now.wall).div_euclid(60) * 60;
        // Once a minute: whoever is hidden now is hidden in a second too, so that more counts are no more knowledge.
        if let Some(people) = occupancy.map(f64::from)
            && self.counted != Some(minute)
        {
            self.counted = Some(minute);
            queue.count(people, 1.0 + HIDDEN * people);
        }
        if let Some(told) = queue.now().filter(|_| is_whole) {
            let told = (told.length.value as f32, told.wait_seconds.value as f32);
            if told.0.is_finite() && told.1.is_finite() {
                self.queues.insert(minute, told);
            }
        }
        self.queues.retain(|at, _| (minute - KEPT_S..=minute).contains(at));
    }

    /// Learns the steps that are through, of which `minutes` tell.
    pub(super) fn observe(&mut self, minutes: &[Minute]) {
        let Some(forecaster) = &mut self.forecaster else { return };
        for (begins, count) in steps_of(minutes, self.step, self.next) {
            forecaster.observe(begins, count);
            self.next = begins.checked_add(self.step).ok();
        }
    }

    /// Forecasts until `end`, at least for as long as the farthest horizon and question.
    pub(super) fn foresee(&mut self, now: Timestamp, end: Timestamp) -> Option<(Path<'_>, &Forecaster)> {
        let forecaster = self.forecaster.as_ref()?;
        let step = self.step.as_secs();
        let begun = Timestamp::from_second(now.as_second().div_euclid(step) * step).ok()?;
        // What is not counted yet is forecast too; of a gap that is long past only what is ahead.
        let from =
            self.next.filter(|next| *next <= begun && begun.duration_since(*next) <= self.step * 4).unwrap_or(begun);
        let least = now.checked_add(SignedDuration::from_mins(FARTHEST as i64 + 60)).ok()?;
        let steps = end.max(least).duration_since(from).as_secs() / step + 1;
        self.path = (from, forecaster.path(from, usize::try_from(steps).unwrap_or(0)));
        Some((self.path_now(), self.forecaster.as_ref()?))
    }

    /// The forecast as it was made last.
    pub(super) fn path_now(&self) -> Path<'_> {
        Path { from: self.path.0, step: self.step, steps: &self.path.1 }
    }

    /// Queue and wait at the end of each horizon, where a queue is measured.
    pub(super) fn waits(&self, now: Timestamp) -> Vec<(Fan, Fan)> {
        let Some((queue, _)) = self.queue.as_ref().and_then(|queue| Some((queue, queue.now()?))) else {
            return Vec::new();
        };
        let arrivals = self.path_now().by_minute(now, HORIZONS[HORIZONS.len() - 1] as usize);
        let open = self.at_work();
        let minutes: Vec<usize> =
            HORIZONS.iter().map(|minutes| *minutes as usize - 1).filter(|at| *at < arrivals.len()).collect();
        queue.project_at(&arrivals, &|_| open, &minutes)
    }

    /// What would be with other lanes from a time on.
    pub(super) fn what_if(&self, lanes: u32, from: SystemTime, now: Moment) -> Answer {
        let queue = self.queue.as_ref().filter(|queue| queue.now().is_some()).ok_or(Refusal::NoQueue)?;
        let (most, open) = (queue.lanes().lanes, self.at_work());
        if lanes > most {
            return Err(Refusal::Lanes(most));
        }
        let ahead = from.duration_since(now.wall).map_or(0, |ahead| ahead.as_secs().div_ceil(60) as usize);
        if ahead + AFTER > FARTHEST {
            return Err(Refusal::TooFar((FARTHEST - AFTER) as u32));
        }
        let at = Timestamp::try_from(now.wall).map_err(|_| Refusal::Silent)?;
        let arrivals = self.path_now().by_minute(at, ahead + AFTER);
        if arrivals.len() < ahead + AFTER {
            return Err(Refusal::Silent);
        }
        let told: Vec<usize> = (0..=(ahead + AFTER) / EVERY).map(|n| (n * EVERY).saturating_sub(1)).collect();
        let steps = |plan: &dyn Fn(usize) -> u32| -> Vec<Step> {
            let found = queue.project_at(&arrivals, plan, &told);
            let step = |(minute, (queue, wait_seconds)): (&usize, (Fan, Fan))| {
                // The end of a minute is the begin of the next; the first stands for now.
                let minutes = if *minute == 0 { 0 } else { minute + 1 };
                Step { minutes: minutes as u32, lanes: plan(minutes), queue, wait_seconds }
            };
            told.iter().zip(found).map(step).collect()
        };
        Ok(WhatIf { as_is: steps(&|_| open), would_be: steps(&|minute| if minute >= ahead { lanes } else { open }) })
    }
}

/// A history in steps that forecasts can have: shorter ones are put together where that makes whole minutes.
pub(crate) fn learnable(history: &Series) -> Option<Series> {
    let whole = |step: SignedDuration| step >= STEP && step.as_secs() % 60 == 0;
    let history = match history.step {
        step if whole(step) => history.clone(),
        step => history.coarser(usize::try_from(STEP.as_secs() / step.as_secs().max(1)).unwrap_or(1)),
    };
    Some(history).filter(|history| whole(history.step))
}

/// Who joined a queue since it was looked at, less who turned back; `None` where not all of its back was seen then or now.
fn came_between(before: &Back, now: &Back) -> Option<f64> {
    let seen = [before, now].iter().all(|back| back.counting == Counting::Whole);
    // A day's totals begin anew at 04:00.
    let grown = |before: u64, now: u64| now.checked_sub(before).unwrap_or(now) as f64;
    seen.then(|| grown(before.joined, now.joined) - grown(before.turned, now.turned))
}

fn seconds(wall: SystemTime) -> i64 {
    Timestamp::try_from(wall).map_or(0, Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn minute(at_s: i64, entered: u32) -> Minute {
        Minute { at: at(at_s), entered: Some(entered), left: None, counting: Counting::Whole }
    }

    fn gate(rate: f64) -> Gate {
        let lanes =
            Lanes { lanes: 4, open: 2, rate_per_lane_minute: Some(rate), limit: Some(Duration::from_secs(300)) };
        let mut gate = Gate::new(Name::new("gate-a").unwrap(), Some(lanes), None, Duration::ZERO, Duration::ZERO);
        gate.learn(None, &[], &TimeZone::UTC, vec![], None);
        gate
    }

    fn moment(second: u64) -> Moment {
        let begun = 1_800_000_000;
        Moment {
            steady: Duration::from_secs(second),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(begun + second),
        }
    }

    /// Ten minutes in which twenty a minute come and go, and so many stand there; what is counted is told as it happens.
    fn busy(gate: &mut Gate, standing: u32) {
        for second in 0..600 {
            let tally = GateTally { entered_total: second / 3, counting: Counting::Whole, ..GateTally::default() };
            gate.look(&tally, Some(standing), moment(second));
        }
        let minutes: Vec<_> = (0..10).map(|n| minute(1_800_000_000 + n * 60, 20)).collect();
        gate.observe(&minutes);
        gate.foresee(at(1_800_000_600), at(1_800_000_600)).unwrap();
    }

    #[test]
    fn who_stands_in_the_pictures_is_the_queue_and_it_is_kept_by_minute() {
        let mut gate = gate(10.0);
        busy(&mut gate, 30);
        let told = gate.queue.as_ref().unwrap().now().unwrap();
        assert!((20.0..40.0).contains(&told.length.value), "{told:?}");
        assert!((60.0..150.0).contains(&told.wait_seconds.value), "{told:?}");
        assert!((9..=11).contains(&gate.queues.len()));
        let before = gate.queues.len();
        // Nobody sees: nothing is kept of these minutes.
        for second in 600..780 {
            gate.look(&GateTally { entered_total: 200, ..GateTally::default() }, None, moment(second));
        }
        assert_eq!(gate.queues.len(), before);
    }

    #[test]
    fn with_a_camera_at_the_back_the_queue_is_what_lies_between() {
        let mut gate = gate(10.0);
        // Two lanes let in twenty a minute, thirty come: a hundred stand there after ten minutes, whoever the pictures show.
        let tally = |second: u64, back: Option<Back>| GateTally {
            entered_total: if second < 600 { second / 10 } else { 60 + (second - 600) / 3 },
            counting: Counting::Whole,
            back,
            ..GateTally::default()
        };
        let whole = |joined| Back { joined, turned: 0, counting: Counting::Whole };
        // Before, whoever came was let in at once.
        for second in 0..600 {
            let calm = Back { joined: second / 10, turned: 0, counting: Counting::Whole };
            gate.look(&tally(second, Some(calm)), Some(4), moment(second));
        }
        let whole = |joined: u64| whole(60 + joined);
        for second in 600..1200 {
            gate.look(&tally(second, Some(whole((second - 600) / 2))), Some(4), moment(second));
        }
        let told = gate.queue.as_ref().unwrap().now().unwrap();
        assert!((85.0..110.0).contains(&told.length.value), "{told:?}");
        // Lost, the back goes on as it was, and the interval widens.
        for second in 1200..1500 {
            let lost = Back { counting: Counting::None, ..whole(300) };
            gate.look(&tally(second, Some(lost)), Some(4), moment(second));
        }
        let lost = gate.queue.as_ref().unwrap().now().unwrap();
        assert!(lost.length.high - lost.length.low > 2.0 * (told.length.high - told.length.low), "{told:?} {lost:?}");
    }

    #[test]
    fn more_lanes_are_shorter_waits_from_then_on_and_a_question_that_cannot_be_answered_says_why() {
        let mut gate = gate(8.0);
        busy(&mut gate, 40);
        let now = moment(600);
        let then = now.wall + Duration::from_secs(20 * 60);
        let WhatIf { as_is, would_be } = gate.what_if(4, then, now).unwrap();
        assert_eq!(as_is.len(), would_be.len());
        assert_eq!(as_is.iter().map(|step| step.minutes).take(3).collect::<Vec<_>>(), [0, 5, 10]);
        assert_eq!(would_be.iter().map(|step| step.lanes).collect::<Vec<_>>()[3..6], [2, 4, 4]);
        let (last_is, last_would) = (as_is.last().unwrap(), would_be.last().unwrap());
        assert!(last_would.wait_seconds.median < last_is.wait_seconds.median, "{last_is:?} {last_would:?}");
        assert_eq!(gate.what_if(5, then, now), Err(Refusal::Lanes(4)));
        assert_eq!(gate.what_if(4, now.wall + Duration::from_secs(5 * 3600), now), Err(Refusal::TooFar(180)));
        let other = Gate::new(Name::new("gate-b").unwrap(), None, None, Duration::ZERO, Duration::ZERO);
        assert_eq!(other.what_if(1, then, now), Err(Refusal::NoQueue));
    }
}
