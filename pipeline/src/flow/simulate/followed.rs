//! A simulated venue that follows the advice, minute by minute: what the advice is worth.

use crate::flow::{
    advice::{Advisor, View},
    queue::Queue,
    simulate::{
        GateDays, Settings, Simulated, measured,
        reference::{Reference, planned},
        simulate,
        venue::{Steer, Venue},
    },
    told::{Advice, AdviceKind, Fan},
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};
use usher_config::value::Name;

/// Minutes from an advice to open lanes until they are open.
const STAFF_TAKE: usize = 4;
/// The part of a gate's visitors who heed a screen that sends them to another one.
const HEED: f64 = 0.25;
/// Minutes ahead that are forecast.
const AHEAD: usize = 60;

/// What days were like at all gates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Days {
    /// People who came.
    pub people: u64,
    /// Those of them who waited longer than their gate's limit.
    pub over_limit: u64,
    /// Minutes, of all gates, in which who came waited longer than the limit.
    pub minutes_over_limit: u64,
    /// Mean wait, seconds.
    pub mean_wait_seconds: f64,
    /// Longest wait of a minute, seconds.
    pub longest_wait_seconds: f64,
    /// Hours that lanes were open.
    pub lane_hours: f64,
}

/// The same days, without advice and with advice that was followed.
#[derive(Clone, Debug, Serialize)]
pub struct Followed {
    /// As planned.
    pub without: Days,
    /// Lanes opened and closed, and visitors steered, as advised.
    pub with: Days,
    /// Pieces of advice that began, by kind.
    pub advised: BTreeMap<AdviceKind, u64>,
}

/// The days as they are.
pub fn days(simulated: &Simulated) -> Days {
    let mut days = Days::default();
    let mut waited = 0.0;
    for gate in &simulated.gates {
        for minute in &gate.minutes {
            days.lane_hours += f64::from(minute.open) / 60.0;
            let Some(wait) = minute.wait_seconds else { continue };
            days.people += u64::from(minute.arrived);
            waited += wait * f64::from(minute.arrived);
            days.longest_wait_seconds = days.longest_wait_seconds.max(wait);
            if wait > gate.limit.as_secs_f64() {
                days.over_limit += u64::from(minute.arrived);
                days.minutes_over_limit += 1;
            }
        }
    }
    days.mean_wait_seconds = waited / days.people.max(1) as f64;
    days
}

/// Simulates the days twice, without and with advice. The same people come at the same times; where they go, and how many
/// lanes are open, is what differs. Advice is made from what cameras counted, never from the truth.
pub fn followed(settings: &Settings, reference: &Reference) -> Followed {
    let plain = simulate(settings);
    // What is expected beforehand is the same in both.
    let expected: Vec<Vec<f64>> = (0..plain.gates.len()).map(|gate| planned(&plain, gate)).collect();
    let mut advised = BTreeMap::new();
    let mut venue = Venue::new(settings);
    let mut advisor = Advisor::new();
    let mut staff = Staff::new(&plain);
    let mut minute = 0;
    while !venue.is_over() {
        let as_planned = venue.would_open();
        let open = staff.open(minute, &as_planned);
        venue.minute(&open, &staff.steering);
        staff.look(&venue, minute, &expected, reference);
        let plans: Vec<_> = (0..open.len()).map(|gate| staff.plan(gate, &venue)).collect();
        let told = {
            let opens: Vec<_> = plans.iter().map(|plan| |ahead: usize| plan[ahead.min(plan.len() - 1)]).collect();
            let view = |gate: usize| View {
                gate: &staff.names[gate],
                queue: Some(&staff.queues[gate]),
                arrivals: &staff.arrivals[gate],
                open: &opens[gate],
                lost: &[],
            };
            let views: Vec<View<'_>> = (0..open.len()).map(view).collect();
            advisor.advise(Duration::from_secs(60 * (minute as u64 + 1)), &views)
        };
        staff.heed(minute, &open, &told, &mut advised);
        minute += 1;
    }
    Followed { without: days(&plain), with: days(&venue.into_simulated()), advised }
}

/// Staff who do what is advised.
struct Staff {
    names: Vec<Name>,
    queues: Vec<Queue>,
    arrivals: Vec<Vec<Fan>>,
    /// Lanes opened or closed against the plan, and that plan; a new plan is a new start.
    more: Vec<i32>,
    planned: Vec<u32>,
    /// Changes on their way: gate, minute, lanes.
    due: Vec<(usize, usize, i32)>,
    steering: Vec<Steer>,
    kinds: Vec<Vec<AdviceKind>>,
}

