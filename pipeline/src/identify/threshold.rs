//! The threshold: what a score must reach, given how many enrolled.
//!
//! A fixed threshold is a bug: every person enrolled is one more chance to be taken for somebody. See
//! `docs/accuracy-threshold.md` for the formula, its source and what it does not cover.

use serde::Deserialize;
use std::path::Path;
use usher_models::template::{ModelId, Score};

/// What was measured of each embedder. A later calibration replaces this file, or brings its own ([`Law::from_json`]).
const LAWS: &str = include_str!("laws.json");

/// How much more often a stranger reaches the threshold when judged at every look of a track than when judged once.
/// Simulated with SFace's distribution of scores, 10,000 strangers before 450 enrolled, 3 to 30 looks that score .64 to
/// .81 with each other: 0.9 to 2.7 times the target, and with this factor 0.3 to 1.1 times.
const JUDGED_AGAIN: f64 = 2.0;

/// How often two different people reach a score, for one embedder.
#[derive(Clone, Debug, PartialEq)]
pub struct Law {
    model: ModelId,
    /// (log10 of the false match rate, score), scores rising, rates falling; at least two.
    points: Vec<(f64, f64)>,
    /// How much more often a stranger reaches the threshold over a whole walk than at one judgement.
    judged_again: f64,
    /// Where this was measured at a site: the least share its walks support, and what holds below it too.
    below: Option<(f64, Box<Self>)>,
}

#[derive(Deserialize)]
struct Written {
    model: ModelId,
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    false_match_rate: f64,
    score: f64,
}

/// Why there is no threshold. The integrator mends it: a guess would greet people by wrong names.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LawError {
    /// Nobody measured this embedder.
    #[error(
        "no threshold was ever measured for the embedder {model}; measure it with `usher evaluate pairs FOLDER --embedder NAME --law` on pictures of known people, or set `infer: {{ embedder: sface }}` (measured were {known})"
    )]
    Unmeasured {
        /// The embedder.
        model: String,
        /// Those that were measured.
        known: String,
    },
    /// The file says something impossible.
    #[error("the calibration cannot be used ({0}); make it anew")]
    Unusable(String),
}

impl Law {
    /// What was measured of `model`.
    ///
    /// # Errors
    /// [`LawError::Unmeasured`] for every other embedder: nothing is guessed.
    pub fn of(model: &ModelId) -> Result<Self, LawError> {
        Self::from_json(LAWS, model)
    }

    /// The same for an embedder that a site brought: what it measured itself lies beside the weights, in `MODEL.law.json`.
    ///
    /// # Errors
    /// [`LawError::Unmeasured`] where there is no such file, [`LawError::Unusable`] where it says something impossible.
    pub fn of_brought(model: &ModelId, weights: &Path) -> Result<Self, LawError> {
        let ours = Self::of(model);
        match (&ours, std::fs::read_to_string(law_file(model, weights))) {
            (Err(LawError::Unmeasured { .. }), Ok(text)) => Self::from_json(&text, model),
            _ => ours,
        }
    }

    /// The law of `model` in `text`: `[{"model": …, "points": [{"false_match_rate": …, "score": …}, …]}, …]`.
    ///
    /// # Errors
    /// When the text cannot be read, does not have the model, or scores do not rise as rates fall.
    pub fn from_json(text: &str, model: &ModelId) -> Result<Self, LawError> {
        let laws: Vec<Written> = serde_json::from_str(text).map_err(|error| LawError::Unusable(error.to_string()))?;
        let known = || laws.iter().map(|law| law.model.0.as_str()).collect::<Vec<_>>().join(", ");
        let law = laws
            .iter()
            .find(|law| law.model == *model)
            .ok_or_else(|| LawError::Unmeasured { model: model.0.clone(), known: known() })?;
        let points: Vec<_> = law.points.iter().map(|p| (p.false_match_rate.log10(), p.score)).collect();
        let sound = |(rate, score): &(f64, f64)| rate.is_finite() && *rate < 0.0 && (0.0..1.0).contains(score);
        let falls = points.windows(2).all(|pair| pair[1].0 < pair[0].0 && pair[1].1 > pair[0].1);
        if points.len() < 2 || !falls || !points.iter().all(sound) {
            return Err(LawError::Unusable("it needs two points or more, scores rising while rates fall".to_owned()));
        }
        Ok(Self { model: model.clone(), points, judged_again: JUDGED_AGAIN, below: None })
    }

