//! The check of a plan against its problem, by nothing but the problem's own words.
//!
//! It shares no code with the search, so that an error in one is not an error in the other.

use crate::guide::itinerary::problem::{Plan, Problem};
use std::collections::BTreeSet;
use thiserror::Error;

/// What a plan does that it must not. Visits count from 0; seconds and marks as in the problem.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum Fault {
    #[error("visit {visit} is to item {item}, which the problem does not have")]
    NoItem { visit: usize, item: usize },
    #[error("visit {visit} is to item {item}, which was done before")]
    Twice { visit: usize, item: usize },
    #[error("visit {visit} is the second of group {group}")]
    Group { visit: usize, group: u32 },
    #[error("there is no way to visit {visit}")]
    NoWay { visit: usize },
    #[error("visit {visit} arrives at {says}, which is not when the walk ends: {is}")]
    Arrives { visit: usize, says: u32, is: u64 },
    #[error("visit {visit} begins at {begins}, before its entry is over at {ready}")]
    TooSoon { visit: usize, begins: u32, ready: u64 },
    #[error("visit {visit} begins at {begins}, outside its windows")]
    Closed { visit: usize, begins: u32 },
    #[error("visit {visit} ends at {says}, which is not its beginning and its duration: {is}")]
    Ends { visit: usize, says: u32, is: u64 },
    #[error("place {0} is no end")]
    NoEnd(usize),
    #[error("there is no way to the end")]
    NoWayHome,
    #[error("the end is reached at {says}, which is not when the walk ends: {is}")]
    Home { says: u32, is: u64 },
    #[error("the end is reached at {home}, after {latest}")]
    TooLate { home: u64, latest: u32 },
    #[error("the plan says it is worth {says} marks and is worth {is}")]
    Value { says: i64, is: i128 },
}

/// Everything that is wrong with a plan; nothing, for a plan that can be followed and is worth what it says.
pub fn faults(problem: &Problem, plan: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    let walk = |from: usize, to: usize| problem.walks.get(from).and_then(|row| *row.get(to)?);
    let (mut place, mut time) = (problem.start.place, u64::from(problem.start.time));
    let (mut marks, mut items, mut groups) = (0_i128, BTreeSet::new(), BTreeSet::new());
    for (number, visit) in plan.visits.iter().enumerate() {
        let Some(item) = problem.items.get(visit.item) else {
            faults.push(Fault::NoItem { visit: number, item: visit.item });
            continue;
        };
        if !items.insert(visit.item) {
            faults.push(Fault::Twice { visit: number, item: visit.item });
        }
        if let Some(group) = item.group.filter(|group| !groups.insert(*group)) {
            faults.push(Fault::Group { visit: number, group });
        }
        let seconds = walk(place, item.place).unwrap_or_else(|| {
            faults.push(Fault::NoWay { visit: number });
            0
        });
        let arrives = time + u64::from(seconds);
        if u64::from(visit.arrives) != arrives {
            faults.push(Fault::Arrives { visit: number, says: visit.arrives, is: arrives });
        }
        let ready = arrives + if place == item.place { 0 } else { u64::from(item.entry) };
        if u64::from(visit.begins) < ready {
            faults.push(Fault::TooSoon { visit: number, begins: visit.begins, ready });
        }
        let waits = u64::from(visit.begins).saturating_sub(arrives);
        if !item.windows.iter().any(|window| window.from <= visit.begins && visit.begins <= window.to) {
            faults.push(Fault::Closed { visit: number, begins: visit.begins });
        }
        let ends = u64::from(visit.begins) + u64::from(item.duration);
        if u64::from(visit.ends) != ends {
            faults.push(Fault::Ends { visit: number, says: visit.ends, is: ends });
        }
        marks += i128::from(item.prize);
        marks -= i128::from(problem.walking) * i128::from(seconds) + i128::from(problem.waiting) * i128::from(waits);
        (place, time) = (item.place, ends);
    }
    if !problem.ends.contains(&plan.end) {
        faults.push(Fault::NoEnd(plan.end));
    }
    let seconds = walk(place, plan.end).unwrap_or_else(|| {
        faults.push(Fault::NoWayHome);
        0
    });
    let home = time + u64::from(seconds);
    if u64::from(plan.home) != home {
        faults.push(Fault::Home { says: plan.home, is: home });
    }
    if home > u64::from(problem.latest) {
        faults.push(Fault::TooLate { home, latest: problem.latest });
    }
    marks -= i128::from(problem.walking) * i128::from(seconds);
    if i128::from(plan.value) != marks {
        faults.push(Fault::Value { says: plan.value, is: marks });
    }
    faults
}
