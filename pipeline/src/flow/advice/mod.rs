//! What staff may do: minutes until a limit is passed, lanes to open or close, gates that have room.
//!
//! Each advice has a cause, a stable word; there is one of a cause at a gate at most, and it neither comes nor goes by noise
//! (`latch`): it begins where there was reason for a minute, stays for five at least, and ends below another threshold than it
//! began at. What would help is tried out before it is said, by letting the queue live on under the change ([`outlook`]).

pub mod outlook;

mod latch;
mod words;

use crate::flow::{
    queue::Queue,
    told::{Advice, AdviceKind, Fan},
};
use latch::{Dwell, Latch};
use outlook::{Change, Outlook, STEERED_FOR, what_if};
use std::{collections::BTreeMap, time::Duration};
use usher_config::value::Name;

/// Cause of [`AdviceKind::Over`] and [`AdviceKind::OverSoon`]: one long wait is one cause, before it is there and after.
pub const WAIT: &str = "wait";
/// Cause of [`AdviceKind::OpenLanes`] and [`AdviceKind::CloseLanes`].
pub const LANES: &str = "lanes";
/// Cause of [`AdviceKind::Steer`].
pub const STEER: &str = "steer";
/// Cause of [`AdviceKind::CameraLost`].
pub const CAMERAS: &str = "cameras";

/// Least times of an alert and of an advice to open lanes.
const ALERT: Dwell =
    Dwell { confirmed: Duration::from_secs(60), on: Duration::from_secs(300), off: Duration::from_secs(120) };
/// The same of closing lanes: who closes and opens again has made people walk for nothing.
const CLOSING: Dwell =
    Dwell { confirmed: Duration::from_secs(600), on: Duration::from_secs(300), off: Duration::from_secs(900) };
/// The same of opening again what was closed as advised: at once, since people come at once.
const REOPENING: Dwell =
    Dwell { confirmed: Duration::ZERO, on: Duration::from_secs(300), off: Duration::from_secs(60) };
/// The same of steering, which screens show: visitors must not see it come and go.
const STEERING: Dwell =
    Dwell { confirmed: Duration::from_secs(60), on: Duration::from_secs(300), off: Duration::from_secs(300) };
/// How often the future is looked at; in between what was advised stands.
const EVERY: Duration = Duration::from_secs(60);
/// Part of the limit below which an alert ends, and which lanes to open must reach.
const BELOW: (f64, f64) = (0.8, 0.85);
/// Part of the limit that the likely wait must stay below for a lane to close, and above which that advice ends.
const ROOM: (f64, f64) = (0.35, 0.6);
/// Part of its own limit up to which another gate takes visitors.
const TAKES: f64 = 0.8;
/// Fewest people worth a word on a screen.
const WORTH_STEERING: f64 = 15.0;
/// Part of a gate's visitors that can be sent elsewhere at most: not everybody heeds a screen.
const HEEDED: f64 = 0.4;
/// Gates that are tried for room at most.
const CANDIDATES: usize = 4;
/// Seconds by which the way through another gate must be shorter: it is a walk away.
const A_WALK: f64 = 120.0;
/// Minutes until a lane that is to open is open.
const STAFF_COME_IN: usize = 3;
/// Minutes over which a rise of arrivals is looked for, and what is one: a factor, and people a minute on top.
const A_WHILE: usize = 10;
const RISES: (f64, f64) = (1.15, 1.0);
/// Minutes from which on an advice must have helped, where the limit is passed already.
const HELPS_BY: u32 = 10;

/// A gate, as advice sees it.
pub struct View<'a> {
    /// Its name.
    pub gate: &'a Name,
    /// Its queue; `None` where nobody measures one.
    pub queue: Option<&'a Queue>,
    /// Arrivals forecast, people a minute, by minute from now on; 60 are enough.
    pub arrivals: &'a [Fan],
    /// Lanes planned to be open, by minute from now on.
    pub open: &'a dyn Fn(usize) -> u32,
    /// Cameras that do not count.
    pub lost: &'a [Name],
}

/// Advises all gates of a venue; remembers what it advised.
#[derive(Clone, Debug, Default)]
pub struct Advisor {
    gates: BTreeMap<Name, Memory>,
    looked: Option<Duration>,
}

#[derive(Clone, Debug, Default)]
struct Memory {
    wait: Latch,
    closing: Latch,
    steering: Latch,
    /// Lanes that should be open, since when, and whether they suffice.
    wanted: Option<(u32, Duration, bool)>,
    /// Lanes that were open when it was first advised to close some, while fewer are.
    before_closing: Option<u32>,
    reopening: Latch,
    steer_to: Option<Name>,
    advice: Vec<Advice>,
}

