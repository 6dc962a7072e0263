//! Reasons in plain words: one sentence for a decision, a line for each rule.
//!
//! Said here and not in the page, so that whoever reads the JSON reads the same. Nothing here knows a name.

use crate::{
    decide::visit::Deed,
    identify::{
        checks::{Check, Found, Rule},
        liveness::LEAST,
        reasons::Reasons,
    },
};

/// Shortfalls told in the sentence; the list of rules has them all.
const SAID: usize = 2;

/// Why, in one sentence.
pub(super) fn sentence(reasons: &Reasons, deed: Deed) -> String {
    match reasons.found {
        Found::Named => format!("Named: {}{}.", agreement(reasons), then(deed)),
        Found::Doubted => format!(
            "Named, and then doubted: {}.",
            kept(reasons, |check| check.rule == Rule::Live && check.met == Some(false))
        ),
        Found::Alike if reasons.is_claimed_twice() => {
            format!("Not named, a person sees to it: {}.", kept(reasons, Check::keeps))
        }
        Found::Alike => format!("Not named, greeted without a name: {}.", kept(reasons, Check::keeps)),
        Found::Unproven => {
            format!("Not named, a person sees to it: the scores suffice, but {}.", kept(reasons, Check::keeps))
        }
        Found::Unknown => format!("Not named: {}.", kept(reasons, Check::keeps)),
    }
}

/// What a rule is called.
pub(super) fn title(rule: Rule) -> &'static str {
    match rule {
        Rule::Looks => "looks that counted",
        Rule::Over => "from the first to the last",
        Rule::Threshold => "all looks together",
        Rule::Median => "the median look alone",
        Rule::Single => "the weakest look of weight",
        Rule::Margin => "ahead of the next person",
        Rule::Household => "ahead of their own household",
        Rule::Twice => "ahead twice running",
        Rule::Claim => "no other track is that person",
        Rule::Live => "seems to be a live person",
    }
}

/// A figure of a rule, with its unit.
pub(super) fn figure(rule: Rule, value: f32) -> String {
    match rule {
        Rule::Looks => format!("{value:.0}"),
        Rule::Over => format!("{:.0} ms", 1000.0 * value),
        Rule::Threshold | Rule::Median | Rule::Single | Rule::Margin | Rule::Household | Rule::Live => {
            format!("{value:.3}")
        }
        Rule::Twice | Rule::Claim => if value >= 1.0 { "yes" } else { "no" }.to_owned(),
    }
}

/// What keeps a track from a name, by this rule.
pub(super) fn shortfall(check: &Check) -> String {
    let needed = figure(check.rule, check.needed);
    let was = check.was.map(|was| figure(check.rule, was));
    let (below, under) = check.was.map_or_else(Default::default, |was| apart(was, check.needed));
    match (check.rule, was) {
        (Rule::Looks, was) => {
            let was = was.unwrap_or_default();
            format!("only {was} {} counted and {needed} are needed", if was == "1" { "look" } else { "looks" })
        }
        (Rule::Over, was) => format!("the looks span {} and {needed} are needed", was.unwrap_or_default()),
        (Rule::Threshold, None) => "nobody is enrolled to compare with".to_owned(),
        (Rule::Threshold, Some(_)) => format!("pooled score {below} stays below {under}"),
        (Rule::Median, _) => format!("the median look scores {below}, below {under}"),
        (Rule::Single, _) => format!("a look of weight scores {below}, below {under}, as if of somebody else"),
        (Rule::Margin, _) => format!("only {below} ahead of the next person where {under} is needed"),
        (Rule::Household, _) => format!("only {below} ahead of their own household where {under} is needed"),
        (Rule::Twice, _) => "the look before led to somebody else, or was the first".to_owned(),
        (Rule::Claim, _) => "another track of this camera is that person, or comes nearer, at the same time".to_owned(),
        (Rule::Live, None) => format!("fewer than {LEAST} looks could be judged for liveness"),
        (Rule::Live, Some(_)) => format!("the looks seem live by {below} where {under} is needed"),
    }
}