    /// The law of a site, from its own walks: `supported` holds shares of people who never enrolled, and the score that no
    /// more of them reached in a whole walk past `references` references.
    ///
    /// # Errors
    /// [`LawError::Unusable`] when fewer than two shares have a score of their own.
    pub fn of_site(model: ModelId, references: usize, supported: &[(f64, f32)]) -> Result<Self, LawError> {
        let point = |(share, score): &(f64, f32)| (per_comparison(*share, references).log10(), f64::from(*score));
        let mut points: Vec<_> = supported.iter().map(point).collect();
        points.sort_by(|a, b| b.0.total_cmp(&a.0));
        // A score that does not rise while the share falls says nothing new: the larger share keeps it, and the line goes on.
        points.dedup_by(|next, kept| next.1 <= kept.1);
        if points.len() < 2 {
            return Err(LawError::Unusable("fewer than two shares have a score of their own".to_owned()));
        }
        Ok(Self { model, points, judged_again: 1.0, below: None })
    }

    /// The same, but for shares below `least`, which nothing was measured for: there what `general` says holds too.
    #[must_use]
    pub fn supported_from(self, least: f64, general: Self) -> Self {
        Self { below: Some((least, Box::new(general))), ..self }
    }

    /// The embedder it is about.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// The score that two different people reach with a rate of `rate`, 0 < rate < 1.
    ///
    /// Between measured points linear in log10 of the rate. Above the highest measured rate the lowest measured score:
    /// nobody is named on less. Below the lowest the line through the first and the last point goes on: real curves
    /// flatten there, so the line errs to the safe side.
    pub fn score_at(&self, rate: f64) -> Score {
        let x = rate.max(f64::MIN_POSITIVE).log10();
        let (first, last) = (self.points[0], self.points[self.points.len() - 1]);
        let line = |a: (f64, f64), b: (f64, f64)| a.1 + (x - a.0) * (b.1 - a.1) / (b.0 - a.0);
        let score = if x >= first.0 {
            first.1
        } else if x <= last.0 {
            last.1 + (x - last.0) * (last.1 - first.1) / (last.0 - first.0)
        } else {
            let pair = self.points.windows(2).find(|pair| x >= pair[1].0).expect("x lies between first and last");
            line(pair[0], pair[1])
        };
        Score(score.min(0.999) as f32)
    }

    /// What the pooled score must reach so that, of the people who never enrolled, a share of `wrong_greetings`
    /// (target FPIR, 0 < p ≤ 0.01) is taken for one of `templates` references: `t(1 - (1 - p/2)^(1/N))`.
    ///
    /// Half of the target, because a track is judged again at every look: `JUDGED_AGAIN`.
    ///
    /// A site's own law has no factor: its walks were judged as often as walks are. Below what they support, the stricter
    /// of the line through them and the general law counts.
    pub fn threshold(&self, wrong_greetings: f64, templates: usize) -> Score {
        let own = self.single(wrong_greetings / self.judged_again, templates);
        match &self.below {
            Some((least, general)) if wrong_greetings < *least => {
                let general = general.threshold(wrong_greetings, templates);
                if general > own { general } else { own }
            }
            _ => own,
        }
    }

    /// The same for one single judgement: `t(1 - (1 - p)^(1/N))`.
    fn single(&self, wrong_greetings: f64, templates: usize) -> Score {
        self.score_at(per_comparison(wrong_greetings, templates))
    }
}

/// Where a site's own measurement of an embedder lies.
pub fn law_file(model: &ModelId, weights: &Path) -> std::path::PathBuf {
    weights.join(format!("{}.law.json", model.0))
}

