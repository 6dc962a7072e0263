//! Improvement: a plan that was not proven best, made better by one stop at a time.

use crate::guide::itinerary::{
    ground::{Ground, Stop},
    problem::Plan,
};

/// Most improvements; each is the best single one there is, so few are made.
const ROUNDS: usize = 200;

/// Puts in, exchanges and takes out single stops, the best change each time, until none is better.
pub(super) fn improved<'g>(ground: &'g Ground<'_>, mut stops: Vec<&'g Stop>) -> Option<Plan> {
    let loose = ground.loose.iter().chain(&ground.left_out).flatten();
    let all: Vec<&Stop> = ground.fixed.iter().chain(loose).collect();
    let mut plan = ground.plan(&stops)?;
    for _ in 0..ROUNDS {
        let better = |best: Option<(Vec<&'g Stop>, Plan)>, tried: Vec<&'g Stop>| match ground.plan(&tried) {
            Some(found) if found.value > best.as_ref().map_or(plan.value, |(_, best)| best.value) => {
                Some((tried, found))
            }
            _ => best,
        };
        let mut best = (0..stops.len()).map(|out| with(&stops, out, None, 1)).fold(None, better);
        for stop in &all {
            for at in 0..=stops.len() {
                if may(ground, &stops, stop, None) {
                    best = better(best, with(&stops, at, Some(stop), 0));
                }
                if at < stops.len() && may(ground, &stops, stop, Some(at)) {
                    best = better(best, with(&stops, at, Some(stop), 1));
                }
            }
        }
        let Some((tried, found)) = best else { break };
        (stops, plan) = (tried, found);
    }
    Some(plan)
}

/// Whether a stop may be added, once that at `out` is gone: neither it nor one of its group is there.
fn may(ground: &Ground<'_>, stops: &[&Stop], stop: &Stop, out: Option<usize>) -> bool {
    let group = |stop: &Stop| ground.problem.items[stop.item].group;
    stops.iter().enumerate().all(|(at, there)| {
        let is_same = there.item == stop.item || (group(stop).is_some() && group(there) == group(stop));
        !is_same || Some(at) == out
    })
}

/// The stops with one put in at `at`, after `out` of them were taken out there.
fn with<'g>(stops: &[&'g Stop], at: usize, put: Option<&'g Stop>, out: usize) -> Vec<&'g Stop> {
    stops[..at].iter().copied().chain(put).chain(stops[at + out..].iter().copied()).collect()
}