fn agreement(reasons: &Reasons) -> String {
    let Some(evidence) = &reasons.evidence else { return "no figures are known".to_owned() };
    let (best, needed) = apart(evidence.best.map_or(0.0, |best| best.0), evidence.threshold.0);
    let looks = match evidence.looks {
        1 => "one look agrees".to_owned(),
        many => {
            format!("{} looks over {} agree", number(many), figure(Rule::Over, evidence.over.as_secs_f32()))
        }
    };
    let next = match evidence.best.zip(evidence.second) {
        Some((best, second)) => format!("{:.2} ahead of the next person", best.0 - second.0),
        None => "and nobody else is enrolled".to_owned(),
    };
    format!("{looks}; {best} where {needed} was needed, {next}")
}

fn then(deed: Deed) -> &'static str {
    match deed {
        Deed::AlreadyGreeted => "; this gate has greeted them within its quiet time",
        _ => "",
    }
}

fn kept(reasons: &Reasons, is_said: impl Fn(&Check) -> bool) -> String {
    let Some(checks) = &reasons.checks else {
        return "no look could be compared; people must be enrolled anew with this gate's embedder".to_owned();
    };
    let said: Vec<&Check> = checks.each().iter().filter(|check| is_said(check)).collect();
    // Where the pool falls short so do its looks, mostly: that goes without saying.
    let is_short = said.iter().any(|check| check.rule == Rule::Threshold);
    let goes_without = |check: &&&Check| is_short && matches!(check.rule, Rule::Median | Rule::Single);
    let all: Vec<String> = said.iter().filter(|check| !goes_without(check)).map(|check| shortfall(check)).collect();
    match all.len() {
        0 => "another rule kept the name back".to_owned(),
        few if few <= SAID => all.join(", and "),
        many => format!("{}, and {} more", all[..SAID].join(", "), number((many - SAID) as u32)),
    }
}

/// Two scores with two decimals, or with as many as tell them apart.
fn apart(a: f32, b: f32) -> (String, String) {
    let with = |digits: usize| (format!("{a:.digits$}"), format!("{b:.digits$}"));
    (2..=4).map(with).find(|(one, other)| one != other).unwrap_or_else(|| with(2))
}

