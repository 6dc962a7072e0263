//! Walks as trials: at which threshold is somebody named, and who?
//!
//! Looks are taken once, without a gallery to end them; then each walk is judged again against the gallery, as far as it is
//! to be known for the occasion. A *mated* trial is a walk of somebody who is in it, a *non-mated* one a walk of somebody who is
//! not, or was taken out of it (ISO/IEC 19795-1). All ways of judging see the same looks.

use crate::{
    accuracy::resample,
    clock::Moment,
    gallery::{search::Gallery, visitor::VisitorId},
    identify::{
        evidence::{Looks, judge},
        threshold::Law,
    },
};
use usher_config::identify::Rules;
use usher_models::template::{Mismatch, Template};

/// One look at somebody who walks.
pub struct Look {
    /// When.
    pub at: Moment,
    /// [`usher_models::quality::Quality::weight`].
    pub weight: f32,
    /// What it looks like.
    pub template: Template,
}

/// How looks become a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Each look by itself is a trial; a walk counts their mean.
    SingleFrame,
    /// All looks of a track together, each of one weight.
    PooledEvenly,
    /// The same, by quality.
    PooledByQuality,
    /// As a gate decides: by quality, judged again at every look, with all its rules.
    Gate,
}

impl Way {
    /// All of them, the plainest first.
    pub const ALL: [Self; 4] = [Self::SingleFrame, Self::PooledEvenly, Self::PooledByQuality, Self::Gate];
}

/// Somebody would be named, at thresholds up to this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Who.
    pub visitor: VisitorId,
    /// The highest threshold.
    pub reach: f32,
}

/// What a walk's `tracks` claim, each in the order of time: one list for each attempt at a name.
///
/// # Errors
/// [`Mismatch`] when looks and gallery are of two models.
pub fn attempts(
    tracks: &[Vec<Look>],
    gallery: &Gallery,
    (rules, law): (&Rules, &Law),
    way: Way,
) -> Result<Vec<Vec<Claim>>, Mismatch> {
    let best = |template: &Template| -> Result<Vec<Claim>, Mismatch> {
        let best = gallery.search(template, 1)?;
        Ok(best.into_iter().map(|one| Claim { visitor: one.visitor, reach: one.score.0 }).collect())
    };
    if way == Way::SingleFrame {
        return tracks.iter().flatten().map(|look| best(&look.template)).collect();
    }
    let mut claims = Vec::new();
    for track in tracks {
        let (mut looks, mut led) = (Looks::default(), None);
        for look in track {
            let weight = if way == Way::PooledEvenly { 1.0 } else { look.weight };
            if !looks.add(look.at, weight, look.template.clone(), rules.apart) || way != Way::Gate {
                continue;
            }
            let judged = judge(&looks, led, gallery, law, rules)?;
            led = judged.leader.map(|leader| leader.visitor);
            let reached = judged.leader.zip(judged.reach);
            claims.extend(reached.map(|(leader, reach)| Claim { visitor: leader.visitor, reach: reach.0 }));
        }
        if let (true, Some(pooled)) = (way != Way::Gate, looks.pooled()) {
            claims.extend(best(&pooled)?);
        }
    }
    Ok(vec![claims])
}

/// The highest threshold that a walk's looks reach with anybody of `gallery`, whoever else is near: what a law is made of. A gate
/// names no more often than that. −1 where no track is looked at often and long enough.
///
/// # Errors
/// [`Mismatch`] when looks and gallery are of two models.
pub fn highest(tracks: &[Vec<Look>], gallery: &Gallery, rules: &Rules, law: &Law) -> Result<f32, Mismatch> {
    let mut highest = -1.0;
    for track in tracks {
        let mut looks = Looks::default();
        for look in track {
            if looks.add(look.at, look.weight, look.template.clone(), rules.apart) {
                let borne = judge(&looks, None, gallery, law, rules)?.borne;
                highest = borne.map_or(highest, |borne| borne.0.max(highest));
            }
        }
    }
    Ok(highest)
}

/// What a mated walk claims, of each attempt: who was it truly, and the highest threshold.
type Claimed = Vec<Vec<(bool, f32)>>;

/// All trials of one way of judging. People are counted from 0; each has one mated walk or none, and one non-mated.
#[derive(Clone, Debug, Default)]
pub struct Trials {
    /// With the person who walked.
    mated: Vec<(usize, Claimed)>,
    /// Highest threshold at which anybody is named, falling, with the person who walked and the share of their walk.
    non_mated: Vec<(f32, usize, f64)>,
    people: usize,
}

/// One way of judging at one threshold.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Missed {
    /// What a score must reach.
    pub threshold: f32,
    /// Mated walks not named, or named otherwise (FNIR).
    pub fnir: f64,
    /// Of those: given another's name.
    pub misidentified: f64,
}

