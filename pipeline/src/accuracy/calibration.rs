//! Calibration: the threshold that a site's own walks support.
//!
//! A walk is *non-mated* when the person who walks is not in the gallery, or is left out of it for the occasion. Its
//! score is the best that anybody else reached at any moment of the walk. Two bounds must hold, and the stricter counts:
//!
//! - what was **counted**: with 95 % confidence no more than the target's share of people reach the threshold
//!   (Clopper and Pearson 1934). It needs no model, but people: three divided by the target at least (the rule of three);
//! - what the **tail** says ([`Tail`]), people drawn again to know how far it would move with others.

use crate::accuracy::{
    resample::{TIMES, drawn},
    tail::Tail,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the probability of having counted so few must not exceed: one less the confidence.
const DOUBT: f64 = 0.05;
/// Standard deviations to either side that hold 95 % of a normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The best score of one non-mated walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NonMated {
    /// Who walked, from 0: the same number for the same person.
    pub person: usize,
    /// The best score against anybody else.
    pub best: f32,
}

/// Too few people for a target.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "walks of {people} people cannot support a share of {target}: no fewer than {needed} are needed, {} are missing",
    needed - people
)]
pub struct TooFew {
    /// The share of wrong greetings that was asked for.
    pub target: f64,
    /// People who walked.
    pub people: usize,
    /// People who must have walked.
    pub needed: usize,
}

/// A threshold with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Supported {
    /// The target: the share of people not enrolled who may be named.
    pub target: f64,
    /// What a score must reach.
    pub threshold: f32,
    /// What the tail says without any margin; never more than `threshold`.
    pub estimate: f32,
    /// People of whom a walk reached the threshold all the same.
    pub reached: usize,
}

/// A site's non-mated walks.
#[derive(Clone, Debug)]
pub struct Walks {
    /// Score and person, scores falling.
    falling: Vec<(f32, usize)>,
    people: usize,
}

impl Walks {
    /// These walks, in any order.
    pub fn new(walks: &[NonMated]) -> Self {
        let mut falling: Vec<(f32, usize)> = walks.iter().map(|walk| (walk.best, walk.person)).collect();
        falling.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut people: Vec<usize> = walks.iter().map(|walk| walk.person).collect();
        people.sort_unstable();
        people.dedup();
        // Draws count people by their place.
        let place = |person: &usize| people.binary_search(person).unwrap_or_default();
        falling.iter_mut().for_each(|(_, person)| *person = place(person));
        Self { falling, people: people.len() }
    }

    /// People who walked.
    pub fn people(&self) -> usize {
        self.people
    }

    /// The threshold that these walks support for a share of `target` of people not enrolled being named.
    ///
    /// # Errors
    /// [`TooFew`], with how many more people must walk.
    pub fn threshold(&self, target: f64) -> Result<Supported, TooFew> {
        let too_few = TooFew { target, people: self.people, needed: needed(target) };
        let (counted, reached) = self.counted(target).ok_or(too_few)?;
        let estimate = Tail::fit(&self.falling, None).ok_or(too_few)?.score(target);
        let drawn: Vec<f64> =
            self.draws().filter_map(|times| Some(Tail::fit(&self.falling, Some(&times))?.score(target))).collect();
        let tail = (estimate + Z * deviation(&drawn)) as f32;
        let threshold = counted.max(tail);
        let reached = if threshold > counted { self.reaching(threshold) } else { reached };
        Ok(Supported { target, threshold, estimate: (estimate as f32).min(threshold), reached })
    }

    /// The share of walks of people not enrolled that reach `threshold`, with its 95 % interval: normal on a logarithmic
    /// scale, its width that of the middle of the draws (their lower tail is long: the fit then sees an end where
    /// there is none). `None` where there are too few walks, or the threshold lies below the tail.
    pub fn rate(&self, threshold: f32) -> Option<(f64, (f64, f64))> {
        let of = |tail: Tail| Some(tail.exceeded(f64::from(threshold)).max(1e-12).ln());
        let estimate = of(Tail::fit(&self.falling, None)?)?;
        let mut drawn: Vec<f64> =
            self.draws().filter_map(|times| of(Tail::fit(&self.falling, Some(&times))?)).collect();
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn.get((share * drawn.len() as f64) as usize).copied();
        // The middle 68.27 % of a normal distribution are two standard deviations.
        let (low, middle, high) = (at(0.158_65)?, at(0.5)?, at(0.841_35)?);
        let (deviation, bias) = ((high - low) / 2.0, middle - estimate);
        let centre = estimate - bias;
        Some((estimate.exp(), ((centre - Z * deviation).exp(), (centre + Z * deviation).exp().min(1.0))))
    }

