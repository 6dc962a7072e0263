//! The bound: what could be reached at most from each fixed stop on, were groups no matter.

use crate::guide::itinerary::{
    gap::{Gap, To},
    ground::{Ground, Stand, Stop},
};

/// Marks that nothing from a stand on can exceed; `None` where no end can be reached.
pub(super) struct Bound {
    /// After the fixed stop of an index.
    pub(super) after: Vec<Option<i64>>,
    /// At the start.
    pub(super) start: Option<i64>,
}

impl Bound {
    /// From the gaps after each fixed stop and that at the start. Later stops first, since gaps lead forward only.
    pub(super) fn of(ground: &Ground<'_>, after: &[Gap<'_>], start: &Gap<'_>) -> Self {
        let mut bound = Self { after: vec![None; after.len()], start: None };
        for index in (0..after.len()).rev() {
            bound.after[index] = bound.at(ground, ground.after(index), &after[index]);
        }
        bound.start = bound.at(ground, ground.start(), start);
        bound
    }

    /// What a way is worth at most: what it brings, and what could follow.
    pub(super) fn with(&self, to: To, marks: i64) -> Option<i64> {
        match to {
            To::Fixed(index) => Some(marks + self.after[index]?),
            To::Home => Some(marks),
        }
    }

    fn at(&self, ground: &Ground<'_>, stand: Stand, gap: &Gap<'_>) -> Option<i64> {
        let known = gap.ways.iter().filter_map(|way| self.with(way.to, way.marks)).max();
        if gap.is_whole { known } else { known.max(self.beyond(ground, stand)) }
    }

    /// For a gap of which not every way is known: whatever it leads to, with all that its time could hold, on no way.
    fn beyond(&self, ground: &Ground<'_>, stand: Stand) -> Option<i64> {
        let to_fixed = ground.fixed.iter().enumerate().filter_map(|(index, stop)| {
            let at = stop.windows[0].from;
            let then = stop.prize + self.after[index]?;
            (at >= stand.time).then(|| then + between(ground, stand.time, at))
        });
        let home = (stand.time <= ground.problem.latest).then(|| between(ground, stand.time, ground.problem.latest));
        to_fixed.chain(home).max()
    }
}

/// The most that loose stops could bring between two moments: the best of each group, by what a second of it is worth,
/// until the time is full; of the last a part. No choice of whole ones brings more.
fn between(ground: &Ground<'_>, from: u32, to: u32) -> i64 {
    let fits = |stop: &&Stop| stop.begins(from).is_some_and(|begins| begins + stop.duration <= to) && stop.prize > 0;
    let best = |group: &Vec<Stop>| {
        let some = group.iter().filter(fits);
        some.fold(None, |best: Option<(i64, u32)>, stop| match best {
            None => Some((stop.prize, stop.duration)),
            Some((prize, duration)) => Some((prize.max(stop.prize), duration.min(stop.duration))),
        })
    };
    let mut groups: Vec<(i64, u32)> = ground.loose.iter().chain(&ground.left_out).filter_map(best).collect();
    groups.sort_by(|(prize, duration), (other, longer)| {
        (other * i64::from(*duration)).cmp(&(prize * i64::from(*longer)))
    });
    let (mut left, mut marks) = (to - from, 0);
    for (prize, duration) in groups {
        if duration <= left {
            (left, marks) = (left - duration, marks + prize);
        } else {
            // Rounded up, so that it stays a bound.
            let part = i128::from(prize) * i128::from(left) / i128::from(duration) + 1;
            return marks + i64::try_from(part).unwrap_or(i64::MAX).min(prize);
        }
    }
    marks
}
