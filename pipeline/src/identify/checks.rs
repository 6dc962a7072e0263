//! The rules of a name one by one: what each asked for, what it was, whether it was met.
//!
//! Judging wants one answer, a person wants to know which rule gave it. These are the rules of `evidence::judge`, of the
//! claims between tracks and of liveness, said apart. They decide nothing: [`Checks::implied`] says what they come to, and
//! a test holds that to the verdict, so that a reason can never contradict what was done.

use crate::identify::{
    evidence::{Judgement, LOOK_SLACK, MEDIAN_SLACK},
    identification::Verdict,
    liveness::{self, Judged},
};
use serde::Serialize;
use usher_config::{decide::Liveness, identify::Rules};
use usher_models::template::Score;

/// One rule that a name has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Enough looks; a count.
    Looks,
    /// Enough time from the first to the last; seconds.
    Over,
    /// The pooled score; a score.
    Threshold,
    /// The median look; a score.
    Median,
    /// The weakest look of real weight; a score.
    Single,
    /// The distance to the second different person; a distance of scores.
    Margin,
    /// The distance to the nearest other of the same household; a distance of scores.
    Household,
    /// The same leader at the look before; 1 for yes.
    Twice,
    /// No other track of the camera is that person, or has the better claim; 1 for yes.
    Claim,
    /// The looks seem live; a share.
    Live,
}

/// What became of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Which; it says the unit of the figures.
    pub rule: Rule,
    /// Least value that meets it.
    pub needed: f32,
    /// What it was; `None` where there was nothing to measure.
    pub was: Option<f32>,
    /// Whether it was met; `None` where it was not asked.
    pub met: Option<bool>,
    /// Whether a name waits for it; advisory liveness is told and holds nobody up.
    pub binds: bool,
}

impl Check {
    /// Whether this keeps a track from a name.
    pub fn keeps(&self) -> bool {
        self.binds && self.met == Some(false)
    }
}

/// What the other tracks of the camera leave of a name that the looks gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// The looks gave no name to claim.
    #[default]
    NotAsked,
    /// The name.
    Free,
    /// Nothing: another track is that person at the same time.
    Taken,
    /// Nothing yet: another track comes nearer to that person.
    Outbid,
}

impl Claim {
    /// From what the looks said and what was left of it.
    pub fn of(looks: Verdict, left: Verdict) -> Self {
        match (looks, left) {
            (Verdict::Known { .. }, Verdict::Known { .. }) => Self::Free,
            (Verdict::Known { .. }, Verdict::Alike) => Self::Taken,
            (Verdict::Known { .. }, _) => Self::Outbid,
            _ => Self::NotAsked,
        }
    }
}

/// A verdict without whom it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// [`Verdict::Known`].
    Named,
    /// [`Verdict::Alike`].
    Alike,
    /// [`Verdict::Unknown`].
    Unknown,
    /// [`Verdict::Suspect`], not greeted.
    Unproven,
    /// [`Verdict::Suspect`], greeted all the same.
    Doubted,
}

impl From<Verdict> for Found {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Known { .. } => Self::Named,
            Verdict::Alike => Self::Alike,
            Verdict::Unknown => Self::Unknown,
            Verdict::Suspect { is_greeted: false } => Self::Unproven,
            Verdict::Suspect { is_greeted: true } => Self::Doubted,
        }
    }
}

/// Every rule, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checks {
    each: [Check; 10],
    claim: Claim,
    /// Whether the second person reaches the threshold, too.
    is_second_near: bool,
}

