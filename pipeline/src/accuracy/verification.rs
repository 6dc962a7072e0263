//! Verification: do two pictures show one person?
//!
//! Terms of ISO/IEC 19795-1: FMR is the share of comparisons of two different people that score at or above a threshold,
//! TAR the share of comparisons of one person that do. The threshold for an FMR is read from *every* comparison of two
//! different people in a collection, since the listed ones are too few for small rates; accuracy is that of the listed
//! pairs, each judged by a threshold that the other nine folds chose.

use crate::accuracy::{rates::Rate, resample};

/// Folds of the accuracy.
const FOLDS: usize = 10;

/// The largest FMR that can be asked for: only so many of the highest scores of different people are kept.
pub const MOST_FMR: f64 = 0.02;

/// A comparison of two pictures of known people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Who the first picture shows.
    pub one: usize,
    /// Who the second one shows.
    pub other: usize,
    /// The comparison score.
    pub score: f32,
}

/// The highest scores of different people, and how many comparisons they are of.
#[derive(Clone, Debug, Default)]
pub struct Impostors {
    /// Falling; a little more than [`MOST_FMR`] of all.
    tail: Vec<Comparison>,
    /// Pictures of each person.
    pictures: Vec<u32>,
}

impl Impostors {
    /// Of every comparison of two different people: `pictures` says how many pictures each person has.
    pub fn new(all: impl Iterator<Item = Comparison>, pictures: Vec<u32>) -> Self {
        let keep = (comparisons(&pictures, None) * 2.0 * MOST_FMR).ceil() as usize + 1;
        let mut tail: Vec<Comparison> = Vec::with_capacity(2 * keep);
        let falling = |a: &Comparison, b: &Comparison| b.score.total_cmp(&a.score);
        for comparison in all {
            tail.push(comparison);
            if tail.len() == 2 * keep {
                tail.select_nth_unstable_by(keep, falling);
                tail.truncate(keep);
            }
        }
        tail.sort_by(falling);
        tail.truncate(keep);
        Self { tail, pictures }
    }

    /// Comparisons of two different people.
    pub fn comparisons(&self) -> u64 {
        comparisons(&self.pictures, None) as u64
    }

    /// The least score that no more than a share of `fmr` (at most [`MOST_FMR`]) of them reach. `times`: how often each person was
    /// drawn. `None` where not even one of them is that share.
    pub fn threshold(&self, fmr: f64, times: Option<&[u32]>) -> Option<f32> {
        let allowed = fmr * comparisons(&self.pictures, times);
        let mut sum = 0.0;
        for comparison in &self.tail {
            let weight = |who: usize| times.map_or(1.0, |times| f64::from(times[who]));
            sum += weight(comparison.one) * weight(comparison.other);
            if sum > allowed {
                // Just above the first score that is one too many.
                return (allowed >= 1.0).then(|| comparison.score.next_up());
            }
        }
        None
    }

    /// Rates with their thresholds, for a plot: forty a decade.
    pub fn curve(&self) -> impl Iterator<Item = (f64, f32)> + '_ {
        let rates = (0..400).map(|step| MOST_FMR * 10f64.powf(-f64::from(step) / 40.0));
        rates.map_while(|rate| Some((rate, self.threshold(rate, None)?)))
    }
}

/// How many comparisons of two different people there are, people counted as often as they were drawn.
fn comparisons(pictures: &[u32], times: Option<&[u32]>) -> f64 {
    let counts = pictures.iter().enumerate().map(|(who, n)| {
        let times = times.map_or(1, |times| times[who]);
        f64::from(*n) * f64::from(times)
    });
    let (sum, squares) = counts.fold((0.0, 0.0), |(sum, squares), n| (sum + n, squares + n * n));
    (sum * sum - squares) / 2.0
}

/// The share of `scores` that reaches `threshold`; of none, none.
pub fn accepted(scores: &[f32], threshold: f32) -> f64 {
    scores.iter().filter(|score| **score >= threshold).count() as f64 / scores.len().max(1) as f64
}

/// The share of `genuine` that reaches `threshold`, people counted as often as they were drawn.
fn tar(genuine: &[Comparison], threshold: f32, times: Option<&[u32]>) -> Option<f64> {
    let weight = |c: &Comparison| times.map_or(1.0, |times| f64::from(times[c.one]));
    let all: f64 = genuine.iter().map(weight).sum();
    let reached: f64 = genuine.iter().filter(|c| c.score >= threshold).map(weight).sum();
    (all > 0.0).then(|| reached / all)
}

/// A share with its interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Share {
    /// 0..=1.
    pub share: f64,
    /// Its 95 % interval; `None` where it cannot be said.
    pub interval: Option<(f64, f64)>,
}

/// One operating point.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// Asked for.
    pub fmr: f64,
    /// The score that it takes.
    pub threshold: f32,
    /// 95 % of draws of people have their threshold here.
    pub threshold_interval: Option<(f64, f64)>,
    /// The share of comparisons of one person that reach it.
    pub tar: Share,
}