/// What is known of a gate with a limit, in one round.
struct Facts<'a> {
    view: &'a View<'a>,
    queue: &'a Queue,
    limit: Duration,
    wait: f64,
    open: u32,
    outlook: Outlook,
    /// People a minute that others were sent here in this round.
    taken: f64,
}

impl Facts<'_> {
    fn seconds(&self) -> f64 {
        self.limit.as_secs_f64()
    }

    fn under(&self, change: &Change) -> Option<Outlook> {
        what_if(self.queue, self.view.arrivals, self.view.open, change)
    }
}

impl Advisor {
    /// Nothing was advised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is advised at `at` (steady time), by gate, the most pressing first; gates without advice have an empty list. May be
    /// called at any rate: the future is looked at once a minute, lost cameras each time.
    pub fn advise(&mut self, at: Duration, gates: &[View<'_>]) -> BTreeMap<Name, Vec<Advice>> {
        if self.looked.is_none_or(|looked| at.saturating_sub(looked) >= EVERY) {
            self.looked = Some(at);
            self.look(at, gates);
        }
        let told = gates.iter().map(|view| {
            let mut advice = self.gates.get(view.gate).map(|memory| memory.advice.clone()).unwrap_or_default();
            if !view.lost.is_empty() {
                let lost: Vec<&str> = view.lost.iter().map(Name::as_str).collect();
                advice.push(plain(CAMERAS, AdviceKind::CameraLost, words::cameras(&lost)));
            }
            (view.gate.clone(), advice)
        });
        told.collect()
    }

    /// Staff opened or closed lanes: the future is looked at with the next call, and not within a minute.
    pub fn look_anew(&mut self) {
        self.looked = None;
    }

    fn look(&mut self, at: Duration, gates: &[View<'_>]) {
        self.gates.retain(|name, _| gates.iter().any(|view| view.gate == name));
        let mut facts: Vec<Facts<'_>> = gates.iter().filter_map(facts_of).collect();
        for view in gates.iter().filter(|view| facts.iter().all(|facts| facts.view.gate != view.gate)) {
            // Nothing is known any more, so nothing is advised.
            self.gates.insert(view.gate.clone(), Memory::default());
        }
        // Who waits longest, measured by their limit, is helped first.
        let press = |facts: &Facts<'_>| facts.wait.max(facts.outlook.longest(0)) / facts.seconds();
        facts.sort_by(|a, b| press(b).total_cmp(&press(a)));
        for place in 0..facts.len() {
            let memory = self.gates.entry(facts[place].view.gate.clone()).or_default();
            memory.advice.clear();
            memory.alert(at, &facts[place]);
            memory.lanes(at, &facts[place]);
            memory.steer(at, place, &mut facts);
        }
    }
}

fn facts_of<'a>(view: &'a View<'a>) -> Option<Facts<'a>> {
    let queue = view.queue?;
    let (limit, now) = (queue.lanes().limit?, queue.now()?);
    let outlook = what_if(queue, view.arrivals, view.open, &Change::default())?;
    Some(Facts { view, queue, limit, wait: now.wait_seconds.value, open: now.lanes_open, outlook, taken: 0.0 })
}

fn plain(cause: &str, kind: AdviceKind, text: String) -> Advice {
    Advice { cause: cause.to_owned(), kind, minutes: None, lanes: None, gate: None, wait_seconds: None, text }
}

impl Memory {
    /// The wait is over the limit, or will be.
    fn alert(&mut self, at: Duration, facts: &Facts<'_>) {
        let limit = facts.seconds();
        let over_in = facts.outlook.over_in(limit);
        let (is_over, longest) = (facts.wait > limit, facts.outlook.longest(0));
        let is_calm = facts.wait < BELOW.0 * limit && longest < BELOW.0 * limit;
        if !self.wait.feed(&ALERT, at, is_over || over_in.is_some(), is_calm) {
            return;
        }
        let advice = if is_over || over_in.is_none() && facts.wait > BELOW.0 * limit {
            let text = words::over(facts.wait, facts.limit);
            Advice { wait_seconds: Some(facts.wait as u32), ..plain(WAIT, AdviceKind::Over, text) }
        } else {
            // Between the thresholds nothing more is over, and the alert stands until it is surely past.
            let minutes = over_in.unwrap_or(60);
            let text = words::over_soon(minutes, longest, facts.limit);
            let soon = plain(WAIT, AdviceKind::OverSoon, text);
            Advice { minutes: Some(minutes), wait_seconds: Some(longest as u32), ..soon }
        };
        self.advice.push(advice);
    }

    /// Lanes to open while there is an alert, lanes to close where there long has been room.
    fn lanes(&mut self, at: Duration, facts: &Facts<'_>) {
        self.before_closing = self.before_closing.filter(|before| facts.open < *before);
        if self.wait.is_on() {
            self.closing.drop(at);
            self.reopening.drop(at);
            self.open(at, facts);
        } else {
            self.wanted = None;
            if !self.reopen(at, facts) {
                self.close(at, facts);
            }
        }
    }

    /// Lanes that were closed as advised are opened again before anybody waits long, and not once the limit is in sight: who
    /// took staff away owes the venue the wait that it had planned. Whether that is advised now.
    fn reopen(&mut self, at: Duration, facts: &Facts<'_>) -> bool {
        let Some(before) = self.before_closing else {
            self.reopening.drop(at);
            return false;
        };
        let limit = facts.seconds();
        let likely = facts.outlook.longest_likely(0);
        let (enter, leave) = (likely > ROOM.1 * limit, likely < ROOM.0 * limit);
        if !self.reopening.feed(&REOPENING, at, enter, leave) {
            return false;
        }
        let try_lanes = |lanes: u32| {
            let change = Change { at_least: lanes, lanes_in: STAFF_COME_IN, ..Change::default() };
            facts.under(&change).map_or(f64::INFINITY, |outlook| outlook.longest_likely(STAFF_COME_IN as u32 + 2))
        };
        // All of them if it takes all of them; else the fewest that bring the calm back.
        let wanted = (facts.open + 1..before).find(|lanes| try_lanes(*lanes) < ROOM.0 * limit).unwrap_or(before);
        let (more, longest) = (wanted - facts.open, try_lanes(wanted));
        let advice = plain(LANES, AdviceKind::OpenLanes, words::reopen(more, longest));
        self.advice.push(Advice { lanes: Some(more), wait_seconds: Some(longest as u32), ..advice });
        true
    }

    fn open(&mut self, at: Duration, facts: &Facts<'_>) {
        let (most, limit) = (facts.queue.lanes().lanes, facts.seconds());
        let try_lanes = |lanes: u32| {
            let change = Change { at_least: lanes, lanes_in: STAFF_COME_IN, ..Change::default() };
            // Before staff are there nothing can help; where the limit is passed already it takes longer.
            let from = if facts.wait > limit { HELPS_BY } else { STAFF_COME_IN as u32 + 2 };
            facts.under(&change).map(|outlook| (outlook.longest(from), outlook.longest_likely(from)))
        };
        let is_enough = |(longest, likely): (f64, f64)| longest <= BELOW.1 * limit && likely <= limit;
        // What was said stands for five minutes: staff are on their way.
        let is_due = self.wanted.is_none_or(|(_, since, _)| at.saturating_sub(since) >= ALERT.on);
        if is_due {
            let (mut fewest, mut enough) = (facts.open.min(most), most);
            let suffices = try_lanes(most).is_some_and(is_enough);
            while suffices && fewest < enough {
                let middle = fewest.midpoint(enough);
                if try_lanes(middle).is_some_and(is_enough) {
                    enough = middle;
                } else {
                    fewest = middle + 1;
                }
            }
            self.wanted = Some((enough, at, suffices));
        }
        let Some((wanted, _, suffices)) = self.wanted else { return };
        let more = wanted.min(most).saturating_sub(facts.open);
        if more > 0 {
            let longest = try_lanes(wanted).map_or(0.0, |(longest, _)| longest);
            let advice = plain(LANES, AdviceKind::OpenLanes, words::open(more, suffices, longest));
            self.advice.push(Advice { lanes: Some(more), wait_seconds: Some(longest as u32), ..advice });
        }
    }

    fn close(&mut self, at: Duration, facts: &Facts<'_>) {
        let limit = facts.seconds();
        let try_lanes = |lanes: u32| {
            let change = Change { at_most: Some(lanes), ..Change::default() };
            facts.under(&change).map_or(f64::INFINITY, |outlook| outlook.longest_likely(0))
        };
        // Where more and more come, what comes after the hour is not seen yet: that is no time to send staff away.
        if facts.open <= 1 || is_rising(facts.view.arrivals) {
            return self.closing.drop(at);
        }
        let one_fewer = try_lanes(facts.open - 1);
        let (enter, leave) = (one_fewer < ROOM.0 * limit, one_fewer > ROOM.1 * limit);
        // A lane too few is worse than a lane too many: this ends at once.
        if leave {
            return self.closing.drop(at);
        }
        if !self.closing.feed(&CLOSING, at, enter, leave) {
            return;
        }
        let (mut fewest, mut enough) = (1, facts.open - 1);
        while fewest < enough {
            let middle = fewest.midpoint(enough);
            if try_lanes(middle) < ROOM.0 * limit { enough = middle } else { fewest = middle + 1 }
        }
        let (fewer, longest) = (facts.open - enough, try_lanes(enough));
        self.before_closing = self.before_closing.max(Some(facts.open));
        let advice = plain(LANES, AdviceKind::CloseLanes, words::close(fewer, longest));
        self.advice.push(Advice { lanes: Some(fewer), wait_seconds: Some(longest as u32), ..advice });
    }

    /// Another gate with room, while there is an alert here.
    fn steer(&mut self, at: Duration, place: usize, facts: &mut [Facts<'_>]) {
        if !self.wait.is_on() {
            self.steering.drop(at);
            self.steer_to = None;
            return;
        }
        let here = &facts[place];
        let longest = here.wait.max(here.outlook.longest(0));
        let coming: f64 = here.view.arrivals.iter().take(STEERED_FOR).map(|fan| fan.median).sum();
        let wish = HEEDED * coming;
        let shortest = |there: &Facts<'_>| there.outlook.longest_likely(0) + there.taken;
        let mut others: Vec<usize> = (0..facts.len()).filter(|other| *other != place).collect();
        others.retain(|other| facts[*other].outlook.longest_likely(0) + A_WALK < longest);
        others.sort_by(|a, b| shortest(&facts[*a]).total_cmp(&shortest(&facts[*b])));
        // Of hundreds of gates the calmest few are tried, and the one that was named last.
        let is_kept = |other: &usize| self.steer_to.as_ref() == Some(facts[*other].view.gate);
        let kept = others.iter().copied().find(is_kept);
        others.truncate(CANDIDATES);
        others.extend(kept.filter(|kept| !others.contains(kept)));
        let rooms: Vec<(usize, f64)> = others.into_iter().map(|other| (other, room(&facts[other], wish))).collect();
        let named = |to: &Name| rooms.iter().find(|(other, _)| facts[*other].view.gate == to).copied();
        // Whoever was named last goes on being named while it has room, or screens would point here and there.
        let kept = self.steer_to.as_ref().and_then(named).filter(|(_, room)| *room >= WORTH_STEERING / 2.0);
        let best = rooms.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, room)| *room >= WORTH_STEERING);
        let to = kept.or(best);
        if to.is_none() {
            // Nobody is sent where there is no room any more, however short a time that was said.
            self.steering.drop(at);
            self.steer_to = None;
            return;
        }
        if !self.steering.feed(&STEERING, at, true, false) {
            return;
        }
        if let Some((other, people)) = to {
            facts[other].taken += people / STEERED_FOR as f64;
            let there = &facts[other];
            self.steer_to = Some(there.view.gate.clone());
            let text = words::steer(there.view.gate.as_str(), people as u32, there.wait);
            let advice = plain(STEER, AdviceKind::Steer, text);
            let (gate, wait) = (Some(there.view.gate.clone()), Some(there.wait as u32));
            self.advice.push(Advice { gate, wait_seconds: wait, minutes: Some(STEERED_FOR as u32), ..advice });
        }
    }
}

/// Whether any ten minutes of those that are forecast are busier than the first, by more than noise: what rises within the hour is
/// there before staff who were sent away are back.
fn is_rising(arrivals: &[Fan]) -> bool {
    let mean = |fans: &[Fan]| fans.iter().map(|fan| fan.median).sum::<f64>() / fans.len().max(1) as f64;
    let (first, later) = arrivals.split_at(arrivals.len().min(A_WHILE));
    let now = mean(first);
    later.chunks(A_WHILE).any(|later| mean(later) > RISES.0 * now + RISES.1)
}

/// How many more people a gate takes within a quarter of an hour, up to a wish, besides those it was promised.
fn room(there: &Facts<'_>, wish: f64) -> f64 {
    let takes = |people: f64| {
        let more_arrivals = there.taken + people / STEERED_FOR as f64;
        let change = Change { more_arrivals, ..Change::default() };
        there.under(&change).is_some_and(|outlook| outlook.longest_likely(0) <= TAKES * there.seconds())
    };
    if takes(wish) {
        return wish;
    }
    if !takes(0.0) {
        return 0.0;
    }
    let (mut fits, mut exceeds) = (0.0, wish);
    for _ in 0..4 {
        let middle = f64::midpoint(fits, exceeds);
        if takes(middle) { fits = middle } else { exceeds = middle }
    }
    fits
}

#[cfg(test)]
mod tests;
