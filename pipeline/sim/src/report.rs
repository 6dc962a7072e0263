//! Reports: what one seed came to, and many together.

use crate::{
    day::Day,
    plant::Plant,
    truth::{Counts, Violation},
};
use std::{collections::BTreeMap, time::Duration};

/// What one day counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Events.
    pub steps: u64,
    /// Walks in front of cameras.
    pub walks: u64,
    /// Frames that the detector was given.
    pub frames: u64,
    /// Looks embedded.
    pub looks: u64,
    /// Events handed to the network.
    pub events: u64,
    /// Faults.
    pub faults: u64,
    /// People enrolled.
    pub enrolled: u64,
    /// People forgotten.
    pub forgotten: u64,
    /// The oldest that a sighting became on its way to identify.
    pub oldest: Duration,
    /// The same of a frame on its way to infer.
    pub oldest_frame: Duration,
    /// Tracks of people who were in sight for long enough, where their gate may know anybody.
    pub people: u64,
    /// Those of them who were decided about.
    pub people_decided: u64,
    /// What became of visits.
    pub counts: Counts,
}

/// What one seed came to.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub seed: u64,
    /// Events of the day.
    pub steps: u64,
    /// What it counts.
    pub figures: Figures,
    /// The first rule that did not hold, and what happened before.
    pub violation: Option<(Violation, Vec<String>)>,
}

/// What many seeds came to: a line for people, or one of JSON.
pub fn summary(reports: &[Report], day: &Day, took: Duration, json: bool) -> String {
    let sum = |of: fn(&Figures) -> u64| reports.iter().map(|report| of(&report.figures)).sum::<u64>();
    let violations = reports.iter().filter(|report| report.violation.is_some()).count();
    let walks = sum(|figures| figures.walks);
    let took_s = took.as_secs_f64();
    let figures = serde_json::json!({
        "soak": "sim",
        "seeds": reports.len(),
        "walks": walks,
        "walks_a_seed": day.walks,
        "gates": day.gates,
        "steps": sum(|figures| figures.steps),
        "faults": sum(|figures| figures.faults),
        "enrolled": sum(|figures| figures.enrolled),
        "forgotten": sum(|figures| figures.forgotten),
        "frames": sum(|figures| figures.frames),
        "looks": sum(|figures| figures.looks),
        "events": sum(|figures| figures.events),
        "visits": sum(|figures| figures.counts.visits),
        "visits_heard": sum(|figures| figures.counts.heard),
        "visits_heard_again": sum(|figures| figures.counts.again),
        "visits_expired": sum(|figures| figures.counts.expired),
        "visits_lost_unstored": sum(|figures| figures.counts.lost_unstored),
        "named_right": sum(|figures| figures.counts.right),
        "strangers_named": sum(|figures| figures.counts.strangers_named),
        "doubles_named": sum(|figures| figures.counts.doubles_named),
        "people": sum(|figures| figures.people),
        "people_decided": sum(|figures| figures.people_decided),
        "oldest_frame_ms": reports.iter().map(|report| report.figures.oldest_frame.as_millis() as u64).max(),
        "oldest_sighting_ms": reports.iter().map(|report| report.figures.oldest.as_millis() as u64).max(),
        "overload": day.overload,
        "violations": violations,
        "plant": day.plant.map(Plant::word),
        "wall_s": (took_s * 10.0).round() / 10.0,
        "us_a_walk": (took_s * 1e6 / walks.max(1) as f64).round(),
    });
    if json {
        return figures.to_string();
    }
    let kinds: BTreeMap<&str, usize> =
        reports.iter().filter_map(|report| report.violation.as_ref()).fold(BTreeMap::new(), |mut kinds, (one, _)| {
            *kinds.entry(one.rule).or_insert(0) += 1;
            kinds
        });
    format!("{figures:#}\n{violations} of {} days broke a rule {kinds:?}", reports.len())
}
