//! Whose turn it is: which camera's newest frame the detector is given next.
//!
//! Every camera has a rate, a lower one while no look could decide anything ([`Pace`]); what comes faster is let go. While
//! the worker keeps up, that is all there is to it. When it does not, frames compete: a camera that nobody attended to for [`FLOOR`] comes first, so that none
//! ever starves; then cameras with somebody who is not decided about; then those with people; then idle ones. Among
//! equals the one that waited longest comes first.
//!
//! A picture in which nobody is tracked and nothing has changed since the detector last saw it goes without the
//! detector, though never for longer than [`Pace::unchanged`]: whoever stands still is found by then.
//!
//! On a hot machine every rate is less ([`Share`]).
//!
//! Time is the frames' own, so that a recording is treated as it was taken, at any speed of reading.

use crate::{
    clock::Moment,
    infer::{
        change::Grid,
        heat::{self, Share},
    },
};
use std::{cmp::Reverse, collections::BTreeMap, sync::Arc, time::Duration};
use usher_config::{infer::Infer, value::Name};

/// Under load a camera is still attended to this often, as far as the worker can do that for all of its cameras; beyond
/// that they take turns. Somebody who walks up is in sight for seconds.
pub const FLOOR: Duration = Duration::from_millis(500);

/// How often cameras are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Least time between two analysed frames of one camera, on average.
    pub period: Duration,
    /// The same while nobody in its picture is undecided about; not shorter.
    pub calm: Duration,
    /// Longest time that an empty, unchanged picture goes without the detector; zero: it never does.
    pub unchanged: Duration,
}

impl Pace {
    /// As section `infer` says.
    pub fn of(infer: &Infer) -> Self {
        let period = |fps: u32| Duration::from_secs(1) / fps.max(1);
        let (analysed, calm) = (period(infer.analysed_fps), period(infer.calm_fps));
        Self { period: analysed, calm: calm.max(analysed), unchanged: infer.unchanged }
    }
}

/// What a camera's picture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nobody is tracked.
    Idle,
    /// Somebody is, and the next look decides nothing.
    Followed,
    /// Somebody is who is not decided about.
    Undecided,
}

/// How urgent a waiting frame is; the greatest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// By need, then whoever was attended to longest ago.
    Waits(Need, Reverse<Duration>),
    /// Unattended for [`FLOOR`] or longer; whoever was never attended to comes first.
    Starves(Reverse<Option<Duration>>),
    /// Beyond the camera's rate: done with at once.
    Beyond,
}

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Let it go: it is beyond the camera's rate.
    Beyond,
    /// Let it go: it shows what the detector saw before, and that was nobody.
    Unchanged,
    /// Give it to the detector.
    Look,
}

/// The cameras of one worker.
pub struct Turns {
    pace: Pace,
    share: Arc<Share>,
    cameras: BTreeMap<Name, Turn>,
}

struct Turn {
    /// The time that the last attended frame had by the rate; the next is due a period later.
    slot: Option<Duration>,
    attended: Option<Moment>,
    looked: Option<Moment>,
    need: Need,
    /// What the detector last saw without finding anybody.
    empty: Option<Grid>,
}

impl Turn {
    fn new() -> Self {
        Self { slot: None, attended: None, looked: None, need: Need::Idle, empty: None }
    }

    fn period(&self, pace: &Pace, share: f32) -> Duration {
        let (period, share) = match self.need {
            Need::Undecided => (pace.period, heat::undecided(share)),
            Need::Idle | Need::Followed => (pace.calm, share),
        };
        if share < 1.0 { period.div_f32(share) } else { period }
    }

    /// Frames come a little early or late; half a period is forgiven, and made up for by the next.
    fn is_beyond(&self, taken: Moment, period: Duration) -> bool {
        self.slot.is_some_and(|slot| taken.steady + period / 2 < slot + period)
    }
}

impl Turns {
    /// Nobody has waited yet.
    pub fn new(pace: Pace) -> Self {
        Self { pace, share: Arc::default(), cameras: BTreeMap::new() }
    }

    /// From now on at the share of every rate that heat leaves.
    pub fn follow(&mut self, share: Arc<Share>) {
        self.share = share;
    }

    /// Cameras are looked at as often as this from now on, and only those of `cameras` are remembered.
    pub fn take_up<C>(&mut self, pace: Pace, cameras: &BTreeMap<Name, C>) {
        self.pace = pace;
        self.cameras.retain(|name, _| cameras.contains_key(name));
    }

    /// How urgent the frame of `camera` is that was taken at `taken`.
    pub fn rank(&self, camera: &Name, taken: Moment) -> Rank {
        let Some(turn) = self.cameras.get(camera) else { return Rank::Starves(Reverse(None)) };
        match turn.attended {
            _ if turn.is_beyond(taken, turn.period(&self.pace, self.share.get())) => Rank::Beyond,
            Some(attended) if taken.since(attended) < FLOOR => Rank::Waits(turn.need, Reverse(attended.steady)),
            attended => Rank::Starves(Reverse(attended.map(|attended| attended.steady))),
        }
    }

    /// What to do with a frame whose turn has come; `grid` is asked for only where it can matter.
    pub fn call(&mut self, camera: &Name, taken: Moment, grid: impl FnOnce() -> Option<Grid>) -> Call {
        let turn = self.cameras.entry(camera.clone()).or_insert_with(Turn::new);
        let period = turn.period(&self.pace, self.share.get());
        if turn.is_beyond(taken, period) {
            return Call::Beyond;
        }
        // Whoever was late catches up on one look, so that a short burst costs no rate; more would be a burst of its own.
        let next = |slot: Duration| (slot + period).max(taken.steady.saturating_sub(period));
        turn.slot = Some(turn.slot.map_or(taken.steady, next));
        turn.attended = Some(taken);
        let (before, looked) = (turn.empty.take(), turn.looked.replace(taken));
        if self.pace.unchanged.is_zero() || turn.need != Need::Idle {
            return Call::Look;
        }
        let Some(grid) = grid() else { return Call::Look };
        match (before, looked) {
            (Some(before), Some(looked)) if taken.since(looked) < self.pace.unchanged && !grid.differs(&before) => {
                (turn.empty, turn.looked) = (Some(before), Some(looked));
                Call::Unchanged
            }
            _ => {
                turn.empty = Some(grid);
                Call::Look
            }
        }
    }

    /// What the picture of `camera` was found to hold.
    pub fn found(&mut self, camera: &Name, need: Need) {
        if let Some(turn) = self.cameras.get_mut(camera) {
            turn.need = need;
            if need != Need::Idle {
                turn.empty = None;
            }
        }
    }
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
