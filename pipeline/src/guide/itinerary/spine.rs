//! The spine: the best way through the fixed stops, gap by gap, best first.
//!
//! A* over (fixed stop, groups used that could still be used): the label is opened next whose marks and bound together
//! are highest, so the first that is home is the best there is, and at any time the highest that is open is a bound.

use crate::guide::itinerary::{
    bound::Bound,
    gap::{Gap, To},
    ground::{Ground, Stop, Used},
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// The gaps of a problem.
pub(super) struct Gaps<'g> {
    /// At the start.
    pub(super) start: Gap<'g>,
    /// After the fixed stop of an index.
    pub(super) after: Vec<Gap<'g>>,
}

impl<'g> Gaps<'g> {
    fn at(&self, at: Option<usize>) -> &Gap<'g> {
        at.map_or(&self.start, |index| &self.after[index])
    }
}

/// A way from the start to a fixed stop, or home.
struct Label {
    /// The fixed stop; `None` at the start.
    at: Option<usize>,
    used: Used,
    marks: i64,
    /// The label it comes from, and by which way of its gap.
    before: Option<(u32, u32)>,
}

/// What the search came to.
pub(super) struct Found<'g> {
    /// The best stops that were found, in order; `None` where no end was reached.
    pub(super) stops: Option<Vec<&'g Stop>>,
    /// What no plan exceeds, by the bound that was given; `None` where there is no plan.
    pub(super) upper: Option<i64>,
}

/// Most labels of a fixed stop that are kept once the search has too many.
const BEAM: usize = 64;

/// Finds the best stops, with at most so many labels; beyond that good ones.
pub(super) fn best<'g>(ground: &'g Ground<'_>, gaps: &Gaps<'g>, bound: &Bound, most: usize) -> Found<'g> {
    let mut labels = vec![Label { at: None, used: 0, marks: 0, before: None }];
    let mut fronts: Vec<Vec<u32>> = vec![Vec::new(); ground.fixed.len()];
    let Some(start) = bound.start else { return Found { stops: None, upper: None } };
    // Highest first; among equals the label that was made first, so that the same problem has the same answer.
    let mut open = BinaryHeap::from([(start, Reverse(0_u32), false)]);
    while let Some((key, Reverse(index), is_home)) = open.pop() {
        if is_home {
            return Found { stops: Some(stops(ground, gaps, &labels, index)), upper: Some(key) };
        }
        if labels.len() > most {
            return Found { stops: narrow(ground, gaps, bound), upper: Some(key) };
        }
        let is_beaten = labels[index as usize].at.is_some_and(|at| !fronts[at].contains(&index));
        if !is_beaten {
            grow(ground, gaps, bound, &mut labels, &mut fronts, index, |key, index, to| {
                open.push((key, Reverse(index), to == To::Home));
            });
        }
    }
    Found { stops: None, upper: None }
}

/// Adds what a label leads to; `tell` hears of each that is not beaten: the highest it could come to, its index, whither.
fn grow(
    ground: &Ground<'_>,
    gaps: &Gaps<'_>,
    bound: &Bound,
    labels: &mut Vec<Label>,
    fronts: &mut [Vec<u32>],
    from: u32,
    mut tell: impl FnMut(i64, u32, To),
) {
    let (at, used, marks) = {
        let label = &labels[from as usize];
        (label.at, label.used, label.marks)
    };
    for (number, way) in gaps.at(at).ways.iter().enumerate() {
        if way.used & used != 0 {
            continue;
        }
        let marks = marks + way.marks;
        let Some(key) = bound.with(way.to, marks) else { continue };
        let index = labels.len() as u32;
        let mut label = Label { at: None, used: 0, marks, before: Some((from, number as u32)) };
        if let To::Fixed(to) = way.to {
            label.at = Some(to);
            label.used = (used | way.used) & ground.live(ground.after(to).time);
            let beats = |one: &Label, other: &Label| one.used & !other.used == 0 && one.marks >= other.marks;
            if fronts[to].iter().any(|other| beats(&labels[*other as usize], &label)) {
                continue;
            }
            fronts[to].retain(|other| !beats(&label, &labels[*other as usize]));
            fronts[to].push(index);
        }
        labels.push(label);
        tell(key, index, way.to);
    }
}

/// The best of the most promising labels of each fixed stop.
fn narrow<'g>(ground: &'g Ground<'_>, gaps: &Gaps<'g>, bound: &Bound) -> Option<Vec<&'g Stop>> {
    let mut labels = vec![Label { at: None, used: 0, marks: 0, before: None }];
    let mut fronts: Vec<Vec<u32>> = vec![Vec::new(); ground.fixed.len()];
    let mut homes: Vec<u32> = Vec::new();
    let mut home = |_: i64, index: u32, to: To| {
        if to == To::Home {
            homes.push(index);
        }
    };
    grow(ground, gaps, bound, &mut labels, &mut fronts, 0, &mut home);
    for fixed in 0..ground.fixed.len() {
        let mut front = fronts[fixed].clone();
        front.sort_by_key(|index| (Reverse(labels[*index as usize].marks), *index));
        for from in front.into_iter().take(BEAM) {
            grow(ground, gaps, bound, &mut labels, &mut fronts, from, &mut home);
        }
    }
    let best = homes.into_iter().max_by_key(|index| (labels[*index as usize].marks, Reverse(*index)))?;
    Some(stops(ground, gaps, &labels, best))
}

/// The stops that a label stands for, in order.
fn stops<'g>(ground: &'g Ground<'_>, gaps: &Gaps<'g>, labels: &[Label], index: u32) -> Vec<&'g Stop> {
    let (mut stops, mut label) = (Vec::new(), &labels[index as usize]);
    while let Some((before, way)) = label.before {
        label = &labels[before as usize];
        let gap = gaps.at(label.at);
        let way = &gap.ways[way as usize];
        if let To::Fixed(to) = way.to {
            stops.push(&ground.fixed[to]);
        }
        let mut loose = way.label;
        while let Some(index) = loose {
            stops.push(gap.labels[index as usize].stop);
            loose = gap.labels[index as usize].before;
        }
    }
    stops.reverse();
    stops
}
