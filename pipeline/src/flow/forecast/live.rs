//! How today differs from what is usual: more, fewer, for how long.
//!
//! A gamma-Poisson filter with forgetting (West and Harrison 1997, the discounted dynamic level): people counted over people
//! expected, both fading, drawn towards 1. What is known now fades on the way to the horizon in the same way.

/// A memory: after how many minutes half is forgotten, and how many people's worth of doubt it begins with.
pub(crate) type Memory = (f64, f64);

/// Memories from a few minutes to a day, and none: which of them helps is for [`crate::flow::forecast::combine`] to find out.
pub(crate) const MEMORIES: [Option<Memory>; 5] =
    [None, Some((60.0, 6.0)), Some((180.0, 6.0)), Some((360.0, 15.0)), Some((1440.0, 10.0))];

/// The live deviation of one expectation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    memory: Option<Memory>,
    came: f64,
    expected: f64,
}

impl Live {
    /// Nothing differs yet.
    pub(crate) fn new(memory: Option<Memory>) -> Self {
        Self { memory, came: 0.0, expected: 0.0 }
    }

    /// Forgets what `passed_s` seconds make it forget.
    pub(crate) fn pass(&mut self, passed_s: f64) {
        let kept = self.kept(passed_s);
        self.came *= kept;
        self.expected *= kept;
    }

    /// Notes a step that was counted; counts lie `wide` times as wide as Poisson's.
    pub(crate) fn learn(&mut self, came: f64, expected: f64, wide: f64) {
        self.came += came / wide;
        self.expected += expected / wide;
    }

    /// The factor on what is expected `ahead_s` seconds after the last step was noted.
    pub(crate) fn factor(&self, ahead_s: f64) -> f64 {
        let Some((_, doubt)) = self.memory else { return 1.0 };
        let kept = self.kept(ahead_s);
        (self.came * kept + doubt) / (self.expected * kept + doubt)
    }

    fn kept(&self, seconds: f64) -> f64 {
        self.memory.map_or(0.0, |(half_min, _)| 0.5f64.powf(seconds / 60.0 / half_min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_twice_as_large_is_noticed_and_forgotten() {
        let mut live = Live::new(Some((30.0, 5.0)));
        for _ in 0..12 {
            live.pass(300.0);
            live.learn(20.0, 10.0, 1.0);
        }
        let (now, later) = (live.factor(300.0), live.factor(14_400.0));
        assert!((1.8..2.0).contains(&now) && (1.0..1.2).contains(&later), "{now} {later}");
        assert_eq!(Live::new(None).factor(0.0), 1.0);
    }
}