impl Trials {
    /// Takes a mated walk in: `visitor` is who walked.
    pub fn mated(&mut self, person: usize, visitor: VisitorId, attempts: &[Vec<Claim>]) {
        let of = |claims: &Vec<Claim>| claims.iter().map(|claim| (claim.visitor == visitor, claim.reach)).collect();
        self.mated.push((person, attempts.iter().map(of).collect()));
        self.people = self.people.max(person + 1);
    }

    /// Takes a non-mated walk in.
    pub fn non_mated(&mut self, person: usize, attempts: &[Vec<Claim>]) {
        let share = 1.0 / attempts.len().max(1) as f64;
        let highest = |claims: &Vec<Claim>| claims.iter().map(|claim| claim.reach).fold(f32::NEG_INFINITY, f32::max);
        // A walk of which no look was taken names nobody, and counts.
        let never = attempts.is_empty().then_some(f32::NEG_INFINITY);
        for reach in attempts.iter().map(highest).chain(never) {
            let place = self.non_mated.partition_point(|(other, ..)| *other >= reach);
            self.non_mated.insert(place, (reach, person, share));
        }
        self.people = self.people.max(person + 1);
    }

    /// What is missed at the threshold that a share of `fpir` of the non-mated walks reach. `None` where there are too few of
    /// those to tell (less than one may be named), or no mated walk.
    pub fn missed(&self, fpir: f64) -> Option<Missed> {
        self.missed_by(&vec![1; self.people], fpir)
    }

    /// How many times as much `self` misses as `other` at `fpir`, and the 95 % interval: people, and with them their walks of both,
    /// were drawn again. A drawing in which `other` misses nobody counts as half a walk missed.
    pub fn times_as_much(&self, other: &Self, fpir: f64) -> Option<(f64, Option<(f64, f64)>)> {
        let ratio = |times: &[u32]| {
            let walks: f64 = self.mated.iter().map(|(person, _)| f64::from(times[*person])).sum();
            let (mine, others) = (self.missed_by(times, fpir)?, other.missed_by(times, fpir)?);
            Some(mine.fnir / others.fnir.max(0.5 / walks))
        };
        let people = self.people.max(other.people);
        Some((ratio(&vec![1; people])?, resample::interval(people, 2, ratio)))
    }

    /// The 95 % interval of the FNIR at `fpir`.
    pub fn interval(&self, fpir: f64) -> Option<(f64, f64)> {
        resample::interval(self.people, 1, |times| Some(self.missed_by(times, fpir)?.fnir))
    }