impl Staff {
    fn new(plain: &Simulated) -> Self {
        let queues = plain.gates.iter().map(|gate| {
            let mut queue = Queue::new(measured::lanes_of(gate));
            queue.observe(Duration::ZERO, Some(0.0), Some(0.0), gate.minutes[0].open);
            queue
        });
        let gates = plain.gates.len();
        Self {
            names: plain.gates.iter().map(|gate| gate.name.clone()).collect(),
            queues: queues.collect(),
            arrivals: vec![Vec::new(); gates],
            more: vec![0; gates],
            planned: vec![0; gates],
            due: Vec::new(),
            steering: Vec::new(),
            kinds: vec![Vec::new(); gates],
        }
    }

    /// Lanes open in a minute.
    fn open(&mut self, minute: usize, as_planned: &[u32]) -> Vec<u32> {
        for ((more, before), planned) in self.more.iter_mut().zip(&mut self.planned).zip(as_planned) {
            if before != planned {
                (*more, *before) =
                    (if planned > before { (*more - (planned - *before) as i32).max(0) } else { 0 }, *planned);
            }
        }
        let more = &mut self.more;
        self.due.retain(|(gate, at, lanes)| {
            if *at <= minute {
                more[*gate] += lanes;
            }
            *at > minute
        });
        let lanes = as_planned.iter().zip(&self.queues).zip(more);
        let open = lanes.map(|((planned, queue), more)| {
            let open = planned.saturating_add_signed(*more).clamp(1, queue.lanes().lanes);
            // What was opened beyond all lanes, or closed beyond the last, is not owed later.
            *more = open as i32 - *planned as i32;
            open
        });
        open.collect()
    }

    fn plan(&self, gate: usize, venue: &Venue) -> Vec<u32> {
        let most = self.queues[gate].lanes().lanes;
        let at = |ahead| {
            let (planned, now) = (venue.planned(gate, ahead), self.planned[gate]);
            let more = if planned == now { self.more[gate] } else { 0 };
            planned.saturating_add_signed(more).clamp(1, most)
        };
        (0..=AHEAD).map(at).collect()
    }

    fn look(&mut self, venue: &Venue, minute: usize, expected: &[Vec<f64>], reference: &Reference) {
        for (gate, days) in venue.gates().enumerate() {
            let now = days.minutes[minute];
            self.arrivals[gate] = forecast(days, &expected[gate], minute, reference);
            let queue = &mut self.queues[gate];
            queue.expect(self.arrivals[gate].first().map(|fan| fan.median));
            let (arrived, served) = (now.seen_arrived.map(f64::from), now.seen_served.map(f64::from));
            queue.observe(Duration::from_secs(60 * (minute as u64 + 1)), arrived, served, now.open);
        }
    }

    fn heed(
        &mut self,
        minute: usize,
        open: &[u32],
        told: &BTreeMap<Name, Vec<Advice>>,
        advised: &mut BTreeMap<AdviceKind, u64>,
    ) {
        self.steering.clear();
        for (gate, name) in self.names.iter().enumerate() {
            let advice = &told[name];
            let is_due = self.due.iter().any(|(of, _, _)| *of == gate);
            for advice in advice {
                let lanes = advice.lanes.unwrap_or(0) as i32;
                match advice.kind {
                    AdviceKind::OpenLanes if !is_due => self.due.push((gate, minute + STAFF_TAKE, lanes)),
                    AdviceKind::CloseLanes if !is_due && open[gate] > 1 => self.due.push((gate, minute + 1, -lanes)),
                    AdviceKind::Steer => {
                        let to = advice.gate.as_ref().and_then(|to| self.names.iter().position(|name| name == to));
                        self.steering.extend(to.map(|to| Steer { from: gate, to, share: HEED }));
                    }
                    _ => {}
                }
            }
            let kinds: Vec<AdviceKind> = advice.iter().map(|advice| advice.kind).collect();
            for kind in kinds.iter().filter(|kind| !self.kinds[gate].contains(kind)) {
                *advised.entry(*kind).or_default() += 1;
            }
            self.kinds[gate] = kinds;
        }
    }
}

/// A forecast; its correction by what came lately sees steered visitors where they went.
fn forecast(days: &GateDays, expected: &[f64], minute: usize, reference: &Reference) -> Vec<Fan> {
    let ahead = AHEAD.min(expected.len() - minute - 1);
    reference.fans(days, expected, minute, ahead.max(1))
}
