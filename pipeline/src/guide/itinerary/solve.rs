//! The solution: the best plan, and how sure that is.

use crate::guide::itinerary::{
    bound::Bound,
    gap::Gap,
    ground::Ground,
    improve::improved,
    problem::{Plan, Problem, Unfit},
    spine::{Gaps, best},
};
use serde::{Deserialize, Serialize};

/// A plan with its proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Solution {
    /// The plan.
    pub plan: Plan,
    /// How sure it is that no plan is worth more.
    pub proof: Proof,
}

/// How sure it is that no plan is worth more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proof {
    /// None is.
    Optimal,
    /// The search was ended by its limits.
    Gap {
        /// The share of the best plan's worth that may be missing, 0..=1.
        at_most: f64,
    },
}

/// When a search ends that would take too long. Real days stay far below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Labels of one gap.
    pub gap: usize,
    /// Labels of the way through fixed stops.
    pub spine: usize,
}

impl Default for Limits {
    /// Some tens of milliseconds of one processor in the worst case.
    fn default() -> Self {
        Self { gap: 20_000, spine: 200_000 }
    }
}

/// Solves a problem; `None` where no end can be reached in time.
///
/// The same problem has the same answer, always.
///
/// # Errors
/// What is wrong with the problem.
pub fn solve(problem: &Problem, limits: Limits) -> Result<Option<Solution>, Unfit> {
    problem.check()?;
    let ground = Ground::of(problem);
    let gap = |stand| Gap::from(&ground, stand, limits.gap);
    let gaps =
        Gaps { start: gap(ground.start()), after: (0..ground.fixed.len()).map(|at| gap(ground.after(at))).collect() };
    let bound = Bound::of(&ground, &gaps.after, &gaps.start);
    let found = best(&ground, &gaps, &bound, limits.spine);
    // What a search among some of the ways finds says nothing of the others; the bound does.
    let is_whole = gaps.start.is_whole && gaps.after.iter().all(|gap| gap.is_whole);
    let upper = if is_whole { found.upper } else { bound.start };
    let (Some(stops), Some(upper)) = (found.stops, upper) else { return Ok(None) };
    let Some(plan) = ground.plan(&stops) else { return Ok(None) };
    if plan.value >= upper {
        return Ok(Some(Solution { plan, proof: Proof::Optimal }));
    }
    let plan = improved(&ground, stops).unwrap_or(plan);
    let proof = if plan.value >= upper {
        Proof::Optimal
    } else {
        Proof::Gap { at_most: if upper > 0 { ((upper - plan.value) as f64 / upper as f64).min(1.0) } else { 1.0 } }
    };
    Ok(Some(Solution { plan, proof }))
}
