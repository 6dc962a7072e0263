//! The stage: counts, queue, forecast and advice of every gate, joined and told.
//!
//! It reads the tallies once a second, lets queues live on, learns each step that is through, forecasts each gate once a minute and
//! tells each every ten seconds, or at once when an advice begins or ends. Gates take turns, so that hundreds of them keep no
//! beat waiting, and what takes long is one gate's at a time. What it reads from files may break at any time and stops nothing.

mod files;
mod gate;
mod learnt;
mod taken_up;
mod tell;

use crate::{
    clock::{Clock, Moment},
    flow::{
        advice::{Advisor, View},
        board::Board,
        count::tally::{self, GateTally, Minute, Tallies},
        desk::{Asked, Order, Question, Refusal},
        forecast::events::{Event, events_of},
        lanes::{By, OpenLanes},
        queue,
        told::{Advice, AdviceKind},
    },
    guide::{concierge::Concierge, live::Live},
    health::Health,
    in_force::Follower,
    metrics::STAGE_SECONDS,
    supervise::{Beat, Stop},
};
use crossbeam::channel::Receiver;
use files::Files;
use gate::Gate;
pub(crate) use gate::learnable;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
pub(crate) use taken_up::{backs_of, lanes_of};
use tell::Heading;
use tracing::{info, warn};
use usher_config::{decide::Lanes, programme::Programme, value::Name};

/// How often the stage goes round: also how long a question waits at most.
const ROUND: Duration = Duration::from_millis(200);
/// How often gates are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a gate is told.
const TELL: Duration = Duration::from_secs(10);
/// How often a gate is forecast.
const FORESEE: Duration = Duration::from_secs(60);
/// The first forecast comes this soon.
const SOON: Duration = Duration::from_secs(5);
/// How long a round may forecast; the next gate has the next round.
const LONGEST: Duration = Duration::from_millis(400);
/// How long cameras may take to connect at start before they are told to be lost.
const CONNECTING: Duration = Duration::from_secs(20);
/// Minutes ahead that advice looks at.
const ADVISED: usize = 60;
/// Days of the box's own record that are learnt from at most, and days and gates together: a second's reading.
const RECORDED: i64 = 56;
const GATE_DAYS: i64 = 560;
/// Days of the programme that forecasts know: those of the history they learn from, and those ahead.
const DAYS: (i64, i64) = (120, 3);

/// What the stage joins.
pub struct Setup {
    /// The venue.
    pub site: Name,
    /// Its gates, and how those are built whose queue is measured.
    pub gates: BTreeMap<Name, Option<Lanes>>,
    /// Those of them at which a camera counts who comes to the back of the queue.
    pub backs: BTreeSet<Name>,
    /// Lanes that staff said are open.
    pub open: OpenLanes,
    /// What is counted.
    pub tallies: Arc<Tallies>,
    /// The venue's clocks.
    pub zone: TimeZone,
    /// The folder of counts of earlier days, `GATE.csv` each.
    pub history: Option<PathBuf>,
    /// The folder of the box's own record; none where nothing is recorded.
    pub record: Option<PathBuf>,
    /// Weather, past and forecast.
    pub weather: Option<PathBuf>,
    /// The programme, as it stands.
    pub live: Arc<Live>,
    /// Plans days with the waits, and with where many are.
    pub concierge: Arc<Concierge>,
    /// Hears of files that cannot be read.
    pub health: Arc<Health>,
    /// Told to.
    pub board: Arc<Board>,
}

/// The thread that tells.
pub struct Stage {
    setup: Setup,
    gates: Vec<Gate>,
    files: Files,
    programme: Option<Arc<Programme>>,
    looked: Option<Duration>,
    /// Whose turn it is to be forecast.
    turn: usize,
    advisor: Advisor,
    begun: Duration,
    /// Gates that have yet to learn what is new in the files.
    unlearnt: BTreeSet<usize>,
    /// What the record held, until all have learnt it.
    recorded: Option<BTreeMap<Name, Vec<Minute>>>,
    following: Option<Follower>,
}

