//! The problem as the search reads it: clipped, sorted, with a bit for each group that must be remembered.

use crate::guide::itinerary::problem::{Plan, Problem, Visit, Window};

/// Seconds of a way that there is not.
const NEVER: u32 = u32::MAX;
/// How many groups a set can hold.
const BITS: usize = u128::BITS as usize;

/// A set of groups that are used.
pub(super) type Used = u128;

/// An item as the search reads it.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    /// Its number in the problem.
    pub(super) item: usize,
    pub(super) place: usize,
    pub(super) duration: u32,
    pub(super) entry: u32,
    pub(super) prize: i64,
    /// What of its windows lies between start and latest end; never empty.
    pub(super) windows: Vec<Window>,
    /// Its group's bit; 0 where nobody need remember that it was done.
    pub(super) bit: Used,
}

impl Stop {
    /// The earliest beginning of somebody who is ready at `ready`.
    pub(super) fn begins(&self, ready: u32) -> Option<u32> {
        self.windows.iter().find(|window| ready <= window.to).map(|window| ready.max(window.from))
    }

    /// The latest beginning there is.
    pub(super) fn last(&self) -> u32 {
        self.windows.last().map_or(0, |window| window.to)
    }
}

/// The ground that is searched.
pub(super) struct Ground<'p> {
    pub(super) problem: &'p Problem,
    /// Stops that begin at one moment, by that moment.
    pub(super) fixed: Vec<Stop>,
    /// The others, by group; all of a group have one bit.
    pub(super) loose: Vec<Vec<Stop>>,
    /// Loose stops for whose groups there were no bits left: no plan has them, but the bound counts them.
    pub(super) left_out: Vec<Vec<Stop>>,
    /// Each bit with the last moment at which one of its group could begin.
    lasts: Vec<(u32, Used)>,
    walks: Vec<u32>,
}

/// Where somebody stands: after a stop, or at the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub(super) place: usize,
    pub(super) time: u32,
}

impl<'p> Ground<'p> {
    /// Reads a problem that was checked.
    pub(super) fn of(problem: &'p Problem) -> Self {
        let walks = problem.walks.iter().flatten().map(|walk| walk.unwrap_or(NEVER)).collect();
        let mut stops: Vec<Stop> = (0..problem.items.len()).filter_map(|item| clipped(problem, item)).collect();
        // By group, then in the order of the problem; a stop without one is a group of its own.
        stops.sort_by_key(|stop| (problem.items[stop.item].group.is_none(), problem.items[stop.item].group, stop.item));
        let group = |stop: &Stop| problem.items[stop.item].group;
        let mut groups: Vec<Vec<Stop>> = stops
            .chunk_by(|one, other| group(one).is_some() && group(one) == group(other))
            .map(<[Stop]>::to_vec)
            .collect();
        // The dearest are the last that should be without a bit.
        groups.sort_by_key(|group| std::cmp::Reverse(group.iter().map(|stop| stop.prize).max()));
        let mut ground = Self { problem, fixed: vec![], loose: vec![], left_out: vec![], lasts: vec![], walks };
        for mut group in groups {
            if !must_be_remembered(&group) {
                ground.fixed.append(&mut group);
                continue;
            }
            if ground.lasts.len() == BITS {
                ground.left_out.push(group);
                continue;
            }
            let bit = 1 << ground.lasts.len();
            ground.lasts.push((group.iter().map(Stop::last).max().unwrap_or(0), bit));
            group.iter_mut().for_each(|stop| stop.bit = bit);
            let (fixed, loose): (Vec<Stop>, Vec<Stop>) = group.into_iter().partition(is_fixed);
            ground.fixed.extend(fixed);
            if !loose.is_empty() {
                ground.loose.push(loose);
            }
        }
        ground.fixed.sort_by_key(|stop| (stop.windows[0].from, stop.item));
        ground
    }

    /// Of some groups those that could still be used from a moment on: the rest need not be remembered.
    pub(super) fn live(&self, time: u32) -> Used {
        self.lasts.iter().filter(|(last, _)| *last >= time).fold(0, |live, (_, bit)| live | bit)
    }

