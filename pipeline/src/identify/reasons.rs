//! Reasons: why a track was named or not, look by look and rule by rule.
//!
//! Figures only: no template, no name and nobody's id. Whom a nameless track came near is never in them, so that they may
//! be kept a while and shown. A track notes a few numbers for each look; the whole is put together when something is
//! decided, which is once or twice in a track's life.

use crate::{
    clock::Moment,
    identify::{
        checks::{Checks, Claim, Found, Rule},
        evidence::{Judgement, Looks, MOST},
        identification::{Evidence, Verdict},
        liveness::Judged,
    },
};
use std::time::Duration;
use usher_config::{decide::Liveness, identify::Rules};
use usher_models::{quality::Quality, template::Score};

/// Looks told of: a full pool and as many that gave way to a heavier one. Infer takes hardly more of one track.
const TOLD: usize = 2 * MOST;

/// What a track notes as its looks come.
#[derive(Debug, Default)]
pub struct Log {
    noted: Vec<Noted>,
    first: Option<Moment>,
    untold: u32,
    refused: u32,
    embedded: Option<Moment>,
    judged: Option<(Judgement, Rules)>,
    claim: Claim,
}

#[derive(Debug)]
struct Noted {
    number: u32,
    at: Moment,
    quality: Quality,
    is_pooled: bool,
}

/// One look that counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Which of those that counted, from 1.
    pub number: u32,
    /// From the first that counted to this one.
    pub after: Duration,
    /// What it weighs in the pool.
    pub weight: f32,
    /// What it scores alone with whom the pool is most like; `None` where it is not in the pool, or nobody is enrolled.
    pub score: Option<Score>,
    /// Whether it is in the pool; if not, it gave way to a heavier one.
    pub is_pooled: bool,
    /// What the weight is made of.
    pub quality: Quality,
}

/// Why a track was named or not, as of one decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Reasons {
    /// What was found.
    pub found: Found,
    /// The looks that counted, in their order; of many, those in the pool and the last that gave way.
    pub looks: Vec<Told>,
    /// Looks that counted and are not told of.
    pub untold: u32,
    /// Looks that did not count, since they came too soon after the last.
    pub refused: u32,
    /// The figures together; `None` where no look could be compared.
    pub evidence: Option<Evidence>,
    /// The rules; `None` where no look could be compared.
    pub checks: Option<Checks>,
    /// When the last look that counted was embedded.
    pub embedded: Option<Moment>,
}

impl Reasons {
    /// Whether another track of the camera was that person, or came nearer, at the same time.
    pub fn is_claimed_twice(&self) -> bool {
        self.checks.iter().flat_map(Checks::kept_from).any(|check| check.rule == Rule::Claim)
    }
}

impl Log {
    /// Notes a look that `looks` has just taken in, seen at `at`.
    pub fn note(&mut self, looks: &Looks, at: Moment, embedded: Moment, quality: Quality) {
        self.embedded = Some(embedded);
        self.first.get_or_insert(at);
        self.noted.push(Noted { number: looks.counted(), at, quality, is_pooled: true });
        self.noted.iter_mut().for_each(|noted| noted.is_pooled = looks.keeps(noted.number));
        if self.noted.len() > TOLD
            && let Some(oldest) = self.noted.iter().position(|noted| !noted.is_pooled)
        {
            self.noted.remove(oldest);
            self.untold += 1;
        }
    }

    /// Notes a look that did not count.
    pub fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }

    /// Notes what the looks say now, by these rules.
    pub fn judged(&mut self, judgement: Judgement, rules: &Rules) {
        self.judged = Some((judgement, rules.clone()));
    }

    /// Notes what the other tracks left of what the looks say.
    pub fn claimed(&mut self, looks: Verdict, left: Verdict) {
        self.claim = Claim::of(looks, left);
    }

    /// Why the verdict is this one.
    pub fn reasons(&self, verdict: Verdict, judged: &Judged, liveness: Liveness) -> Reasons {
        let judgement = self.judged.as_ref().map(|(judgement, _)| judgement);
        let singles = judgement.and_then(|judgement| judgement.singles.as_ref());
        let told = |noted: &Noted| {
            let single = singles.and_then(|singles| singles.each.iter().find(|(number, ..)| *number == noted.number));
            Told {
                number: noted.number,
                after: self.first.map_or(Duration::ZERO, |first| noted.at.since(first)),
                weight: noted.quality.weight(),
                score: single.map(|(.., score)| *score),
                is_pooled: noted.is_pooled,
                quality: noted.quality,
            }
        };
        Reasons {
            found: verdict.into(),
            looks: self.noted.iter().map(told).collect(),
            untold: self.untold,
            refused: self.refused,
            evidence: judgement.map(|judgement| judgement.evidence),
            checks: self
                .judged
                .as_ref()
                .map(|(judgement, rules)| Checks::of(judgement, rules, self.claim, judged, liveness)),
            embedded: self.embedded,
        }
    }
}
