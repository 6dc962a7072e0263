//! Liveness of a track: what its judged looks say together.

use crate::identify::identification::Verdict;
use usher_config::decide::Liveness;
use usher_models::liveness::Live;

/// Least looks that say anything: single ones are wrong too often (docs/accuracy.md).
pub const LEAST: u32 = 5;

/// What the mean must reach: where a network of two sides is undecided.
pub const BAR: f32 = 0.5;

/// The looks judged so far, and what waits for them.
#[derive(Debug, Default)]
pub struct Judged {
    sum: f32,
    count: u32,
    /// The name that is ready, and not given before the looks seem live.
    pub held: Option<Verdict>,
    /// Whether doubt was told.
    told: bool,
}

impl Judged {
    /// Takes a judgement in.
    pub fn add(&mut self, live: Live) {
        self.sum += live.0;
        self.count += 1;
    }

    /// Looks judged so far.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The mean, once there are enough.
    pub fn mean(&self) -> Option<Live> {
        (self.count >= LEAST).then(|| Live(self.sum / self.count as f32))
    }

    /// Whether the looks seem to be of a live person: enough of them, and their mean reaches the bar.
    pub fn is_live(&self) -> bool {
        self.mean().is_some_and(|live| live.0 >= BAR)
    }

    /// `verdict` as a gate of this `liveness` may give it: a name waits where it must.
    pub fn let_through(&mut self, verdict: Verdict, liveness: Liveness) -> Verdict {
        let waits = matches!(verdict, Verdict::Known { .. }) && liveness == Liveness::Required && !self.is_live();
        self.held = waits.then_some(verdict);
        if waits { Verdict::Unknown } else { verdict }
    }

    /// Whether there is doubt that was not told yet; then it counts as told.
    pub fn is_to_doubt(&mut self) -> bool {
        let doubts = !self.told && self.mean().is_some() && !self.is_live();
        self.told |= doubts;
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::visitor::VisitorId;
    use usher_models::template::Score;
    use uuid::Uuid;

    const KNOWN: Verdict = Verdict::Known { visitor: VisitorId(Uuid::nil()), score: Score(0.7) };

    fn judged(lives: &[f32]) -> Judged {
        let mut judged = Judged::default();
        lives.iter().for_each(|live| judged.add(Live(*live)));
        judged
    }

    #[test]
    fn fewer_than_five_looks_say_nothing() {
        assert_eq!(judged(&[1.0; 4]).mean(), None);
        assert!(!judged(&[1.0; 4]).is_live() && judged(&[1.0; 5]).is_live());
        assert!(!judged(&[0.0; 4]).is_to_doubt() && judged(&[0.0; 5]).is_to_doubt());
    }

    #[test]
    fn the_mean_counts_and_not_the_last() {
        assert!(judged(&[1.0, 1.0, 1.0, 0.1, 0.1, 0.1]).is_live());
        assert!(!judged(&[1.0, 0.1, 0.1, 0.1, 1.0, 0.1]).is_live());
        assert!(!judged(&[f32::NAN; 6]).is_live());
    }

    #[test]
    fn a_name_waits_only_where_liveness_is_required() {
        for (liveness, lives, waits) in [
            (Liveness::Off, &[][..], false),
            (Liveness::Advisory, &[0.0; 6], false),
            (Liveness::Required, &[], true),
            (Liveness::Required, &[0.1; 6], true),
            (Liveness::Required, &[0.9; 5], false),
        ] {
            let mut judged = judged(lives);
            let verdict = judged.let_through(KNOWN, liveness);
            assert_eq!((verdict == Verdict::Unknown, judged.held.is_some()), (waits, waits), "{liveness:?} {lives:?}");
            assert_eq!(judged.let_through(Verdict::Alike, liveness), Verdict::Alike);
            assert_eq!(judged.held, None);
        }
    }

    #[test]
    fn doubt_is_told_once() {
        let mut judged = judged(&[0.0; 5]);
        assert!(judged.is_to_doubt() && !judged.is_to_doubt());
    }
}