impl Stage {
    /// A stage that has told nothing yet.
    pub fn new(setup: Setup, now: Moment) -> Self {
        let many = u32::try_from(setup.gates.len().max(1)).unwrap_or(u32::MAX);
        let gate = |(place, (name, lanes)): (usize, (&Name, &Option<Lanes>))| {
            let share = u32::try_from(place).unwrap_or(0);
            // Spread, so that hundreds of gates do not come at once.
            let (tell, foresee) = (now.steady + TELL * share / many, now.steady + SOON + FORESEE * share / many);
            Gate::new(name.clone(), *lanes, setup.open.at(name), tell, foresee)
        };
        let gates: Vec<Gate> = setup.gates.iter().enumerate().map(gate).collect();
        let (history, weather) = (setup.history.as_deref(), setup.weather.as_deref());
        let files = Files::of(history, setup.gates.keys(), weather, setup.zone.clone(), setup.health.clone());
        let unlearnt = (0..gates.len()).collect();
        Self {
            setup,
            gates,
            files,
            programme: None,
            looked: None,
            turn: 0,
            advisor: Advisor::new(),
            begun: now.steady,
            unlearnt,
            recorded: None,
            following: None,
        }
    }

    /// Goes round once. `clock` is asked how long forecasts took.
    pub fn round(&mut self, clock: &dyn Clock, beat: &Beat) {
        let now = clock.now();
        self.take_up(now);
        for (gate, lanes) in self.setup.open.due(now.steady) {
            if let Err(reason) = self.set_lanes(&gate, lanes, By::Broker, now) {
                warn!(%gate, lanes, %reason, "the broker's word of open lanes is passed over");
            }
        }
        if self.looked.is_none_or(|looked| now.steady.saturating_sub(looked) >= LOOK) {
            self.looked = Some(now.steady);
            self.look(now);
            metrics::histogram!(STAGE_SECONDS, "stage" => "flow").record(clock.now().since(now).as_secs_f64());
        }
        // One gate may take a second to learn; no beat waits for two.
        if let Some(place) = self.unlearnt.pop_first() {
            self.learn(place, now);
            beat.beat();
            if self.unlearnt.is_empty() {
                self.recorded = None;
            }
        }
        let begun = clock.now();
        for _ in 0..self.gates.len() {
            if clock.now().since(begun) > LONGEST {
                break;
            }
            let place = self.turn % self.gates.len();
            self.turn = place + 1;
            let gate = &self.gates[place];
            if gate.is_learnt() && now.steady >= gate.foresee {
                self.foresee(place, now);
                beat.beat();
            }
        }
    }

    /// Takes in whatever arrives at the desk.
    pub fn hear(&mut self, asked: Asked, now: Moment) {
        match asked {
            Asked::WhatIf(question) => self.answer(question, now),
            Asked::Lanes(order) if order.by == By::Broker => {
                self.setup.open.ask(order.gate.clone(), order.lanes);
                order.answer(Ok(()));
            }
            Asked::Lanes(order) => {
                let Order { gate, lanes, by, .. } = &order;
                let answer = self.set_lanes(gate, *lanes, *by, now);
                order.answer(answer);
            }
        }
    }

    /// So many lanes are open at a gate.
    fn set_lanes(&mut self, name: &Name, lanes: u32, by: By, now: Moment) -> Result<(), Refusal> {
        let gate = self.gates.iter_mut().find(|gate| gate.name == *name).ok_or(Refusal::NoGate)?;
        let most = gate.lanes.ok_or(Refusal::NoQueue)?.lanes;
        if lanes > most {
            return Err(Refusal::Lanes(most));
        }
        if gate.open() == lanes && self.setup.open.at(name).is_some() {
            return Ok(());
        }
        self.setup.open.set(name, lanes, by, now.wall).map_err(Refusal::NotKept)?;
        info!(gate = %name, lanes, ?by, "lanes are open");
        // Told with the next look, which is the next round, and so is what it changes of the advice.
        gate.set_open(lanes, now);
        self.looked = None;
        self.advisor.look_anew();
        Ok(())
    }

    /// Answers a question.
    pub fn answer(&self, question: Question, now: Moment) {
        let gate = self.gates.iter().find(|gate| gate.name == question.gate);
        let answer = gate.ok_or(Refusal::NoGate).and_then(|gate| gate.what_if(question.lanes, question.from, now));
        question.answer(answer);
    }

