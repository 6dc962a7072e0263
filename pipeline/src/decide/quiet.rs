//! The quiet time: whom a gate has greeted, and until when it says nothing more.
//!
//! Steady time only: a wall clock that jumps must neither greet twice nor silence a gate. What earlier runs of the
//! process greeted is told with wall times ([`Quiet::seed`]) and turned into steady time once.

use crate::{
    clock::Moment,
    gallery::visitor::VisitorId,
    in_force::{Follower, InForce, Settings},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::value::Name;

/// The quiet time of a gate that nothing was configured for.
const DEFAULT: Duration = Duration::from_secs(600);

/// Least time between two greetings without a name at one gate: about as long as one stays on the screen. They are nobody's,
/// so there is nobody to remember them by.
const NOTICES_APART: Duration = Duration::from_secs(10);

/// How many entries may gather before those that are over are looked for.
const SWEEP_AT: usize = 1024;

/// Who was greeted where, as far as it still matters.
pub struct Quiet {
    following: Option<Follower>,
    times: BTreeMap<Name, Duration>,
    /// Steady time until which this gate has nothing more to say to this visitor.
    until: HashMap<(Name, VisitorId), Duration>,
    sweep_at: usize,
    /// Steady time of the last greeting without a name.
    noticed: HashMap<Name, Duration>,
}

fn times_of(settings: &Settings) -> impl Iterator<Item = (Name, Duration)> {
    settings.config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet))
}

impl Quiet {
    /// Nobody was greeted yet. `times`: the quiet time of every gate.
    pub fn new(times: impl IntoIterator<Item = (Name, Duration)>) -> Self {
        let times = times.into_iter().collect();
        Self { following: None, times, until: HashMap::new(), sweep_at: SWEEP_AT, noticed: HashMap::new() }
    }

    /// The same with the quiet times that are in force; see [`Quiet::take_up`].
    pub fn in_force(in_force: &Arc<InForce>) -> Self {
        let follower = in_force.follow("decide");
        Self { following: Some(follower), ..Self::new(times_of(&in_force.load())) }
    }

    /// Takes up the quiet times that were put in force: to be called between two decisions. Whom a gate has greeted it knows on, as
    /// if the new time had held then.
    pub fn take_up(&mut self) {
        if let Some(now) = self.following.as_mut().and_then(Follower::news) {
            self.set_times(times_of(&now).collect());
        }
    }

    fn set_times(&mut self, times: BTreeMap<Name, Duration>) {
        let before = std::mem::replace(&mut self.times, times);
        let of = |times: &BTreeMap<Name, Duration>, gate| times.get(gate).copied().unwrap_or(DEFAULT);
        for ((gate, _), until) in &mut self.until {
            *until = (*until + of(&self.times, gate)).saturating_sub(of(&before, gate));
        }
    }

    /// Takes in whom an earlier run of the process greeted (gate, visitor, wall time of the visit). A visit that seems
    /// to lie in the future, because the wall clock was set back, is taken for one of this moment.
    pub fn seed(&mut self, recent: impl IntoIterator<Item = (Name, VisitorId, SystemTime)>, now: Moment) {
        for (gate, visitor, at) in recent {
            let age = now.wall.duration_since(at).unwrap_or(Duration::ZERO);
            let until = now.steady + self.time_of(&gate).saturating_sub(age);
            let known = self.until.entry((gate, visitor)).or_insert(Duration::ZERO);
            *known = until.max(*known);
        }
    }

    /// Whether this gate may greet this visitor at `at`; if so, it is quiet from then on.
    pub fn greets(&mut self, gate: &Name, visitor: VisitorId, at: Moment) -> bool {
        let until = at.steady.saturating_add(self.time_of(gate));
        if self.until.len() >= self.sweep_at {
            self.until.retain(|_, until| *until > at.steady);
            self.sweep_at = SWEEP_AT.max(2 * self.until.len());
        }
        match self.until.get_mut(&(gate.clone(), visitor)) {
            Some(known) if *known > at.steady => false,
            Some(known) => {
                *known = until;
                true
            }
            None => {
                self.until.insert((gate.clone(), visitor), until);
                true
            }
        }
    }

