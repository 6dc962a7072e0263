//! What was true: a crowd's schedule, or a log of who walked.

use crate::capture::stills::scene::Scene;
use std::time::Duration;
use usher_config::walks::Walk;
use usher_models::image::Rect;

/// Whose face something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Which walk.
    pub walk: u64,
    /// The person, by the truth's own key.
    pub who: String,
    /// Whether this person asked to be known.
    pub enrolled: bool,
}

/// A walk that truly happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Which, who and whether enrolled.
    pub of: Whose,
    /// When they were out of sight, in the stream's own time.
    pub to: Duration,
}

/// Who walked where and when.
pub trait Truth {
    /// Whose face is at `rect` of the frame at stream time `pts`.
    fn whose(&self, pts: Duration, rect: &Rect) -> Option<Whose>;
    /// The walks that begin at `from` or later and before `until`.
    fn walks(&self, from: Duration, until: Duration) -> Vec<Walked>;
}

impl Truth for Scene {
    fn whose(&self, pts: Duration, rect: &Rect) -> Option<Whose> {
        let present = Scene::whose(self, pts, rect)?;
        Some(Whose { walk: present.walk, who: present.who, enrolled: present.enrolled })
    }

    fn walks(&self, from: Duration, until: Duration) -> Vec<Walked> {
        let walked = |walk: crate::capture::stills::scene::Walk| Walked {
            of: Whose { walk: walk.id, who: walk.who, enrolled: walk.enrolled },
            to: walk.to,
        };
        self.walks_between(from, until).into_iter().map(walked).collect()
    }
}

/// A log of one recording. People are called by the visitor's id or by the guest's word.
#[derive(Clone, Debug)]
pub struct Log(pub Vec<Walk>);

impl Log {
    fn of(number: usize, walk: &Walk) -> Whose {
        Whose { walk: number as u64, who: walk.who().to_owned(), enrolled: walk.visitor.is_some() }
    }
}

impl Truth for Log {
    fn whose(&self, pts: Duration, rect: &Rect) -> Option<Whose> {
        let holds = |(_, walk): &(usize, &Walk)| walk.holds(pts.as_secs_f64(), rect.centre().x);
        self.0.iter().enumerate().find(holds).map(|(number, walk)| Self::of(number, walk))
    }

    fn walks(&self, from: Duration, until: Duration) -> Vec<Walked> {
        let begins = |walk: &Walk| (from.as_secs_f64()..until.as_secs_f64()).contains(&walk.from);
        let walks = self.0.iter().enumerate().filter(|(_, walk)| begins(walk));
        walks.map(|(n, walk)| Walked { of: Self::of(n, walk), to: Duration::from_secs_f64(walk.to) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_knows_whose_face_it_is_by_time_and_place() {
        let walk = |from, to, visitor: Option<&str>, across| Walk {
            from,
            to,
            visitor: visitor.map(str::to_owned),
            guest: visitor.is_none().then(|| "ann".to_owned()),
            across,
        };
        let log =
            Log(vec![walk(1.0, 4.0, Some("id"), Some([0.0, 600.0])), walk(3.0, 6.0, None, Some([601.0, 1280.0]))]);
        let at = |x: f32| Rect { x: x - 20.0, y: 100.0, width: 40.0, height: 50.0 };
        let whose = |s: f64, x| log.whose(Duration::from_secs_f64(s), &at(x));
        assert_eq!(whose(3.5, 300.0), Some(Whose { walk: 0, who: "id".into(), enrolled: true }));
        assert_eq!(whose(3.5, 900.0), Some(Whose { walk: 1, who: "ann".into(), enrolled: false }));
        assert_eq!((whose(2.0, 900.0), whose(7.0, 900.0)), (None, None));
        let walks = log.walks(Duration::from_secs(2), Duration::from_secs(9));
        assert_eq!(walks.iter().map(|walk| walk.of.walk).collect::<Vec<_>>(), [1]);
    }
}
