//! Reasons made up around a few figures, for pages that show them.

use std::time::Duration;
use usher::{
    clock::Moment,
    identify::{
        checks::{Checks, Claim},
        evidence::{Judgement, Singles},
        identification::{Evidence, Verdict},
        liveness::Judged,
        reasons::{Reasons, Told},
    },
};
use usher_config::{decide::Liveness, identify::Rules};
use usher_models::{quality::Quality, template::Score};

/// Five looks around `evidence`, one of them out of the pool.
pub(crate) fn reasons(verdict: Verdict, evidence: Evidence, embedded: Moment) -> Reasons {
    let best = evidence.best.map_or(0.0, |best| best.0);
    let quality = |share: f32| Quality {
        confidence: 0.9,
        inter_eye_px: 44.0 * share,
        pose: 0.9,
        sharpness: share,
        ..Quality::default()
    };
    let each: Vec<(u32, f32, Score)> = [0.9, 0.7, 1.0, 0.8]
        .into_iter()
        .zip(1..)
        .map(|(share, n)| (n, share, Score(best - 0.1 + 0.1 * share)))
        .collect();
    let singles = Singles { each: each.clone(), median: Score(best - 0.02), least: Score(best - 0.03) };
    let judgement = Judgement {
        verdict,
        evidence,
        leader: None,
        borne: None,
        reach: None,
        singles: Some(singles),
        led: true,
        of_household: None,
    };
    let rules = Rules {
        wrong_greetings: 0.001,
        looks: 3,
        apart: Duration::from_millis(80),
        over: Duration::from_millis(250),
        margin: 0.06,
        household_margin: 0.15,
    };
    let claim = Claim::of(verdict, verdict);
    let told = |(number, share, score): &(u32, f32, Score)| Told {
        number: *number,
        after: Duration::from_millis(u64::from(number - 1) * 78),
        weight: quality(*share).weight(),
        score: Some(*score),
        is_pooled: true,
        quality: quality(*share),
    };
    let out = Told { score: None, is_pooled: false, ..told(&(5, 0.3, Score(0.0))) };
    Reasons {
        found: verdict.into(),
        looks: each.iter().map(told).chain([out]).collect(),
        untold: 0,
        refused: 2,
        evidence: Some(evidence),
        checks: Some(Checks::of(&judgement, &rules, claim, &Judged::default(), Liveness::Off)),
        embedded: Some(embedded),
    }
}
