//! `usher evaluate pairs --law`: what was measured of an embedder, kept for gates.

use crate::{
    accuracy::verification::Point,
    cli::{Common, evaluate::Faces},
    identify::threshold::{Law, law_file},
};
use anyhow::{Context, bail};
use serde_json::json;
use std::path::PathBuf;
use usher_models::template::ModelId;

/// The highest rate that a threshold rests on: nobody is named on less.
const HIGHEST: f64 = 1e-3;

/// Writes the law of `model` beside its weights, from the measured `points`; says where.
///
/// Each threshold is the upper end of its interval, so that a small collection errs to the safe side.
pub(super) fn kept(
    common: &Common,
    faces: &Faces,
    model: &ModelId,
    points: &[(&str, Option<Point>)],
) -> anyhow::Result<PathBuf> {
    if Law::of(model).is_ok() {
        bail!("the thresholds of {} come with usher; a site's own come from `usher calibrate`", model.0);
    }
    let measured = points.iter().filter_map(|(_, point)| point.as_ref()).filter(|point| point.fmr <= HIGHEST);
    let safe = |point: &Point| match point.threshold_interval {
        Some((_, high)) => (high as f32).max(point.threshold),
        None => point.threshold,
    };
    let mut rows: Vec<(f64, f32)> = measured.map(|point| (point.fmr, (safe(point) * 1e3).ceil() / 1e3)).collect();
    // A rate that is too small for the collection has the score of the one before: it says nothing new.
    rows.dedup_by(|next, kept| next.1 <= kept.1);
    if rows.len() < 2 {
        bail!("two different people were compared too seldom for thresholds; give pictures of more people, some 500");
    }
    let written: Vec<_> =
        rows.iter().map(|(rate, score)| json!({ "false_match_rate": rate, "score": score })).collect();
    let text = serde_json::to_string_pretty(&json!([{ "model": model, "points": written }]))?;
    Law::from_json(&text, model)?;
    let path = law_file(model, &faces.data.folder(common)?.join("models"));
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