    /// The least threshold that so few people reach that, were more than `target` of all to reach it, so few would be
    /// seen with a probability of [`DOUBT`] at most; and how many reach it.
    fn counted(&self, target: f64) -> Option<(f32, usize)> {
        let most = most_reached(self.people, target)?;
        let mut seen = vec![false; self.people];
        let mut reached = 0;
        for (score, person) in &self.falling {
            if !std::mem::replace(&mut seen[*person], true) {
                reached += 1;
                if reached > most {
                    return Some((score.next_up(), most));
                }
            }
        }
        None
    }

    fn reaching(&self, threshold: f32) -> usize {
        let mut people: Vec<usize> =
            self.falling.iter().take_while(|(score, _)| *score >= threshold).map(|(_, person)| *person).collect();
        people.sort_unstable();
        people.dedup();
        people.len()
    }

    fn draws(&self) -> impl Iterator<Item = Vec<u32>> {
        let (people, mut random) = (self.people, ChaCha8Rng::seed_from_u64(1));
        (0..TIMES).map(move |_| drawn(people, &mut random))
    }
}

/// How many people must have walked for a target: with nobody of them named, 95 % confidence.
pub fn needed(target: f64) -> usize {
    (DOUBT.ln() / (-target).ln_1p()).ceil() as usize
}

/// The most of `people` who may reach a threshold that at most `target` of all reach, with 95 % confidence; `None` where
/// not even nobody is few enough.
fn most_reached(people: usize, target: f64) -> Option<usize> {
    let n = people as f64;
    let odds = target / (1.0 - target);
    let mut term = (n * (-target).ln_1p()).exp();
    let mut sum = term;
    let mut most = None;
    for reached in 0..people {
        if sum > DOUBT {
            break;
        }
        most = Some(reached);
        term *= (n - reached as f64) / (reached as f64 + 1.0) * odds;
        sum += term;
    }
    most
}

fn deviation(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_people_as_the_rule_of_three_says() {
        assert_eq!((needed(0.01), needed(0.001)), (299, 2995));
        assert_eq!(most_reached(298, 0.01), None);
        assert_eq!(most_reached(299, 0.01), Some(0));
        // Clopper and Pearson: 1 of 473 is at most 1 %, 5 of 1,049 too.
        assert_eq!((most_reached(472, 0.01), most_reached(473, 0.01)), (Some(0), Some(1)));
        assert_eq!((most_reached(1048, 0.01), most_reached(1049, 0.01)), (Some(4), Some(5)));
    }

    fn walks(people: usize) -> Walks {
        let walk = |person: usize| NonMated { person, best: 0.2 + 0.2 * (person as f32 / people as f32).powi(3) };
        Walks::new(&(0..people).map(walk).collect::<Vec<_>>())
    }

    #[test]
    fn what_the_walks_do_not_support_is_refused_with_what_is_missing() {
        let error = walks(180).threshold(0.01).unwrap_err();
        assert_eq!(
            error.to_string(),
            "walks of 180 people cannot support a share of 0.01: no fewer than 299 are needed, 119 are missing"
        );
        assert!(walks(299).threshold(0.01).is_ok());
    }

    #[test]
    fn a_stricter_target_never_has_a_lower_threshold() {
        let walks = walks(4000);
        let thresholds = [0.1, 0.03, 0.01, 0.003, 0.001].map(|target| walks.threshold(target).unwrap().threshold);
        assert!(thresholds.windows(2).all(|pair| pair[1] >= pair[0]), "{thresholds:?}");
    }

    #[test]
    fn walks_of_one_person_count_as_one() {
        let many: Vec<_> = (0..400).map(|i| NonMated { person: i % 40, best: i as f32 / 1000.0 }).collect();
        let walks = Walks::new(&many);
        assert_eq!(walks.people(), 40);
        assert!(walks.threshold(0.01).is_err());
    }
}