    fn look(&mut self, now: Moment) {
        if self.files.look() {
            self.unlearnt = (0..self.gates.len()).collect();
        }
        self.look_at_programme(now);
        let tallies = self.setup.tallies.gates_at(now);
        for gate in &mut self.gates {
            let Some(tally) = tallies.get(&gate.name) else { continue };
            gate.look(tally, self.setup.tallies.occupancy(&gate.name), now);
        }
        let mut advice = self.advise(&tallies, now);
        for place in 0..self.gates.len() {
            let gate = &self.gates[place];
            let Some(tally) = tallies.get(&gate.name) else { continue };
            let advice = advice.remove(&gate.name).unwrap_or_default();
            if now.steady >= gate.tell || !is_of(&advice, &gate.advised) {
                self.tell(place, tally, advice, now);
            }
        }
        let queues = self.gates.iter().filter_map(|gate| Some((&gate.name, gate.queue.as_ref()?)));
        self.setup.concierge.set_waits(queue::waits(queues));
        self.setup.concierge.set_seen(self.setup.tallies.cameras_per_minute(now));
    }

    /// What staff may do, gate by gate.
    fn advise(&mut self, tallies: &BTreeMap<Name, GateTally>, now: Moment) -> BTreeMap<Name, Vec<Advice>> {
        let at = Timestamp::try_from(now.wall).unwrap_or_default();
        let ahead: Vec<_> =
            self.gates.iter().map(|gate| (gate.path_now().by_minute(at, ADVISED), gate.at_work())).collect();
        let plans: Vec<_> = ahead.iter().map(|(_, open)| move |_: usize| *open).collect();
        // Cameras that have yet to connect are not lost.
        let begins = now.steady.saturating_sub(self.begun) < CONNECTING;
        let mut views = Vec::with_capacity(self.gates.len());
        for ((gate, (arrivals, _)), open) in self.gates.iter().zip(&ahead).zip(&plans) {
            let lost = tallies.get(&gate.name).filter(|_| !begins).map_or(&[][..], |tally| &tally.lost);
            views.push(View { gate: &gate.name, queue: gate.queue.as_ref(), arrivals, open, lost });
        }
        self.advisor.advise(now.steady, &views)
    }

    fn look_at_programme(&mut self, now: Moment) {
        let programme = self.setup.live.load().programme.clone();
        let same = match (&programme, &self.programme) {
            (Some(new), Some(old)) => Arc::ptr_eq(new, old),
            (new, old) => new.is_none() && old.is_none(),
        };
        if same {
            return;
        }
        self.programme = programme;
        for place in 0..self.gates.len() {
            let events = self.events(&self.gates[place].name, now);
            self.gates[place].set_events(events);
        }
    }

    /// What people come to at a gate. Sessions that name no gate send everybody through all of them alike.
    fn events(&self, gate: &Name, now: Moment) -> Vec<Event> {
        let (Some(programme), Ok(now)) = (&self.programme, Timestamp::try_from(now.wall)) else { return Vec::new() };
        let day = |days: i64| now.saturating_add(SignedDuration::from_hours(24 * days)).unwrap_or(now);
        let (from, to) = (day(-DAYS.0), day(DAYS.1));
        let named = |event: &Event, of: &[Event]| of.contains(event);
        let all = events_of(programme, Some(gate), from, to);
        if self.gates.len() == 1 {
            return all;
        }
        let own = Programme {
            sessions: programme.sessions.iter().filter(|session| session.gate.is_some()).cloned().collect(),
            ..Programme::clone(programme)
        };
        let own = events_of(&own, Some(gate), from, to);
        let share = 1.0 / self.gates.len() as f64;
        all.into_iter()
            .map(|event| if named(&event, &own) { event } else { Event { share: event.share * share, ..event } })
            .collect()
    }

    fn learn(&mut self, place: usize, now: Moment) {
        let events = self.events(&self.gates[place].name, now);
        let weather = self.files.weather.as_deref().cloned();
        let name = self.gates[place].name.clone();
        let minutes = self.recorded(now).get(&name).cloned().unwrap_or_default();
        let history = self.files.history.get(&name).cloned();
        let gate = &mut self.gates[place];
        gate.learn(history.as_deref(), &minutes, &self.setup.zone, events, weather);
        gate.observe(&self.setup.tallies.arrivals(&gate.name));
        gate.foresee = gate.foresee.min(now.steady + SOON);
    }

