//! Counts of every gate by minute, with gaps where nobody saw.
//!
//! A minute counts as whole only where every place of the gate was seen from its begin to its end by one camera at least; a place
//! is what cameras with one `place` look at together, or what a camera without one looks at alone. What was counted in a
//! part of a minute goes into the day's totals and never into a minute's figure.

mod gates;

use crate::{
    clock::Moment,
    flow::{
        count::{
            border::Way,
            history::Told,
            record::{Row, Seen},
            sight::Sight,
            sums::{Open, Totals},
            timeline::Bin,
        },
        told::Counting,
    },
};
use gates::gates_of;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use usher_config::{Config, count::Side, value::Name};

/// The hour at which a day begins, by the venue's time: after the last match with extra time, as for passes.
const DAY_BEGINS: SignedDuration = SignedDuration::from_hours(4);
/// How long minutes are kept in memory.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// "The last minute".
const MINUTE: Duration = Duration::from_secs(60);
/// A minute is closed this long after its end: crossings are told when they are sure, see `passage::SETTLE` and
/// `people::REJOIN`.
pub const LATE: Duration = Duration::from_secs(15);
/// Days whose totals are remembered: clocks jump back by one, seldom by more.
const DAYS: usize = 3;

/// One minute of one gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    /// When it begins.
    pub at: Timestamp,
    /// People who entered; `None` where no camera of the gate saw the whole minute (a gap, which is not nobody).
    pub entered: Option<u32>,
    /// People who left; `None` there too, and where no camera counts who leaves.
    pub left: Option<u32>,
    /// Whether all of the gate was seen; where it is partial, the figures are too low.
    pub counting: Counting,
}

/// One gate now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateTally {
    /// People who entered since the day began.
    pub entered_total: u64,
    /// People who left since then.
    pub left_total: u64,
    /// People counted as entering in the last minute; `None` where nobody sees.
    pub entered_last_minute: Option<u32>,
    /// People counted as leaving in the last minute; `None` there too, and where no camera counts who leaves.
    pub left_last_minute: Option<u32>,
    /// People inside: who entered less who left, never below zero; `None` where no camera counts who leaves.
    pub inside: Option<u64>,
    /// Whether its cameras see.
    pub counting: Counting,
    /// Those that count and do not see.
    pub lost: Vec<Name>,
    /// Since when all of them see, where that is shorter than a minute and they are counted in part for that alone.
    pub since: Option<Timestamp>,
    /// The back of the queue; `None` where no camera counts there.
    pub back: Option<Back>,
}

/// The back of a gate's queue now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// People who joined the queue since the day began.
    pub joined: u64,
    /// People who turned back since then.
    pub turned: u64,
    /// Whether all of it is seen.
    pub counting: Counting,
}

/// Counts, shared between the stage that makes them and whoever tells them.
pub struct Tallies {
    state: Mutex<State>,
}

struct Gate {
    /// Its cameras that count, by the place that they look at.
    places: Vec<Vec<Name>>,
    /// Whether any of them counts who leaves.
    both_ways: bool,
    days: BTreeMap<Date, Totals>,
    minutes: BTreeMap<Timestamp, Told>,
    recent: VecDeque<(Duration, Way)>,
}

/// A gate, or the back of its queue, which is counted like one.
type At = (Name, Side);

struct Camera {
    gate: At,
    sight: Sight,
    recent: VecDeque<Duration>,
}

struct State {
    zone: TimeZone,
    gates: BTreeMap<At, Gate>,
    cameras: BTreeMap<Name, Camera>,
    /// The open minutes, oldest first; the last is the one that is now.
    open: VecDeque<(Bin, BTreeMap<At, Open>)>,
}