/// The rate of each of `templates` comparisons at which a share of people reaches one of them: `1 - (1 - share)^(1/N)`.
fn per_comparison(share: f64, templates: usize) -> f64 {
    // expm1 and ln_1p, or a million enrolled would round to a rate of nothing.
    -((-share).ln_1p() / templates.max(1) as f64).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sface() -> Law {
        Law::of(&ModelId("sface-2021dec".into())).unwrap()
    }

    #[test]
    fn the_measured_points_come_out_as_measured() {
        for (rate, score) in [(1e-3, 0.370), (1e-4, 0.425), (1e-5, 0.475)] {
            assert!((sface().score_at(rate).0 - score).abs() < 1e-5);
        }
        let open_set = sface().single(0.01, 1559).0;
        assert!((open_set - 0.482).abs() < 5e-3, "1,559 enrolled at FPIR 1 % were measured apart: {open_set}");
        let open_set = sface().single(0.01, 471).0;
        assert!((open_set - 0.460).abs() < 5e-3, "as were 471: {open_set}");
    }

    #[test]
    fn nobody_is_named_on_less_than_was_measured() {
        assert_eq!(sface().threshold(0.01, 0).0, 0.370);
        assert_eq!(sface().threshold(0.01, 1).0, 0.370);
        assert_eq!(sface().threshold(0.9, 1).0, 0.370);
    }

    #[test]
    fn a_crowd_of_a_hundred_thousand_still_has_a_threshold_that_people_reach() {
        let t = sface().threshold(0.001, 100_000).0;
        assert!((0.6..0.68).contains(&t), "{t}");
    }

    #[test]
    fn an_embedder_that_nobody_measured_is_refused_with_the_mend() {
        let error = Law::of(&ModelId("arcface-r50".into())).unwrap_err().to_string();
        assert!(error.contains("arcface-r50") && error.contains("infer: { embedder: sface }"), "{error}");
        assert!(error.contains("sface-2021dec"), "{error}");
    }

    #[test]
    fn an_embedder_that_a_site_measured_has_its_law_beside_the_weights() {
        let (folder, model) = (tempfile::tempdir().unwrap(), ModelId("arcface-r50".into()));
        assert!(matches!(Law::of_brought(&model, folder.path()), Err(LawError::Unmeasured { .. })));
        let points = r#"[{"false_match_rate":0.001,"score":0.3},{"false_match_rate":0.0001,"score":0.35}]"#;
        let write = |model: &ModelId, of: &str| {
            std::fs::write(law_file(model, folder.path()), format!(r#"[{{"model":"{of}","points":{points}}}]"#))
                .unwrap();
        };
        write(&model, &model.0);
        assert!((Law::of_brought(&model, folder.path()).unwrap().score_at(1e-4).0 - 0.35).abs() < 1e-6);
        write(&model, "another");
        assert!(matches!(Law::of_brought(&model, folder.path()), Err(LawError::Unmeasured { .. })));
        let ours = ModelId("sface-2021dec".into());
        write(&ours, &ours.0);
        assert_eq!(Law::of_brought(&ours, folder.path()).unwrap(), sface(), "what comes with usher is not replaced");
    }

    #[test]
    fn a_sites_own_law_says_again_what_its_walks_supported() {
        let law =
            Law::of_site(ModelId("m".into()), 300, &[(0.1, 0.41), (0.02, 0.46), (0.01, 0.48), (0.005, 0.48)]).unwrap();
        for (share, score) in [(0.1, 0.41), (0.02, 0.46), (0.01, 0.48)] {
            assert!((law.threshold(share, 300).0 - score).abs() < 1e-5, "{share}");
        }
        assert!(law.threshold(0.005, 300).0 > 0.48, "nothing new was measured there: the line goes on");
        assert!(law.threshold(0.01, 3000) > law.threshold(0.01, 300));
        assert!(Law::of_site(ModelId("m".into()), 300, &[(0.1, 0.41), (0.05, 0.41)]).is_err());
    }

    #[test]
    fn below_what_walks_support_the_stricter_law_counts() {
        let model = || ModelId("sface-2021dec".into());
        let site = |scores: [f32; 2]| Law::of_site(model(), 300, &[(0.1, scores[0]), (0.02, scores[1])]).unwrap();
        let general = || Law::of(&model()).unwrap();
        let lax = site([0.30, 0.31]).supported_from(0.02, general());
        assert!((lax.threshold(0.02, 300).0 - 0.31).abs() < 1e-5, "what was measured holds");
        assert_eq!(lax.threshold(0.001, 300), general().threshold(0.001, 300));
        let strict = site([0.60, 0.65]).supported_from(0.02, general());
        assert!(strict.threshold(0.001, 300).0 > 0.65);
    }

    #[test]
    fn a_calibration_that_falls_is_refused() {
        let model = ModelId("m".into());
        for points in [
            "[]",
            r#"[{"false_match_rate":0.001,"score":0.4}]"#,
            r#"[{"false_match_rate":0.001,"score":0.4},{"false_match_rate":0.0001,"score":0.3}]"#,
            r#"[{"false_match_rate":0.0001,"score":0.3},{"false_match_rate":0.001,"score":0.4}]"#,
            r#"[{"false_match_rate":0,"score":0.3},{"false_match_rate":0.001,"score":0.4}]"#,
            r#"[{"false_match_rate":0.001,"score":0.4},{"false_match_rate":0.0001,"score":1.3}]"#,
        ] {
            let text = format!(r#"[{{"model":"m","points":{points}}}]"#);
            let error = Law::from_json(&text, &model).unwrap_err().to_string();
            assert!(error.contains("make it anew"), "{error}");
        }
        assert!(matches!(Law::from_json("nonsense", &model), Err(LawError::Unusable(_))));
    }

    proptest! {
        #[test]
        fn more_people_never_lower_the_threshold(p in 1e-6..0.01_f64, n in 0..2_000_000usize, more in 0..2_000_000usize) {
            prop_assert!(sface().threshold(p, n + more) >= sface().threshold(p, n));
        }

        #[test]
        fn a_stricter_target_never_lowers_the_threshold(p in 1e-7..0.01_f64, stricter in 1.0..1000.0_f64, n in 0..1_000_000usize) {
            prop_assert!(sface().threshold(p / stricter, n) >= sface().threshold(p, n));
        }

        #[test]
        fn a_threshold_is_always_a_score(p in 0.0..1.0_f64, n: usize) {
            let t = sface().threshold(p, n).0;
            prop_assert!((0.370..1.0).contains(&t), "{}", t);
        }
    }
}
