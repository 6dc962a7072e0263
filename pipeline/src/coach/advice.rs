//! Advice: what limits recognition at a camera, worst first. Figures in, limits out.
//!
//! Every limit is a figure and the value it should have; how bad it is, is the share of that value which is missing, so
//! that faces half as large as they should be come before light that is a tenth too little.

use crate::coach::{
    figures::{Faces, Figures},
    walk::Wanted,
};
use serde::Serialize;

/// What the gate asks of the first look: a little more than of later ones (`infer/best.rs`).
const FIRST_LOOK: f32 = 1.15;
/// Looks of a walk that decide nearly everybody: as many as the gate takes eagerly.
const LOOKS: f32 = 6.0;
/// Angles from which on landmarks and templates suffer. Estimates from five landmarks err by some ten degrees for one face.
const PITCH_DEG: f32 = 22.0;
const YAW_DEG: f32 = 30.0;
/// Exposure and uniformity that 99 of 100 good pictures reach (docs/accuracy.md, `usher evaluate quality`).
const UNDER_EXPOSURE: f32 = 0.85;
const OVER_EXPOSURE: f32 = 0.90;
const DYNAMIC_RANGE: f32 = 0.72;
const UNIFORMITY: f32 = 0.30;
/// Sharpness of a face reduced until its eyes are 11 pixels apart, which costs a seventh of its likeness to itself
/// (docs/accuracy.md): a softer picture of any size says no more than that.
const SHARPNESS: f32 = 0.33;
/// Share of the edges along the way that may be lost to movement.
const SMEAR: f32 = 0.15;
/// Frames a second: looks 80 ms apart want every one of them.
const FPS: f32 = 10.0;
/// Share of frames that may be missing.
const MISSING: f32 = 0.02;
/// Blur that no template notices, in inter-eye distances: a pixel of a face whose eyes are 20 apart.
const BLUR: f32 = 0.05;

/// What can limit recognition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Nobody was seen to walk.
    Nobody,
    /// The eyes are too few pixels apart at the line.
    Small,
    /// Too few looks can be taken before the walk ends.
    Brief,
    /// Seen from above.
    High,
    /// Seen from below.
    Low,
    /// Seen from the side.
    Aside,
    /// Too little light on faces.
    Dark,
    /// Too much.
    Bright,
    /// Light from one side.
    SideLit,
    /// Faces smear when they move: the shutter is open for too long.
    SlowShutter,
    /// Faces are soft even when they are still: focus, dirt, compression.
    Soft,
    /// Too few frames.
    SlowFrames,
    /// Frames are missing, unreadable, or the camera was lost.
    Unsteady,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Which.
    pub limit: Limit,
    /// The figure found.
    pub found: f32,
    /// The figure needed.
    pub needed: f32,
    /// Share of what is needed that is missing, 0..=1.
    pub severity: f32,
}

/// What limits recognition at a camera with these figures, worst first; nothing: the camera is good.
pub fn advice(figures: &Figures, wanted: &Wanted) -> Vec<Advice> {
    let Some(faces) = &figures.faces else {
        return vec![Advice { limit: Limit::Nobody, found: 0.0, needed: 1.0, severity: 1.0 }];
    };
    let mut found: Vec<Advice> = of_faces(faces, wanted);
    let stream = &figures.stream;
    found.extend(at_least(Limit::SlowFrames, stream.fps, FPS));
    found.extend(at_most(Limit::Unsteady, stream.missing, MISSING));
    if stream.faults > 0 && found.iter().all(|advice| advice.limit != Limit::Unsteady) {
        found.push(Advice { limit: Limit::Unsteady, found: stream.missing, needed: MISSING, severity: 0.5 });
    }
    found.sort_by(|a, b| b.severity.total_cmp(&a.severity).then(a.limit.cmp(&b.limit)));
    found
}

fn of_faces(faces: &Faces, wanted: &Wanted) -> Vec<Advice> {
    let large = FIRST_LOOK * wanted.inter_eye_px;
    let mut found: Vec<Advice> = [
        at_least(Limit::Small, faces.line_px, large),
        at_most(Limit::High, -faces.pitch_deg, PITCH_DEG),
        at_most(Limit::Low, faces.pitch_deg, PITCH_DEG),
        at_most(Limit::Aside, faces.yaw_deg.abs(), YAW_DEG),
        dark(faces),
        at_least(Limit::Bright, faces.over_exposure_prevention, OVER_EXPOSURE),
        at_least(Limit::SideLit, faces.illumination_uniformity, UNIFORMITY),
        slow_shutter(faces),
    ]
    .into_iter()
    .flatten()
    .collect();
    let has = |limit: Limit| found.iter().any(|advice| advice.limit == limit);
    let (is_small, is_dark, smears) = (has(Limit::Small), has(Limit::Dark), has(Limit::SlowShutter));
    // What follows from something worse is no advice of its own: a small face is soft and gives few looks, a dark one has no
    // edges, and where faces smear, how sharp they are when still is what tells the lens from the shutter.
    if !is_small && !is_dark {
        let still = faces.smear.filter(|_| smears).map_or(faces.sharpness, |smear| smear.still);
        found.extend(at_least(Limit::Soft, still, SHARPNESS));
    }
    if !is_small {
        found.extend(at_least(Limit::Brief, faces.looks, LOOKS.max(wanted.looks as f32)));
    }
    found
}

/// Black pixels, or a face in a few shades of dark grey.
fn dark(faces: &Faces) -> Option<Advice> {
    let black = at_least(Limit::Dark, faces.under_exposure_prevention, UNDER_EXPOSURE);
    let flat = at_least(Limit::Dark, faces.dynamic_range, DYNAMIC_RANGE).filter(|_| faces.luminance_mean < 0.25);
    black.into_iter().chain(flat).max_by(|a, b| a.severity.total_cmp(&b.severity))
}

fn slow_shutter(faces: &Faces) -> Option<Advice> {
    at_most(Limit::SlowShutter, faces.smear?.share, SMEAR)
}

/// The longest time that a shutter may be open for faces that move at `speed` inter-eye distances a second, as one over so
/// many: 60, 125, 250 or 500.
pub fn shutter(speed: f32) -> u32 {
    let wanted = speed / BLUR;
    [60, 125, 250].into_iter().find(|part| *part as f32 >= wanted).unwrap_or(500)
}

fn at_least(limit: Limit, found: f32, needed: f32) -> Option<Advice> {
    (found < needed).then(|| Advice { limit, found, needed, severity: (1.0 - found / needed).clamp(0.0, 1.0) })
}

fn at_most(limit: Limit, found: f32, needed: f32) -> Option<Advice> {
    (found > needed).then(|| Advice { limit, found, needed, severity: (1.0 - needed / found).clamp(0.0, 1.0) })
}