/// A small number as a word.
fn number(n: u32) -> String {
    const WORDS: [&str; 12] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"];
    WORDS.get(n as usize).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gallery::visitor::VisitorId,
        identify::{
            checks::{Checks, Claim},
            evidence::{Judgement, Singles},
            identification::{Evidence, Verdict},
            liveness::Judged,
        },
    };
    use std::time::Duration;
    use usher_config::{decide::Liveness, identify::Rules};
    use usher_models::{liveness::Live, template::Score};
    use uuid::Uuid;

    const KNOWN: Verdict = Verdict::Known { visitor: VisitorId(Uuid::nil()), score: Score(0.61) };

    fn judgement() -> Judgement {
        let evidence = Evidence {
            looks: 3,
            over: Duration::from_millis(320),
            best: Some(Score(0.61)),
            second: Some(Score(0.32)),
            threshold: Score(0.47),
            enrolled: 600,
        };
        let singles = Singles { each: Vec::new(), median: Score(0.55), least: Score(0.5) };
        Judgement {
            verdict: KNOWN,
            evidence,
            leader: None,
            borne: None,
            reach: None,
            singles: Some(singles),
            led: true,
            of_household: None,
        }
    }

    fn said(judgement: &Judgement, verdict: Verdict, claim: Claim, lives: &[f32]) -> String {
        let rules = Rules {
            wrong_greetings: 0.001,
            looks: 3,
            apart: Duration::from_millis(80),
            over: Duration::from_millis(250),
            margin: 0.06,
            household_margin: 0.15,
        };
        let mut judged = Judged::default();
        lives.iter().for_each(|live| judged.add(Live(*live)));
        let liveness = if lives.is_empty() { Liveness::Off } else { Liveness::Required };
        let reasons = Reasons {
            found: verdict.into(),
            looks: Vec::new(),
            untold: 0,
            refused: 0,
            evidence: Some(judgement.evidence),
            checks: Some(Checks::of(judgement, &rules, claim, &judged, liveness)),
            embedded: None,
        };
        sentence(&reasons, Deed::Welcomed)
    }

    #[test]
    fn a_name_is_explained_by_its_figures() {
        let words = said(&judgement(), KNOWN, Claim::Free, &[]);
        assert_eq!(
            words,
            "Named: three looks over 320 ms agree; 0.61 where 0.47 was needed, 0.29 ahead of the next person."
        );
    }

    #[test]
    fn each_rule_says_in_figures_what_it_missed() {
        let unknown = |change: fn(&mut Judgement)| {
            let mut changed = judgement();
            change(&mut changed);
            said(&changed, Verdict::Unknown, Claim::NotAsked, &[])
        };
        for (words, wanted) in [
            (unknown(|j| j.evidence.looks = 1), "Not named: only 1 look counted and 3 are needed."),
            (
                unknown(|j| j.evidence.over = Duration::from_millis(180)),
                "Not named: the looks span 180 ms and 250 ms are needed.",
            ),
            (unknown(|j| j.evidence.best = Some(Score(0.41))), "Not named: pooled score 0.41 stays below 0.47."),
            (unknown(|j| j.evidence.best = Some(Score(0.468))), "Not named: pooled score 0.468 stays below 0.470."),
            (
                unknown(|j| (j.evidence.best, j.singles.as_mut().unwrap().median) = (Some(Score(0.2)), Score(0.2))),
                "Not named: pooled score 0.20 stays below 0.47, and only -0.12 ahead of the next person where 0.06 is needed.",
            ),
            (
                unknown(|j| j.singles.as_mut().unwrap().median = Score(0.38)),
                "Not named: the median look scores 0.38, below 0.41.",
            ),
            (
                unknown(|j| j.singles.as_mut().unwrap().least = Score(0.12)),
                "Not named: a look of weight scores 0.12, below 0.25, as if of somebody else.",
            ),
            (
                unknown(|j| j.evidence.second = Some(Score(0.58))),
                "Not named: only 0.03 ahead of the next person where 0.06 is needed.",
            ),
            (
                unknown(|j| j.of_household = Some(Score(0.5))),
                "Not named: only 0.11 ahead of their own household where 0.15 is needed.",
            ),
            (unknown(|j| j.led = false), "Not named: the look before led to somebody else, or was the first."),
            (
                unknown(|j| (j.evidence.best, j.singles) = (None, None)),
                "Not named: nobody is enrolled to compare with.",
            ),
            (
                unknown(|j| (j.evidence.looks, j.evidence.over, j.led) = (2, Duration::from_millis(90), false)),
                "Not named: only 2 looks counted and 3 are needed, the looks span 90 ms and 250 ms are needed, and one more.",
            ),
        ] {
            assert_eq!(words, wanted);
        }
    }

    #[test]
    fn other_tracks_and_liveness_say_what_they_kept() {
        let words = said(&judgement(), Verdict::Alike, Claim::Taken, &[]);
        assert!(words.starts_with("Not named, a person sees to it: another track of this camera"), "{words}");
        let suspect = Verdict::Suspect { is_greeted: false };
        let words = said(&judgement(), suspect, Claim::NotAsked, &[0.2; 6]);
        assert!(words.ends_with("but the looks seem live by 0.20 where 0.50 is needed."), "{words}");
        let words = said(&judgement(), suspect, Claim::NotAsked, &[0.9]);
        assert!(words.ends_with("but fewer than 5 looks could be judged for liveness."), "{words}");
    }

    #[test]
    fn scores_are_told_apart() {
        assert_eq!(apart(0.61, 0.47), ("0.61".into(), "0.47".into()));
        assert_eq!(apart(0.4699, 0.47), ("0.4699".into(), "0.4700".into()));
        assert_eq!(apart(0.47, 0.47), ("0.47".into(), "0.47".into()));
    }
}