    /// Seconds on foot, where there is a way.
    pub(super) fn walk(&self, from: usize, to: usize) -> Option<u32> {
        let walk = self.walks[from * self.problem.walks.len() + to];
        (walk != NEVER).then_some(walk)
    }

    /// Goes from `stand` to `stop` and does it: the stand after it and the marks it brings, where there is time.
    pub(super) fn step(&self, stand: Stand, stop: &Stop) -> Option<(Stand, i64)> {
        let walk = self.walk(stand.place, stop.place)?;
        let entry = if stand.place == stop.place { 0 } else { stop.entry };
        let arrives = stand.time + walk;
        let begins = stop.begins(arrives + entry)?;
        let marks = stop.prize - self.walked(walk) - self.problem.waiting * i64::from(begins - arrives);
        Some((Stand { place: stop.place, time: begins + stop.duration }, marks))
    }

    /// Goes from `stand` to the end that costs least: which, when, and the marks it brings (never more than none).
    pub(super) fn home(&self, stand: Stand) -> Option<(usize, u32, i64)> {
        let walks = self.problem.ends.iter().filter_map(|end| Some((self.walk(stand.place, *end)?, *end)));
        let (walk, end) = walks.min()?;
        (stand.time + walk <= self.problem.latest).then(|| (end, stand.time + walk, -self.walked(walk)))
    }

    fn walked(&self, walk: u32) -> i64 {
        self.problem.walking * i64::from(walk)
    }

    /// Where it begins.
    pub(super) fn start(&self) -> Stand {
        Stand { place: self.problem.start.place, time: self.problem.start.time }
    }

    /// The stand after the fixed stop of an index.
    pub(super) fn after(&self, fixed: usize) -> Stand {
        let stop = &self.fixed[fixed];
        Stand { place: stop.place, time: stop.windows[0].from + stop.duration }
    }

    /// The plan that does these stops in this order, each as early as can be; `None` where that cannot be.
    ///
    /// As early as can be is never worse: who is early may wait later, and waiting costs the same everywhere.
    pub(super) fn plan(&self, stops: &[&Stop]) -> Option<Plan> {
        let (mut stand, mut value) = (self.start(), 0);
        let mut visits = Vec::with_capacity(stops.len());
        for stop in stops {
            let arrives = stand.time + self.walk(stand.place, stop.place)?;
            let (after, marks) = self.step(stand, stop)?;
            visits.push(Visit { item: stop.item, arrives, begins: after.time - stop.duration, ends: after.time });
            (stand, value) = (after, value + marks);
        }
        let (end, home, marks) = self.home(stand)?;
        Some(Plan { visits, end, home, value: value + marks })
    }
}

/// The stop of an item; `None` where none of its windows leaves time between start and latest end.
fn clipped(problem: &Problem, index: usize) -> Option<Stop> {
    let item = &problem.items[index];
    let last = problem.latest.checked_sub(item.duration)?;
    let clipped = |window: &Window| Window { from: window.from.max(problem.start.time), to: window.to.min(last) };
    let windows: Vec<Window> = item.windows.iter().map(clipped).filter(|window| window.from <= window.to).collect();
    let stop = Stop {
        item: index,
        place: item.place,
        duration: item.duration,
        entry: item.entry,
        prize: item.prize,
        windows,
        bit: 0,
    };
    (!stop.windows.is_empty()).then_some(stop)
}

/// Whether it begins at one moment.
fn is_fixed(stop: &Stop) -> bool {
    stop.windows.len() == 1 && stop.windows[0].from == stop.windows[0].to
}

/// Whether two of a group could be done one after the other, were it not for the group. What begins at one moment and
/// lasts cannot be done twice, nor two that overlap.
fn must_be_remembered(group: &[Stop]) -> bool {
    let first_end = group.iter().map(|stop| stop.windows[0].from + stop.duration).min().unwrap_or(0);
    let last = group.iter().map(Stop::last).max().unwrap_or(0);
    !group.iter().all(is_fixed) || first_end <= last
}