    /// Whether this gate may greet without a name at `at`; if so, it does not again for ten seconds.
    pub fn notices(&mut self, gate: &Name, at: Moment) -> bool {
        let is_due = self.noticed.get(gate).is_none_or(|last| at.steady.saturating_sub(*last) >= NOTICES_APART);
        if is_due {
            self.noticed.insert(gate.clone(), at.steady);
        }
        is_due
    }

    fn time_of(&self, gate: &Name) -> Duration {
        self.times.get(gate).copied().unwrap_or(DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn at(ms: u64) -> Moment {
        let by = Duration::from_millis(ms);
        Moment { steady: by, wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000) + by }
    }

    fn gates() -> Quiet {
        Quiet::new([(name("a"), Duration::from_secs(10)), (name("b"), Duration::from_secs(20))])
    }

    proptest! {
        #[test]
        fn a_gate_never_greets_anybody_twice_within_its_quiet_time(
            events in prop::collection::vec((0..2usize, 0..3u128, 0..60_000u64), 0..200)
        ) {
            let mut quiet = gates();
            let mut greeted: Vec<(usize, u128, u64)> = Vec::new();
            // Out of order on purpose: two cameras of one gate do not queue in step.
            for (gate, who, ms) in events {
                if quiet.greets(&name(["a", "b"][gate]), VisitorId(Uuid::from_u128(who)), at(ms)) {
                    for (g, w, before) in &greeted {
                        if *g == gate && *w == who {
                            prop_assert!(ms.abs_diff(*before) >= [10_000, 20_000][gate]);
                        }
                    }
                    greeted.push((gate, who, ms));
                }
            }
        }
    }

    #[test]
    fn quiet_time_survives_a_restart_and_a_clock_set_back() {
        let mut quiet = gates();
        let (a, b, c) = (VisitorId(Uuid::from_u128(1)), VisitorId(Uuid::from_u128(2)), VisitorId(Uuid::from_u128(3)));
        let now = at(0);
        let before = |s| now.wall - Duration::from_secs(s);
        quiet.seed(
            [
                (name("a"), a, before(4)),
                (name("a"), b, before(11)),
                (name("a"), c, now.wall + Duration::from_secs(3600)),
            ],
            now,
        );
        assert!(!quiet.greets(&name("a"), a, at(5_999)));
        assert!(quiet.greets(&name("a"), a, at(6_000)));
        assert!(quiet.greets(&name("a"), b, at(0)));
        assert!(!quiet.greets(&name("a"), c, at(9_999)) && quiet.greets(&name("a"), c, at(10_000)));
        assert!(quiet.greets(&name("b"), a, at(0)), "another gate has greeted nobody");
    }

    #[test]
    fn another_quiet_time_holds_for_whoever_was_greeted_before_it() {
        let mut quiet = gates();
        let who = VisitorId(Uuid::from_u128(1));
        assert!(quiet.greets(&name("a"), who, at(0)) && quiet.greets(&name("b"), who, at(0)));
        quiet.set_times([(name("a"), Duration::from_secs(60)), (name("b"), Duration::from_secs(5))].into());
        assert!(!quiet.greets(&name("a"), who, at(59_999)), "longer, from the greeting on");
        assert!(!quiet.greets(&name("b"), who, at(4_999)) && quiet.greets(&name("b"), who, at(5_000)), "shorter");
        assert!(quiet.greets(&name("a"), who, at(60_000)));
    }

    #[test]
    fn a_gate_greets_without_a_name_only_so_often() {
        let mut quiet = gates();
        let noticed: Vec<_> = (0..30_000).step_by(500).filter(|ms| quiet.notices(&name("a"), at(*ms))).collect();
        assert_eq!(noticed, [0, 10_000, 20_000]);
        assert!(quiet.notices(&name("b"), at(0)), "another gate has greeted nobody");
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut quiet = gates();
        for who in 0..100_000 {
            assert!(quiet.greets(&name("a"), VisitorId(Uuid::from_u128(who)), at(who as u64 * 1000)));
        }
        assert!(quiet.until.len() <= SWEEP_AT);
    }
}
