//! What the gate said about a crowd, held against what was true.
//!
//! A `stills:` camera knows who stood where at any time, a log of a recording nearly so. A visit is judged by the place of the face that settled it,
//! not by who happened to be about: naming the enrolled neighbour of somebody who is not enrolled is a wrong name.

use crate::{
    accuracy::truth::{Truth, Walked},
    gallery::visitor::VisitorId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use usher_models::image::Rect;

/// A walk counts only when it has ended this long before the last frame looked at: decisions need time.
const SETTLED: Duration = Duration::from_secs(2);

/// Whose face a visit was about, and whether the name fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The right name, in this walk.
    Right {
        /// Which walk.
        walk: u64,
    },
    /// An enrolled person was given another's name.
    Wrong {
        /// Which walk.
        walk: u64,
    },
    /// Somebody who did not enrol was named.
    NotEnrolled {
        /// Which walk.
        walk: u64,
    },
    /// Nobody stood there.
    Nobody,
}

/// Counts of one run; see [`Walks::tally`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Walks of enrolled people that began and ended in the run.
    pub walks_enrolled: usize,
    /// Of these, how many were named, rightly, exactly once.
    pub named_right: usize,
    /// Visits with a wrong name, or where nobody stood.
    pub named_wrong: usize,
    /// Visits more than one of a single walk.
    pub named_again: usize,
    /// Walks of people who did not enrol that began and ended in the run.
    pub walks_unenrolled: usize,
    /// Visits of people who did not enrol.
    pub unenrolled_named: usize,
    /// Walks, enrolled or not, of which no look was taken; as far as looks were told ([`Walks::looked`]).
    pub never_looked_at: usize,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            walks_enrolled: self.walks_enrolled + other.walks_enrolled,
            named_right: self.named_right + other.named_right,
            named_wrong: self.named_wrong + other.named_wrong,
            named_again: self.named_again + other.named_again,
            walks_unenrolled: self.walks_unenrolled + other.walks_unenrolled,
            unenrolled_named: self.unenrolled_named + other.unenrolled_named,
            never_looked_at: self.never_looked_at + other.never_looked_at,
        }
    }
}

/// What was true, and the visits judged by it.
pub struct Walks {
    truth: Box<dyn Truth>,
    who: BTreeMap<VisitorId, String>,
    judged: Vec<Judgement>,
    looked: BTreeSet<u64>,
}

impl Walks {
    /// Judges by `truth`; `who` says which of its people was enrolled as which visitor.
    pub fn new(truth: Box<dyn Truth>, who: BTreeMap<VisitorId, String>) -> Self {
        Self { truth, who, judged: Vec::new(), looked: BTreeSet::new() }
    }

    /// Takes a look in: the face at `rect` of the frame at stream time `pts` was embedded.
    pub fn looked(&mut self, pts: Duration, rect: &Rect) {
        self.looked.extend(self.truth.whose(pts, rect).map(|present| present.walk));
    }

    /// Takes a visit in: `visitor` was named by the face at `rect` of the frame at stream time `pts`.
    pub fn judge(&mut self, pts: Duration, rect: &Rect, visitor: VisitorId) -> Judgement {
        let judgement = match self.truth.whose(pts, rect) {
            Some(present) => match self.who.get(&visitor) {
                Some(who) if *who == present.who => Judgement::Right { walk: present.walk },
                _ if present.enrolled => Judgement::Wrong { walk: present.walk },
                _ => Judgement::NotEnrolled { walk: present.walk },
            },
            None => Judgement::Nobody,
        };
        self.judged.push(judgement.clone());
        judgement
    }

    /// The counts of a run whose first frame had stream time `from` and whose last one had `until`.
    pub fn tally(&self, from: Duration, until: Duration) -> Tally {
        let whole = |to: Duration| to + SETTLED <= until;
        let walks: Vec<_> = self.truth.walks(from, until).into_iter().filter(|walk| whole(walk.to)).collect();
        let mut visits: BTreeMap<u64, usize> = BTreeMap::new();
        let count = |which: fn(&Judgement) -> bool| self.judged.iter().filter(|judged| which(judged)).count();
        for judged in &self.judged {
            if let Judgement::Right { walk } = judged {
                *visits.entry(*walk).or_default() += 1;
            }
        }
        let enrolled: BTreeSet<u64> = walks.iter().filter(|walk| walk.of.enrolled).map(|walk| walk.of.walk).collect();
        Tally {
            walks_enrolled: enrolled.len(),
            named_right: visits.iter().filter(|(walk, times)| enrolled.contains(walk) && **times == 1).count(),
            named_wrong: count(|judged| matches!(judged, Judgement::Wrong { .. } | Judgement::Nobody)),
            named_again: visits.values().map(|times| times - 1).sum(),
            walks_unenrolled: walks.len() - enrolled.len(),
            unenrolled_named: count(|judged| matches!(judged, Judgement::NotEnrolled { .. })),
            never_looked_at: walks.iter().filter(|walk| !self.looked.contains(&walk.of.walk)).count(),
        }
    }

