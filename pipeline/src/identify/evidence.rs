//! Evidence: what the looks at one track say together.
//!
//! Several looks are pooled into one direction, each with the weight of its quality. A person is named only when the
//! pool *and* the looks it was made of say so: a pool can reach a threshold that one lucky look carried alone. Looks
//! that do not fit count like the others; leaving them out would polish the evidence.

use crate::{
    clock::Moment,
    gallery::{
        search::{Candidate, Gallery},
        visitor::VisitorId,
    },
    identify::{
        identification::{Evidence, Verdict},
        threshold::Law,
    },
};
use std::time::Duration;
use usher_config::identify::Rules;
use usher_models::template::{Mismatch, Score, Template};

/// Most looks kept of a track; of more, the best by weight. Pooling gains little beyond (square root of their number).
pub const MOST: usize = 8;

/// How far the median look may stay below the threshold: single looks score lower than their pool.
pub const MEDIAN_SLACK: f32 = 0.06;

/// How far any look of real weight may stay below it. Further off, it shows somebody else: the track has jumped from one
/// person to another.
pub const LOOK_SLACK: f32 = 0.22;

/// A look has real weight when it has this share of the heaviest one's.
const REAL_WEIGHT: f32 = 0.5;

/// The least weight of a look: none is left out altogether.
const LEAST_WEIGHT: f32 = 1e-3;

/// The looks at one track that count.
#[derive(Debug, Default)]
pub struct Looks {
    kept: Vec<Kept>,
    counted: u32,
    span: Option<(Moment, Moment)>,
}

#[derive(Debug)]
struct Kept {
    /// Which of the looks that counted, from 1.
    number: u32,
    weight: f32,
    template: Template,
}

/// What the looks of a pool score one by one with one visitor.
#[derive(Clone, Debug, PartialEq)]
pub struct Singles {
    /// Each: which of the looks that counted (from 1), its weight, its score.
    pub each: Vec<(u32, f32, Score)>,
    /// The median look's score; of two middle ones the lower.
    pub median: Score,
    /// The lowest score of a look of real weight.
    pub least: Score,
}

impl Looks {
    /// Takes a look of `weight` (0..=1, [`usher_models::quality::Quality::weight`]) in, unless it came less than `apart`
    /// after the last that counted: two pictures of one blink are one look. Whether it counted.
    pub fn add(&mut self, at: Moment, weight: f32, template: Template, apart: Duration) -> bool {
        let first = match self.span {
            Some((_, last)) if at.steady < last.steady || at.since(last) < apart => return false,
            Some((first, _)) => first,
            None => at,
        };
        self.span = Some((first, at));
        self.counted += 1;
        // NaN becomes the least weight here.
        self.kept.push(Kept { number: self.counted, weight: weight.max(LEAST_WEIGHT), template });
        if self.kept.len() > MOST {
            let lightest = (0..self.kept.len()).min_by(|a, b| self.kept[*a].weight.total_cmp(&self.kept[*b].weight));
            self.kept.remove(lightest.expect("there are more than MOST"));
        }
        true
    }

    /// Looks that counted.
    pub fn counted(&self) -> u32 {
        self.counted
    }

    /// Whether look `number` (of those that counted, from 1) is in the pool.
    pub fn keeps(&self, number: u32) -> bool {
        self.kept.iter().any(|kept| kept.number == number)
    }

    /// From the first to the last look that counted.
    pub fn over(&self) -> Duration {
        self.span.map_or(Duration::ZERO, |(first, last)| last.since(first))
    }

    /// The direction of the weighted mean of the looks kept; `None` where there is none, or where they cancel out.
    pub fn pooled(&self) -> Option<Template> {
        let first = &self.kept.first()?.template;
        let mut sum = vec![0.0; first.vector().len()];
        for Kept { weight, template, .. } in &self.kept {
            sum.iter_mut().zip(template.vector()).for_each(|(sum, v)| *sum += weight * v);
        }
        Template::new(first.model().clone(), sum).ok()
    }

    /// Forgets the templates once they have served.
    pub fn wipe(&mut self) {
        self.kept.clear();
    }