/// The operating point at `fmr`; `None` where the collection is too small for it.
pub fn point(genuine: &[Comparison], impostors: &Impostors, fmr: f64) -> Option<Point> {
    let threshold = impostors.threshold(fmr, None)?;
    let share = tar(genuine, threshold, None)?;
    let people = impostors.pictures.len();
    // Threshold and genuine scores of the same draw: both are uncertain, and by the same people.
    let of = |times: &[u32]| tar(genuine, impostors.threshold(fmr, Some(times))?, Some(times));
    let interval = resample::interval(people, 1, of);
    let threshold_of = |times: &[u32]| impostors.threshold(fmr, Some(times)).map(f64::from);
    let threshold_interval = resample::interval(people, 1, threshold_of);
    Some(Point { fmr, threshold, threshold_interval, tar: Share { share, interval } })
}

/// Errors of the listed pairs, judged by cross-validated thresholds: `genuine` rejected or `different` accepted.
pub fn errors(genuine: &[f32], different: &[f32]) -> Rate {
    let mut rate = Rate::default();
    for fold in 0..FOLDS {
        let trained = |scores: &[f32]| -> Vec<f32> {
            let mut scores: Vec<f32> =
                scores.iter().enumerate().filter(|(at, _)| at % FOLDS != fold).map(|(_, score)| *score).collect();
            scores.sort_by(f32::total_cmp);
            scores
        };
        let threshold = best_threshold(&trained(genuine), &trained(different));
        let tested = |scores: &[f32]| scores.iter().copied().skip(fold).step_by(FOLDS).collect::<Vec<_>>();
        tested(genuine).into_iter().for_each(|score| rate.count(score < threshold));
        tested(different).into_iter().for_each(|score| rate.count(score >= threshold));
    }
    rate
}

/// The threshold of fewest errors, in the middle between the two scores around it. Both rising.
fn best_threshold(genuine: &[f32], different: &[f32]) -> f32 {
    let mut scores: Vec<f32> = genuine.iter().chain(different).copied().collect();
    scores.sort_by(f32::total_cmp);
    let errors = |threshold: f32| {
        let rejected = genuine.partition_point(|score| *score < threshold);
        rejected + different.len() - different.partition_point(|score| *score < threshold)
    };
    let middles = scores.windows(2).map(|pair| f32::midpoint(pair[0], pair[1]));
    middles.min_by_key(|threshold| errors(*threshold)).unwrap_or(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn comparison(one: usize, other: usize, score: f32) -> Comparison {
        Comparison { one, other, score }
    }

    /// 60 people with two pictures each; all 59 · 60 · 2 comparisons of two people score their rank.
    fn crowd() -> Impostors {
        let pairs = (0..60).flat_map(|a| (a + 1..60).map(move |b| (a, b))).flat_map(|pair| [pair; 4]);
        let all: Vec<_> = pairs.enumerate().map(|(i, (a, b))| comparison(a, b, i as f32 / 10_000.0)).collect();
        Impostors::new(all.into_iter(), vec![2; 60])
    }

    #[test]
    fn the_threshold_lets_no_more_through_than_was_asked_for() {
        let crowd = crowd();
        assert_eq!(crowd.comparisons(), 7080);
        for (fmr, most) in [(0.01, 70.8), (0.001, 7.08), (1.0 / 7080.0, 1.0)] {
            let threshold = crowd.threshold(fmr, None).unwrap();
            let through = crowd.tail.iter().filter(|comparison| comparison.score >= threshold).count() as f64;
            assert!(through <= most && through > most - 1.001, "{fmr}: {through}");
        }
        assert_eq!(crowd.threshold(1e-4, None), None, "less than one comparison cannot be measured");
    }

    #[test]
    fn accuracy_counts_both_kinds_of_errors() {
        let genuine: Vec<f32> = (0..100).map(|i| if i == 7 { 0.1 } else { 0.8 }).collect();
        let different: Vec<f32> = (0..100).map(|i| if i < 2 { 0.9 } else { 0.2 }).collect();
        assert_eq!(errors(&genuine, &different), Rate { errors: 3, trials: 200 });
    }

    #[test]
    fn tar_has_an_interval_that_holds_it() {
        let genuine: Vec<_> = (0..60).map(|i| comparison(i, i, if i % 6 == 0 { 0.1 } else { 0.9 })).collect();
        let at = point(&genuine, &crowd(), 0.001).unwrap();
        assert!((at.tar.share - 50.0 / 60.0).abs() < 1e-9);
        let (low, high) = at.tar.interval.unwrap();
        assert!(low < at.tar.share && at.tar.share < high && high - low < 0.3, "{low} {high}");
    }

    proptest! {
        #[test]
        fn a_smaller_rate_never_has_a_lower_threshold(rate in 0.0002..0.01f64, less in 1.0..10.0f64) {
            let crowd = crowd();
            let (Some(t), Some(stricter)) = (crowd.threshold(rate, None), crowd.threshold(rate / less, None)) else {
                return Ok(());
            };
            prop_assert!(stricter >= t);
        }
    }
}