    /// The enrolled walks of the run that nobody was named in, for whoever wants to know why.
    pub fn missed(&self, from: Duration, until: Duration) -> Vec<(u64, String)> {
        let named: BTreeSet<u64> = self
            .judged
            .iter()
            .filter_map(|judged| match judged {
                Judgement::Right { walk } => Some(*walk),
                _ => None,
            })
            .collect();
        let walks = self.truth.walks(from, until).into_iter();
        let is_missed =
            |walk: &Walked| walk.of.enrolled && walk.to + SETTLED <= until && !named.contains(&walk.of.walk);
        walks.filter(is_missed).map(|walk| (walk.of.walk, walk.of.who)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::stills::scene::Scene;
    use usher_config::crowd::Crowd;
    use uuid::Uuid;

    /// Two people who walk side by side; the first asked to be known.
    fn pair() -> Crowd {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("crowd.yaml");
        let look = "looks: [{picture: a.jpg, face: [0, 0, 90, 120], eyes: [[25, 40], [65, 40]]}]";
        let people = format!("- {{who: a, enrolled: {{name: Ada, sport: curling}}, {look}}}\n- {{who: b, {look}}}\n");
        std::fs::write(&path, format!("seed: 3\ntogether: 2\npeople:\n{people}")).unwrap();
        Crowd::read(&path).unwrap()
    }

    fn walks() -> (Walks, VisitorId, Scene) {
        let ada = VisitorId(Uuid::from_u128(1));
        let scene = Scene::of(&pair());
        (Walks::new(Box::new(scene.clone()), BTreeMap::from([(ada, "a".to_owned())])), ada, scene)
    }

    /// A time at which `who` can be seen, and where.
    fn seen(scene: &Scene, who: &str) -> (Duration, Rect, u64) {
        (0..600)
            .map(|i| Duration::from_millis(i * 100))
            .find_map(|pts| {
                let present = scene.people_at(pts).into_iter().find(|present| present.who == who && present.usable)?;
                Some((pts, present.rect, present.walk))
            })
            .unwrap()
    }

    #[test]
    fn the_right_name_at_the_right_place_is_right() {
        let (mut walks, ada, scene) = walks();
        let (pts, rect, walk) = seen(&scene, "a");
        assert_eq!(walks.judge(pts, &rect, ada), Judgement::Right { walk });
        let tally = walks.tally(Duration::ZERO, scene.round() + Duration::from_secs(2));
        assert_eq!((tally.walks_enrolled, tally.named_right, tally.walks_unenrolled), (1, 1, 1));
    }

    #[test]
    fn a_name_on_the_neighbour_is_a_name_for_somebody_who_never_enrolled() {
        let (mut walks, ada, scene) = walks();
        let (pts, rect, walk) = seen(&scene, "b");
        assert_eq!(walks.judge(pts, &rect, ada), Judgement::NotEnrolled { walk });
        assert_eq!(walks.tally(Duration::ZERO, scene.round()).unenrolled_named, 1);
    }

    #[test]
    fn a_name_where_nobody_stands_is_wrong() {
        let (mut walks, ada, _) = walks();
        let nowhere = Rect { x: 5.0, y: 5.0, width: 3.0, height: 3.0 };
        assert_eq!(walks.judge(Duration::from_secs(1), &nowhere, ada), Judgement::Nobody);
        assert_eq!(walks.tally(Duration::ZERO, Duration::from_secs(60)).named_wrong, 1);
    }

    #[test]
    fn a_stranger_in_the_gallery_on_an_enrolled_face_is_wrong() {
        let (mut walks, _, scene) = walks();
        let (pts, rect, walk) = seen(&scene, "a");
        assert_eq!(walks.judge(pts, &rect, VisitorId(Uuid::from_u128(9))), Judgement::Wrong { walk });
    }

    #[test]
    fn a_walk_named_twice_is_not_named_once() {
        let (mut walks, ada, scene) = walks();
        let (pts, rect, _) = seen(&scene, "a");
        walks.judge(pts, &rect, ada);
        walks.judge(pts, &rect, ada);
        let tally = walks.tally(Duration::ZERO, scene.round() + Duration::from_secs(2));
        assert_eq!((tally.named_right, tally.named_again), (0, 1));
    }
}