    /// What the box recorded in the last weeks, read where it is not at hand. A record that cannot be read is none: counting says why.
    fn recorded(&mut self, now: Moment) -> &BTreeMap<Name, Vec<Minute>> {
        let (setup, gates) = (&self.setup, i64::try_from(self.gates.len().max(1)).unwrap_or(i64::MAX));
        self.recorded.get_or_insert_with(|| {
            let days = (GATE_DAYS / gates).clamp(2, RECORDED);
            let since = Timestamp::try_from(now.wall).unwrap_or_default();
            let since = since.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(since);
            let since = tally::day_of(since, &setup.zone);
            let record = setup.record.as_deref();
            record.and_then(|folder| learnt::recorded(folder, since, &setup.backs).ok()).unwrap_or_default()
        })
    }

    fn foresee(&mut self, place: usize, now: Moment) {
        let gate = &mut self.gates[place];
        while gate.foresee <= now.steady {
            gate.foresee += FORESEE;
        }
        let Ok(at) = Timestamp::try_from(now.wall) else { return };
        gate.observe(&self.setup.tallies.arrivals(&gate.name));
        let end = tell::end_of_day(at, &self.setup.zone);
        let Some((_, forecaster)) = gate.foresee(at, end) else { return };
        let (grades, rests_on) = (forecaster.grades(), forecaster.rests_on());
        let heading = Heading { site: &self.setup.site, gate: &gate.name, at, zone: &self.setup.zone };
        let told = tell::forecast(&heading, &gate.path_now(), &gate.waits(at), end, grades, rests_on);
        gate.meters.forecast(&told);
        self.setup.board.tell_forecast(told, now.wall);
    }

    fn tell(&mut self, place: usize, tally: &GateTally, advice: Vec<Advice>, now: Moment) {
        let gate = &mut self.gates[place];
        while gate.tell <= now.steady {
            gate.tell += TELL;
        }
        note(&gate.name, &gate.advised, &advice);
        gate.advised = advice.iter().map(|advice| (advice.cause.clone(), advice.kind)).collect();
        let Ok(at) = Timestamp::try_from(now.wall) else { return };
        let heading = Heading { site: &self.setup.site, gate: &gate.name, at, zone: &self.setup.zone };
        let queue = gate.queue.as_ref().and_then(queue::Queue::now);
        let limit = gate.lanes.and_then(|lanes| lanes.limit);
        let told = tell::flow(&heading, tally, queue, limit, advice);
        let past = tell::past(&self.setup.tallies.minutes(&gate.name), &gate.queues);
        gate.meters.flow(&told);
        self.setup.board.tell_flow(told, past, now.wall);
    }
}

/// Runs until the process stops.
pub fn run(mut stage: Stage, asked: &Receiver<Asked>, clock: &dyn Clock, stop: &Stop, beat: &Beat) {
    loop {
        beat.beat();
        stage.round(clock, beat);
        for asked in asked.try_iter() {
            stage.hear(asked, clock.now());
        }
        if stop.wait(ROUND) {
            return;
        }
    }
}

/// Whether an advice has exactly these causes, and of the same kinds.
fn is_of(advice: &[Advice], told: &[(String, AdviceKind)]) -> bool {
    let is_told = |advice: &Advice| told.iter().any(|(cause, kind)| advice.cause == *cause && advice.kind == *kind);
    advice.len() == told.len() && advice.iter().all(is_told)
}

/// Logs what begins and what ends, once each.
fn note(gate: &Name, before: &[(String, AdviceKind)], now: &[Advice]) {
    let is_new = |advice: &&Advice| before.iter().all(|(cause, _)| advice.cause != *cause);
    for Advice { cause, kind, minutes, lanes, .. } in now.iter().filter(is_new) {
        match kind {
            AdviceKind::Over | AdviceKind::CameraLost => warn!(%gate, cause, ?kind, "advice begins"),
            _ => info!(%gate, cause, ?kind, minutes, lanes, "advice begins"),
        }
    }
    for (cause, kind) in before.iter().filter(|(cause, _)| now.iter().all(|advice| advice.cause != *cause)) {
        info!(%gate, cause, ?kind, "advice ends");
    }
}

#[cfg(test)]
mod tests;