impl Tallies {
    /// Nothing counted yet at the gates of `config`; days are those of `zone`.
    pub fn of(config: &Config, zone: TimeZone, now: Moment) -> Self {
        let (gates, cameras) = gates_of(config, now);
        let open = VecDeque::from([(Bin::first(now), BTreeMap::new())]);
        Self { state: Mutex::new(State { zone, gates, cameras, open }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Takes in what was recorded before a restart.
    pub fn load(&self, rows: &[Row]) {
        let state = &mut *self.lock();
        for row in rows {
            let day = day_of(row.at, &state.zone);
            let Some(gate) = state.gates.get_mut(&(row.gate.clone(), row.side)) else { continue };
            gate.days.entry(day).or_default().add(row.entered, row.left);
            gate.minutes.entry(row.at).or_default().add(row.entered, row.left, row.seen);
        }
        state.forget();
    }

    /// `camera` looked, and saw so many people.
    pub fn saw(&self, camera: &Name, at: Moment, people: usize) {
        if let Some(camera) = self.lock().cameras.get_mut(camera) {
            camera.sight.look(at.steady, people);
        }
    }

    /// Somebody crossed at `camera` at steady time `at`, which is sure `now`; `is_new` unless another camera told of them.
    pub fn cross(&self, camera: &Name, way: Way, at: Duration, now: Moment, is_new: bool) {
        let state = &mut *self.lock();
        let Some(camera) = state.cameras.get_mut(camera) else { return };
        if way == Way::In {
            camera.recent.push_back(now.steady);
        }
        let Some(gate) = state.gates.get_mut(&camera.gate).filter(|_| is_new) else { return };
        gate.recent.push_back((now.steady, way));
        // Whoever crossed in a minute that is closed by now counts in the oldest that is not.
        let open = state.open.iter().rposition(|(bin, _)| bin.begin <= at).unwrap_or(0);
        let Some((bin, counts)) = state.open.get_mut(open) else { return };
        let (entered, left) = if way == Way::In { (1, 0) } else { (0, 1) };
        let count = counts.entry(camera.gate.clone()).or_default();
        (count.entered, count.left) = (count.entered + entered, count.left + left);
        gate.days.entry(day_of(bin.at, &state.zone)).or_default().add(entered, left);
    }

    /// Lets time go on to `now`: opens minutes, closes those that are through. Answers with what is to be recorded: minutes that
    /// closed, and if `all`, what was counted so far in those that are open.
    pub fn turn(&self, now: Moment, all: bool) -> Vec<Row> {
        let state = &mut *self.lock();
        while let Some((last, _)) = state.open.back()
            && last.end <= now.steady
        {
            let next = last.next(now);
            state.open.push_back((next, BTreeMap::new()));
        }
        let mut rows = Vec::new();
        while let Some((bin, counts)) = state.open.pop_front_if(|(bin, _)| bin.end + LATE <= now.steady) {
            state.close(&bin, &counts, now.steady, &mut rows);
        }
        for (bin, counts) in state.open.iter_mut().filter(|_| all) {
            for ((gate, side), open) in counts {
                let (entered, left) = open.fresh();
                if entered + left > 0 {
                    let (gate, side) = (gate.clone(), *side);
                    rows.push(Row { at: bin.at, gate, entered, left, seen: Seen::Open, side });
                }
            }
        }
        state.forget();
        state.tidy(now.steady);
        rows
    }

    /// Every gate now.
    pub fn gates_at(&self, now: Moment) -> BTreeMap<Name, GateTally> {
        let state = self.lock();
        let day = state.open.back().map(|(bin, _)| day_of(bin.at, &state.zone));
        let today = |gate: &Gate| day.and_then(|day| gate.days.get(&day).copied()).unwrap_or_default();
        let sees = |camera: &Name| state.cameras[camera].sight.sees(now.steady);
        let tally = |(name, gate): (&Name, &Gate)| {
            let back = state.gates.get(&(name.clone(), Side::Back));
            let all = gate.cameras().chain(back.into_iter().flat_map(Gate::cameras));
            let lost: Vec<Name> = all.filter(|camera| !sees(camera)).cloned().collect();
            let seen = |camera: &Name| state.cameras[camera].sight.saw(now.steady.saturating_sub(MINUTE), now.steady);
            let sees_now = gate.seen(sees);
            // Who saw for a part of the minute only has counted a part of it.
            let counting = match (sees_now, gate.seen(seen)) {
                (Counting::Whole, Counting::Partial | Counting::None) => Counting::Partial,
                _ => sees_now,
            };
            let of = |wanted: Way| {
                let recent =
                    gate.recent.iter().filter(|(at, way)| *way == wanted && now.steady.saturating_sub(*at) < MINUTE);
                (counting != Counting::None).then(|| recent.count() as u32)
            };
            let totals = today(gate);
            let is_young = sees_now == Counting::Whole && counting == Counting::Partial;
            let tally = GateTally {
                entered_total: totals.entered,
                left_total: totals.left,
                entered_last_minute: of(Way::In),
                left_last_minute: of(Way::Out).filter(|_| gate.both_ways),
                inside: gate.both_ways.then_some(totals.inside),
                counting,
                lost,
                since: is_young.then(|| state.since(gate, now)).flatten(),
                back: back.map(|back| {
                    let Totals { entered, left, .. } = today(back);
                    Back { joined: entered, turned: left, counting: back.seen(sees) }
                }),
            };
            (name.clone(), tally)
        };
        let gates = state.gates.iter().filter(|((_, side), _)| *side == Side::Gate);
        gates.map(|((name, _), gate)| tally((name, gate))).collect()
    }

    /// People who entered in the last minute at each camera that counts, those whom other cameras saw as well included.
    pub fn cameras_per_minute(&self, now: Moment) -> BTreeMap<Name, f64> {
        let recent =
            |camera: &Camera| camera.recent.iter().filter(|at| now.steady.saturating_sub(**at) < MINUTE).count();
        self.lock().cameras.iter().map(|(name, camera)| (name.clone(), recent(camera) as f64)).collect()
    }

    /// The closed minutes of a gate in the last 24 h, oldest first and without holes: what is not known is a gap.
    pub fn minutes(&self, gate: &Name) -> Vec<Minute> {
        self.minutes_at(gate, Side::Gate)
    }

    /// The same of who came, `entered`: to the back of the queue, less those who turned back there, where a camera counts that; else in.
    pub fn arrivals(&self, gate: &Name) -> Vec<Minute> {
        if !self.lock().gates.contains_key(&(gate.clone(), Side::Back)) {
            return self.minutes(gate);
        }
        let minutes = self.minutes_at(gate, Side::Back).into_iter();
        minutes.map(|minute| Minute { entered: came(minute.entered, minute.left), left: None, ..minute }).collect()
    }

    fn minutes_at(&self, gate: &Name, side: Side) -> Vec<Minute> {
        let state = self.lock();
        let Some(gate) = state.gates.get(&(gate.clone(), side)) else { return Vec::new() };
        let mut ends = gate.minutes.iter().filter(|(_, told)| told.closed.is_some()).map(|(at, _)| *at);
        let (Some(first), Some(last)) = (ends.clone().next(), ends.next_back()) else { return Vec::new() };
        let names = std::iter::successors(Some(first), |at| at.checked_add(SignedDuration::from_mins(1)).ok());
        let minute = |at: Timestamp| gate.minutes.get(&at).copied().unwrap_or_default().minute(at, gate.both_ways);
        names.take_while(|at| *at <= last).map(minute).collect()
    }

    /// People in the pictures of a gate's cameras now, of cameras that look at one place those of the camera that sees most;
    /// `None` where nobody sees.
    pub fn occupancy(&self, gate: &Name) -> Option<u32> {
        let state = self.lock();
        let people = |camera: &Name| state.cameras[camera].sight.people();
        let places = state.gates.get(&(gate.clone(), Side::Gate))?.places.iter();
        let seen: Vec<usize> = places.filter_map(|place| place.iter().filter_map(people).max()).collect();
        (!seen.is_empty()).then(|| seen.iter().sum::<usize>() as u32)
    }
}

/// Who joined a queue less who turned back, in a minute; never below zero.
pub fn came(joined: Option<u32>, turned: Option<u32>) -> Option<u32> {
    Some(joined?.saturating_sub(turned.unwrap_or(0)))
}

/// The day of a minute: from 04:00 to 04:00 by the venue's clocks.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let local = zone.to_datetime(at);
    local.checked_sub(DAY_BEGINS).unwrap_or(local).date()
}

impl Gate {
    fn cameras(&self) -> impl Iterator<Item = &Name> {
        self.places.iter().flatten()
    }

    /// How much of the gate is seen where `sees` says what a camera does.
    fn seen(&self, sees: impl Fn(&Name) -> bool) -> Counting {
        let seen = self.places.iter().filter(|place| place.iter().any(&sees)).count();
        match seen {
            0 => Counting::None,
            seen if seen == self.places.len() => Counting::Whole,
            _ => Counting::Partial,
        }
    }
}

impl State {
    /// Since when all of a gate's places are seen: the last of them, by the camera that saw it first.
    fn since(&self, gate: &Gate, now: Moment) -> Option<Timestamp> {
        let camera = |name: &Name| self.cameras[name].sight.since(now.steady);
        let begun =
            gate.places.iter().map(|place| place.iter().filter_map(camera).min()).collect::<Option<Vec<_>>>()?;
        let ago = now.steady.saturating_sub(begun.into_iter().max()?);
        Timestamp::try_from(now.wall.checked_sub(ago)?).ok()
    }

    fn close(&mut self, bin: &Bin, counts: &BTreeMap<At, Open>, now: Duration, rows: &mut Vec<Row>) {
        for (at, gate) in self.gates.iter_mut().filter(|(_, gate)| !gate.places.is_empty()) {
            let mut open = counts.get(at).copied().unwrap_or_default();
            let seen = gate.seen(|camera| self.cameras[camera].sight.saw_all(bin.begin, bin.end, now));
            let counting = if bin.whole { seen } else { Counting::None };
            gate.minutes.entry(bin.at).or_default().add(open.entered, open.left, Seen::Told(counting));
            let (entered, left) = open.fresh();
            let (gate, side) = at.clone();
            rows.push(Row { at: bin.at, gate, entered, left, seen: Seen::Told(counting), side });
        }
    }

    /// Forgets minutes and days that are long ago.
    fn forget(&mut self) {
        let Some(now) = self.open.back().map(|(bin, _)| bin.at) else { return };
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        for gate in self.gates.values_mut() {
            // Later ones are of a wall that was wrong.
            gate.minutes.retain(|at, _| (oldest..=now).contains(at));
            while gate.days.len() > DAYS {
                gate.days.pop_first();
            }
        }
    }

    fn tidy(&mut self, now: Duration) {
        let is_old = |at: &Duration| now.saturating_sub(*at) >= MINUTE;
        for gate in self.gates.values_mut() {
            while gate.recent.pop_front_if(|(at, _)| is_old(at)).is_some() {}
        }
        for camera in self.cameras.values_mut() {
            while camera.recent.pop_front_if(|at| is_old(at)).is_some() {}
            camera.sight.forget(now.saturating_sub(5 * MINUTE));
        }
    }
}