    /// FNIR against FPIR, for a plot.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let whole: f64 = self.non_mated.iter().map(|(.., share)| share).sum();
        let steps = (0..40).map(|step| 10f64.powf(-f64::from(step) / 12.0)).filter(|fpir| fpir * whole >= 1.0);
        steps.filter_map(|fpir| Some((fpir, self.missed(fpir)?.fnir))).collect()
    }

    fn missed_by(&self, times: &[u32], fpir: f64) -> Option<Missed> {
        let threshold = self.threshold(times, fpir)?;
        let (mut missed, mut wrong, mut all) = (0.0, 0.0, 0.0);
        for (person, attempts) in &self.mated {
            let times = f64::from(times[*person]);
            all += times;
            // Who is named first stays named. A walk of which no look was taken is missed.
            let named = |claims: &&Vec<(bool, f32)>| claims.iter().find(|(_, reach)| *reach >= threshold).copied();
            let share = times / attempts.len().max(1) as f64;
            let first: Vec<_> = attempts.iter().map(|claims| named(&claims)).collect();
            missed += share * first.iter().filter(|first| !matches!(first, Some((true, _)))).count() as f64;
            wrong += share * first.iter().filter(|first| matches!(first, Some((false, _)))).count() as f64;
            missed += if attempts.is_empty() { times } else { 0.0 };
        }
        (all > 0.0).then(|| Missed { threshold, fnir: missed / all, misidentified: wrong / all })
    }

    /// The least threshold that no more than a share of `fpir` of the non-mated walks reach.
    fn threshold(&self, times: &[u32], fpir: f64) -> Option<f32> {
        let of = |person: usize, share: f64| f64::from(times[person]) * share;
        let allowed = fpir * self.non_mated.iter().map(|(_, person, share)| of(*person, *share)).sum::<f64>();
        let mut sum = 0.0;
        for (reach, person, share) in &self.non_mated {
            sum += of(*person, *share);
            if sum > allowed {
                return (allowed >= 1.0).then(|| reach.next_up());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::{search::Enrolled, visitor::Visitor};
    use std::time::{Duration, SystemTime};
    use usher_models::template::ModelId;
    use uuid::Uuid;

    fn model() -> ModelId {
        ModelId("sface-2021dec".into())
    }

    fn id(n: u128) -> VisitorId {
        VisitorId(Uuid::from_u128(n))
    }

    /// Two people at a right angle to each other.
    fn gallery() -> Gallery {
        let person = |n: u128, vector: Vec<f32>| Enrolled {
            visitor: Visitor::named(id(n), "n", "s", SystemTime::UNIX_EPOCH + Duration::from_secs(1)),
            enrolled: SystemTime::UNIX_EPOCH,
            templates: vec![Template::new(model(), vector).unwrap()],
        };
        Gallery::new(
            model(),
            vec![person(1, vec![1.0, 0.0, 0.0]), person(2, vec![0.0, 1.0, 0.0])],
            SystemTime::UNIX_EPOCH,
        )
    }

    fn looks(like: &[[f32; 3]]) -> Vec<Vec<Look>> {
        let at = |i: usize| Moment { steady: Duration::from_millis(200 * i as u64), wall: SystemTime::UNIX_EPOCH };
        let look = |(i, v): (usize, &[f32; 3])| Look {
            at: at(i),
            weight: 0.5,
            template: Template::new(model(), v.to_vec()).unwrap(),
        };
        vec![like.iter().enumerate().map(look).collect()]
    }

    fn rules() -> Rules {
        let (apart, over) = (Duration::from_millis(80), Duration::from_millis(250));
        Rules { wrong_greetings: 0.001, looks: 3, apart, over, margin: 0.06, household_margin: 0.15 }
    }

    fn claims(like: &[[f32; 3]], way: Way) -> Vec<Vec<Claim>> {
        attempts(&looks(like), &gallery(), (&rules(), &Law::of(&model()).unwrap()), way).unwrap()
    }

    #[test]
    fn ways_of_judging_try_as_often_as_they_say() {
        let like = [[0.8, 0.0, 0.6], [0.8, 0.0, 0.6], [0.6, 0.0, 0.8], [0.8, 0.0, 0.6]];
        assert_eq!(claims(&like, Way::SingleFrame).len(), 4);
        for way in [Way::PooledEvenly, Way::PooledByQuality, Way::Gate] {
            assert_eq!(claims(&like, way).len(), 1, "{way:?}");
        }
        // The third look could be the first to name, but its leader must have led before: it has.
        let gate = &claims(&like, Way::Gate)[0];
        assert_eq!(gate.len(), 2);
        assert!(gate.iter().all(|claim| claim.visitor == id(1) && claim.reach <= 0.8));
    }

    #[test]
    fn a_gate_claims_no_more_than_its_looks_bear_out() {
        // The pool of looks at two people is like either of them, the looks are not.
        let gate = &claims(&[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.8, 0.6], [1.0, 0.0, 0.0]], Way::Gate)[0];
        assert!(gate.iter().all(|claim| claim.reach <= 0.22 + 1e-6), "{gate:?}");
    }

    #[test]
    fn a_law_is_made_of_what_looks_reach_whoever_else_is_near() {
        let between = [[0.6, 0.58, 0.55]; 4];
        assert!(claims(&between, Way::Gate)[0].is_empty(), "two people are too near each other to name one");
        let law = Law::of(&model()).unwrap();
        let reached = highest(&looks(&between), &gallery(), &rules(), &law).unwrap();
        assert!((reached - 0.6).abs() < 0.01, "{reached}");
        assert_eq!(highest(&looks(&between[..2]), &gallery(), &rules(), &law).unwrap(), -1.0);
    }

    #[test]
    fn fnir_is_taken_where_so_many_strangers_are_named() {
        let claim = |n: u128, reach: f32| vec![Claim { visitor: id(n), reach }];
        let mut trials = Trials::default();
        for person in 0..100 {
            trials.non_mated(person, &[claim(9, person as f32 / 200.0)]);
        }
        // Right; right but below; another first; never looked at; one attempt of two right.
        trials.mated(0, id(1), &[claim(1, 0.6)]);
        trials.mated(1, id(1), &[claim(1, 0.3)]);
        trials.mated(2, id(1), &[[claim(2, 0.6), claim(1, 0.9)].concat()]);
        trials.mated(3, id(1), &[]);
        trials.mated(4, id(1), &[claim(1, 0.6), claim(1, 0.1)]);
        let missed = trials.missed(0.02).unwrap();
        assert!((0.485..0.4901).contains(&missed.threshold), "{missed:?}");
        assert!((missed.fnir - 3.5 / 5.0).abs() < 1e-9 && (missed.misidentified - 0.2).abs() < 1e-9, "{missed:?}");
        assert_eq!(trials.missed(0.009), None, "less than one walk");
        assert!(trials.curve().windows(2).all(|pair| pair[0].1 <= pair[1].1));
        let (once, interval) = trials.times_as_much(&trials, 0.02).unwrap();
        assert!((once - 1.0).abs() < 1e-9 && interval == Some((1.0, 1.0)), "{interval:?}");
    }
}