    /// What the looks of the pool score one by one with `visitor`; `None` without looks or without that visitor.
    fn singles(&self, visitor: VisitorId, gallery: &Gallery) -> Option<Singles> {
        let heaviest = self.kept.iter().map(|kept| kept.weight).fold(0.0, f32::max);
        let of = |kept: &Kept| gallery.compare(visitor, &kept.template).map(|score| (kept.number, kept.weight, score));
        let each: Vec<(u32, f32, Score)> = self.kept.iter().map(of).collect::<Option<_>>()?;
        let real = each.iter().filter(|(_, weight, _)| *weight >= REAL_WEIGHT * heaviest);
        let least = Score(real.map(|(_, _, score)| score.0).fold(f32::INFINITY, f32::min));
        let mut scores = [f32::INFINITY; MOST];
        scores.iter_mut().zip(&each).for_each(|(to, (_, _, score))| *to = score.0);
        scores.sort_by(f32::total_cmp);
        // The lower of two middle ones.
        let median = Score(scores[each.len().checked_sub(1)? / 2]);
        Some(Singles { each, median, least })
    }
}

impl Singles {
    /// The highest threshold at which the looks one by one still bear out who it is: the median look may stay below it by
    /// `MEDIAN_SLACK`, a look of real weight by `LOOK_SLACK`.
    fn borne_out(&self) -> Score {
        Score((self.median.0 + MEDIAN_SLACK).min(self.least.0 + LOOK_SLACK))
    }
}

/// What the looks say.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Who. In doubt nobody.
    pub verdict: Verdict,
    /// Why.
    pub evidence: Evidence,
    /// Whoever the pool is most like, however unlike.
    pub leader: Option<Candidate>,
    /// The highest threshold that the looks, together and one by one, reach with the leader, whose bar comes on top of it;
    /// `None` before there is time and number enough.
    pub borne: Option<Score>,
    /// The highest threshold at which the leader is named: `borne`, where nobody else is near and they led before. `None`
    /// where they are named at none.
    pub reach: Option<Score>,
    /// What the looks score one by one with the leader.
    pub singles: Option<Singles>,
    /// Whether the leader led at the look before, too.
    pub led: bool,
    /// What the pool scores with the nearest other of the leader's household.
    pub of_household: Option<Score>,
}

/// Judges `looks`. `led` is the leader of the judgement before, at the look before: whoever is to be named must lead
/// twice running.
///
/// # Errors
/// [`Mismatch`] when looks and gallery are of two models.
pub fn judge(
    looks: &Looks,
    led: Option<VisitorId>,
    gallery: &Gallery,
    law: &Law,
    rules: &Rules,
) -> Result<Judgement, Mismatch> {
    let general = law.threshold(rules.wrong_greetings, gallery.len());
    let pooled = looks.pooled();
    let candidates = match &pooled {
        Some(pooled) => gallery.search(pooled, 2)?,
        None => Vec::new(),
    };
    let (leader, second) = (candidates.first().copied(), candidates.get(1).copied());
    let bar = leader.map_or(0.0, |leader| gallery.bar(leader.visitor));
    let threshold = Score(general.0 + bar);
    let evidence = Evidence {
        looks: looks.counted(),
        over: looks.over(),
        best: leader.map(|candidate| candidate.score),
        second: second.map(|candidate| candidate.score),
        threshold,
        enrolled: gallery.len(),
    };
    let is_time = looks.counted() >= rules.looks && looks.over() >= rules.over;
    let singles = leader.and_then(|best| looks.singles(best.visitor, gallery));
    let of_household =
        leader.zip(pooled).and_then(|(best, pooled)| gallery.nearest_of_household(best.visitor, &pooled));
    let borne = leader.filter(|_| is_time).and_then(|best| {
        let borne = singles.as_ref()?.borne_out();
        Some((best, Score(borne.0.min(best.score.0))))
    });
    let (mut verdict, mut reach) = (Verdict::Unknown, None);
    if let Some((best, borne)) = borne {
        let is_reached = borne >= threshold;
        let is_alone = second.is_none_or(|second| best.score.0 - second.score.0 >= rules.margin);
        let is_told_apart = of_household.is_none_or(|other| best.score.0 - other.0 >= rules.household_margin);
        if !is_alone || !is_told_apart {
            // One of two who enrolled: by their own word, or because both reach the threshold.
            let is_one_of_two = !is_told_apart || second.is_some_and(|second| second.score >= threshold);
            verdict = if is_reached && is_one_of_two { Verdict::Alike } else { Verdict::Unknown };
        } else if led == Some(best.visitor) {
            reach = Some(Score(borne.0 - bar));
            if is_reached {
                verdict = Verdict::Known { visitor: best.visitor, score: best.score };
            }
        }
    }
    let borne = borne.map(|(_, borne)| Score(borne.0 - bar));
    let led = leader.is_some_and(|best| led == Some(best.visitor));
    Ok(Judgement { verdict, evidence, leader, borne, reach, singles, led, of_household })
}