impl Checks {
    /// The rules as `judgement`, the other tracks and the looks judged for liveness bear them out.
    pub fn of(judgement: &Judgement, rules: &Rules, claim: Claim, judged: &Judged, liveness: Liveness) -> Self {
        let evidence = &judgement.evidence;
        let threshold = evidence.threshold.0;
        let least =
            |rule, needed: f32, was: Option<f32>, met: Option<bool>| Check { rule, needed, was, met, binds: true };
        let scored = |rule, slack: f32, was: Option<Score>| {
            // As `judge` compares: what was reached with its slack, against the threshold.
            let met = evidence.best.map(|_| was.is_some_and(|was| was.0 + slack >= threshold));
            least(rule, threshold - slack, was.map(|was| was.0), met)
        };
        let is_reached = evidence.best.is_some_and(|best| best.0 >= threshold);
        let margin = evidence.best.zip(evidence.second).map(|(best, second)| best.0 - second.0);
        let of_household = evidence.best.zip(judgement.of_household).map(|(best, other)| best.0 - other.0);
        let led = evidence.best.map(|_| judgement.led);
        let free = (claim != Claim::NotAsked).then_some(claim == Claim::Free);
        let singles = judgement.singles.as_ref();
        let each = [
            least(Rule::Looks, rules.looks as f32, Some(evidence.looks as f32), Some(evidence.looks >= rules.looks)),
            least(
                Rule::Over,
                rules.over.as_secs_f32(),
                Some(evidence.over.as_secs_f32()),
                Some(evidence.over >= rules.over),
            ),
            least(Rule::Threshold, threshold, evidence.best.map(|best| best.0), Some(is_reached)),
            scored(Rule::Median, MEDIAN_SLACK, singles.map(|singles| singles.median)),
            scored(Rule::Single, LOOK_SLACK, singles.map(|singles| singles.least)),
            least(
                Rule::Margin,
                rules.margin,
                margin,
                evidence.best.map(|_| margin.is_none_or(|margin| margin >= rules.margin)),
            ),
            least(
                Rule::Household,
                rules.household_margin,
                of_household,
                of_household.map(|margin| margin >= rules.household_margin),
            ),
            least(Rule::Twice, 1.0, led.map(f32::from), led),
            least(Rule::Claim, 1.0, free.map(f32::from), free),
            live(judged, liveness, is_reached),
        ];
        let is_second_near = evidence.second.is_some_and(|second| second >= evidence.threshold);
        Self { each, claim, is_second_near }
    }

    /// Each rule, in order.
    pub fn each(&self) -> &[Check] {
        &self.each
    }

    /// The rules that keep the track from a name.
    pub fn kept_from(&self) -> impl Iterator<Item = &Check> {
        self.each.iter().filter(|check| check.keeps())
    }

    /// What the rules come to.
    pub fn implied(&self) -> Found {
        let holds = |rules: &[Rule]| !self.kept_from().any(|check| rules.contains(&check.rule));
        let is_reached = holds(&[Rule::Threshold, Rule::Median, Rule::Single]);
        if !holds(&[Rule::Looks, Rule::Over]) {
            return Found::Unknown;
        }
        if !holds(&[Rule::Margin, Rule::Household]) {
            let is_one_of_two = self.is_second_near || !holds(&[Rule::Household]);
            return if is_reached && is_one_of_two { Found::Alike } else { Found::Unknown };
        }
        match self.claim {
            _ if !is_reached || !holds(&[Rule::Twice]) => Found::Unknown,
            Claim::Taken => Found::Alike,
            Claim::Outbid => Found::Unknown,
            Claim::Free | Claim::NotAsked if !holds(&[Rule::Live]) => Found::Unproven,
            Claim::Free | Claim::NotAsked => Found::Named,
        }
    }
}

/// The rule of liveness: asked only where the gate wants it, of a track whose leader reaches the threshold.
fn live(judged: &Judged, liveness: Liveness, is_reached: bool) -> Check {
    let was = judged.mean().map(|live| live.0);
    let is_required = liveness == Liveness::Required;
    let met = match (liveness, was) {
        (Liveness::Off, _) => None,
        (_, Some(_)) => Some(judged.is_live()),
        (_, None) => (is_required && is_reached).then_some(false),
    };
    Check { rule: Rule::Live, needed: liveness::BAR, was, met, binds: is_required }
}
