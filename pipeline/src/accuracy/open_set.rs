//! Open-set identification: who of many does a picture show, if any of them?
//!
//! Terms of ISO/IEC 19795-1. FPIR: the share of probes of people who are *not* enrolled that reach the threshold against
//! anybody. FNIR: the share of probes of enrolled people for whom the right person is not first, or does not reach it.
//! Each person counts once however many probes there are of them.

use crate::accuracy::{resample, verification::Share};

/// A probe of somebody enrolled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mated {
    /// Who, from 0.
    pub person: usize,
    /// The score of the right person.
    pub right: f32,
    /// The best score of anybody else.
    pub wrong: f32,
}

impl Mated {
    fn is_found(&self, threshold: f32) -> bool {
        self.right >= threshold && self.right > self.wrong
    }
}

/// All probes of a run; each person who is not enrolled has one.
#[derive(Clone, Debug, Default)]
pub struct Searches {
    /// Of enrolled people.
    pub mated: Vec<Mated>,
    /// Best scores of the others.
    pub non_mated: Vec<f32>,
}

/// One operating point.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// What was asked for.
    pub fpir: f64,
    /// What the score must reach for that.
    pub threshold: f32,
    /// The share of enrolled people who are missed.
    pub fnir: Share,
    /// Of those: another person stood first, above the threshold.
    pub misidentified: f64,
}

impl Searches {
    /// The operating point at `fpir`. `None` where there are too few strangers to tell (less than one may be named), or
    /// nobody is enrolled.
    pub fn point(&self, fpir: f64) -> Option<Point> {
        let (people, strangers) = (self.people(), self.non_mated.len());
        let falling = self.falling();
        let once = vec![1; people + strangers];
        let threshold = threshold(&falling, &once[people..], fpir)?;
        let share = self.missed(&once[..people], |probe| !probe.is_found(threshold))?;
        // Strangers make the threshold, enrolled people the misses: both are drawn again.
        let interval = resample::interval(people + strangers, 1, |times| {
            let threshold = self::threshold(&falling, &times[people..], fpir)?;
            self.missed(&times[..people], |probe| !probe.is_found(threshold))
        });
        let misidentified = self.missed(&once[..people], |probe| probe.wrong >= threshold.max(probe.right))?;
        Some(Point { fpir, threshold, fnir: Share { share, interval }, misidentified })
    }

    /// FNIR against FPIR, for a plot: one point for each number of strangers who would be named.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let strangers = self.non_mated.len();
        let once = vec![1; self.people()];
        let falling = self.falling();
        let of = |(named, (score, _)): (usize, &(f32, usize))| {
            let fnir = self.missed(&once, |probe| !probe.is_found(score.next_up()))?;
            Some((named as f64 / strangers as f64, fnir))
        };
        falling.iter().enumerate().filter_map(of).collect()
    }

    /// People who are enrolled.
    pub fn people(&self) -> usize {
        self.mated.iter().map(|probe| probe.person + 1).max().unwrap_or(0)
    }

    /// Scores of strangers with whose they are, falling.
    fn falling(&self) -> Vec<(f32, usize)> {
        let mut falling: Vec<(f32, usize)> = self.non_mated.iter().enumerate().map(|(who, s)| (*s, who)).collect();
        falling.sort_by(|a, b| b.0.total_cmp(&a.0));
        falling
    }

    /// The share of probes that fail, each person of one weight however many probes they have.
    fn missed(&self, times: &[u32], fails: impl Fn(&Mated) -> bool) -> Option<f64> {
        let mut of = vec![(0u32, 0u32); times.len()];
        for probe in &self.mated {
            let (failed, all) = &mut of[probe.person];
            *all += 1;
            *failed += u32::from(fails(probe));
        }
        let tried = of.iter().zip(times).filter(|((_, all), _)| *all > 0);
        let (mut sum, mut weight) = (0.0, 0.0);
        for ((failed, all), times) in tried {
            sum += f64::from(*times) * f64::from(*failed) / f64::from(*all);
            weight += f64::from(*times);
        }
        (weight > 0.0).then(|| sum / weight)
    }
}

/// The least score that no more than a share of `fpir` of the strangers, drawn so many times, reach.
fn threshold(falling: &[(f32, usize)], times: &[u32], fpir: f64) -> Option<f32> {
    let allowed = fpir * times.iter().map(|times| f64::from(*times)).sum::<f64>();
    let mut sum = 0.0;
    for (score, who) in falling {
        sum += f64::from(times[*who]);
        if sum > allowed {
            return (allowed >= 1.0).then(|| score.next_up());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searches() -> Searches {
        let probe = |person: usize, right: f32, wrong: f32| Mated { person, right, wrong };
        Searches {
            // Person 0: one probe of two missed. 1: found. 2: somebody else is first, above the threshold. 3: below it.
            mated: vec![
                probe(0, 0.8, 0.1),
                probe(0, 0.2, 0.1),
                probe(1, 0.9, 0.3),
                probe(2, 0.6, 0.7),
                probe(3, 0.3, 0.2),
            ],
            non_mated: (0..200).map(|i| i as f32 / 400.0).collect(),
        }
    }

    #[test]
    fn each_person_counts_once() {
        let at = searches().point(0.01).unwrap();
        // Two of 200 may be named: those of .4975 and .495.
        assert!((0.4925..0.495).contains(&at.threshold), "{}", at.threshold);
        assert!((at.fnir.share - 2.5 / 4.0).abs() < 1e-9, "{}", at.fnir.share);
        assert!((at.misidentified - 0.25).abs() < 1e-9);
        let (low, high) = at.fnir.interval.unwrap();
        assert!(low < at.fnir.share && at.fnir.share < high);
    }

    #[test]
    fn less_than_one_stranger_cannot_be_measured() {
        assert_eq!(searches().point(0.004), None);
        assert_eq!(Searches::default().point(0.01), None);
    }

    #[test]
    fn the_curve_falls() {
        let curve = searches().curve();
        assert_eq!(curve.len(), 200);
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 >= pair[1].1));
    }
}
