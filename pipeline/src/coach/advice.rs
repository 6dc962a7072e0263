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
/// Exposure that 99 of 100 good pictures reach, and uniformity that 19 of 20 do (docs/accuracy.md, `usher evaluate quality`): these
/// are held against the median of several walks.
const UNDER_EXPOSURE: f32 = 0.87;
const OVER_EXPOSURE: f32 = 0.93;
const DYNAMIC_RANGE: f32 = 0.76;
const UNIFORMITY: f32 = 0.15;
/// Sharpness of a face reduced until its eyes are 11 pixels apart, which costs a seventh of its likeness to itself
/// (docs/accuracy.md): a softer picture of any size says no more than that.
const SHARPNESS: f32 = 0.33;
/// Share of the edges along the way that may be lost to movement.
const SMEAR: f32 = 0.15;
/// Part of its sharpness that a moving face keeps under a quick shutter.
const KEPT: f32 = 0.85;
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
    if let Some(stream) = &figures.stream {
        found.extend(at_least(Limit::SlowFrames, stream.fps, FPS));
        let lost = (stream.faults > 0).then_some(Advice {
            limit: Limit::Unsteady,
            found: stream.missing,
            needed: MISSING,
            severity: 0.5,
        });
        found.extend(at_most(Limit::Unsteady, stream.missing, MISSING).or(lost));
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

/// A darker face than this is too dark if it has few shades too; dark skin in good light has all of them.
const LUMINANCE_MEAN: f32 = 0.25;

/// Black pixels, or a face in a few shades of dark grey.
fn dark(faces: &Faces) -> Option<Advice> {
    let black = at_least(Limit::Dark, faces.under_exposure_prevention, UNDER_EXPOSURE);
    let flat =
        at_least(Limit::Dark, faces.dynamic_range, DYNAMIC_RANGE).filter(|_| faces.luminance_mean < LUMINANCE_MEAN);
    black.into_iter().chain(flat).max_by(|a, b| a.severity.total_cmp(&b.severity))
}

/// Edges lost along the way alone: landmarks that lag behind a quick face do that a little too, and leave it as sharp.
fn slow_shutter(faces: &Faces) -> Option<Advice> {
    let smear = faces.smear.filter(|smear| smear.moving < KEPT * smear.still)?;
    at_most(Limit::SlowShutter, smear.share, SMEAR)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coach::figures::{Smear, Stream};
    use proptest::prelude::*;
    use std::time::Duration;

    const WANTED: Wanted = Wanted { inter_eye_px: 20.0, apart: Duration::from_millis(80), looks: 3 };

    fn faces() -> Faces {
        Faces {
            first_px: 14.0,
            line_px: 48.0,
            largest_px: 60.0,
            looks: 20.0,
            usable_s: 2.5,
            yaw_deg: 4.0,
            pitch_deg: -8.0,
            luminance_mean: 0.5,
            under_exposure_prevention: 0.99,
            over_exposure_prevention: 1.0,
            dynamic_range: 0.87,
            illumination_uniformity: 0.6,
            sharpness: 0.5,
            speed: 1.0,
            smear: Some(Smear { still: 0.5, moving: 0.48, share: 0.02, speed: 1.5 }),
        }
    }

    fn figures(change: impl FnOnce(&mut Faces)) -> Figures {
        let mut faces = faces();
        change(&mut faces);
        let stream = Stream { width: 1920, height: 1080, seconds: 60.0, fps: 25.0, missing: 0.0, faults: 0 };
        Figures { walks: 5, stream: Some(stream), faces: Some(faces) }
    }

    fn limits(figures: &Figures) -> Vec<Limit> {
        advice(figures, &WANTED).iter().map(|advice| advice.limit).collect()
    }

    #[test]
    fn a_good_camera_is_good() {
        assert_eq!(limits(&figures(|_| {})), []);
        assert_eq!(limits(&figures(|faces| faces.smear = None)), [], "too little movement to tell");
    }

    #[test]
    fn each_limit_is_found_by_its_own_figure_and_by_no_other() {
        type Change = fn(&mut Faces);
        let cases: [(Limit, Change); 11] = [
            (Limit::Small, |faces| (faces.line_px, faces.looks) = (14.0, 0.0)),
            (Limit::Brief, |faces| faces.looks = 2.0),
            (Limit::High, |faces| faces.pitch_deg = -35.0),
            (Limit::Low, |faces| faces.pitch_deg = 30.0),
            (Limit::Aside, |faces| faces.yaw_deg = -40.0),
            (Limit::Dark, |faces| faces.under_exposure_prevention = 0.5),
            (Limit::Dark, |faces| (faces.luminance_mean, faces.dynamic_range, faces.sharpness) = (0.15, 0.6, 0.2)),
            (Limit::Bright, |faces| faces.over_exposure_prevention = 0.6),
            (Limit::SideLit, |faces| faces.illumination_uniformity = 0.02),
            (Limit::SlowShutter, |faces| {
                faces.smear = Some(Smear { still: 0.5, moving: 0.3, share: 0.4, speed: 3.0 });
                faces.sharpness = 0.3;
            }),
            (Limit::Soft, |faces| faces.sharpness = 0.2),
        ];
        for (limit, change) in cases {
            assert_eq!(limits(&figures(change)), [limit]);
        }
    }

    #[test]
    fn the_streams_limits_are_found() {
        let mut slow = figures(|_| {});
        slow.stream.iter_mut().for_each(|stream| stream.fps = 6.0);
        assert_eq!(limits(&slow), [Limit::SlowFrames]);
        for (missing, faults) in [(0.1, 0), (0.0, 1)] {
            let mut torn = figures(|_| {});
            torn.stream.iter_mut().for_each(|stream| (stream.missing, stream.faults) = (missing, faults));
            assert_eq!(limits(&torn), [Limit::Unsteady]);
        }
        assert_eq!(limits(&Figures::default()), [Limit::Nobody]);
        assert_eq!(limits(&Figures { stream: None, ..figures(|_| {}) }), [], "not measured, so not blamed");
    }

    #[test]
    fn a_dark_skin_in_good_light_is_not_too_dark() {
        assert_eq!(limits(&figures(|faces| (faces.luminance_mean, faces.dynamic_range) = (0.22, 0.78))), []);
    }

    #[test]
    fn whoever_moves_faster_needs_a_quicker_shutter() {
        assert_eq!([0.5, 4.0, 10.0, 40.0].map(shutter), [60, 125, 250, 500]);
    }

    proptest! {
        #[test]
        fn the_worst_comes_first_and_whatever_is_told_is_short_of_what_is_needed(
            line_px in 0f32..100.0, looks in 0f32..30.0, pitch_deg in -60f32..60.0, yaw_deg in -60f32..60.0,
            light in prop::array::uniform5(0f32..1.0), sharpness in 0f32..1.0, fps in 0f32..60.0, missing in 0f32..1.0,
        ) {
            let [luminance_mean, under, over, dynamic_range, illumination_uniformity] = light;
            let mut figures = figures(|faces| {
                *faces = Faces {
                    line_px, looks, pitch_deg, yaw_deg, luminance_mean, dynamic_range, illumination_uniformity, sharpness,
                    under_exposure_prevention: under, over_exposure_prevention: over, ..faces.clone()
                };
            });
            figures.stream.iter_mut().for_each(|stream| (stream.fps, stream.missing) = (fps, missing));
            let found = advice(&figures, &WANTED);
            prop_assert!(found.windows(2).all(|two| two[0].severity >= two[1].severity));
            prop_assert!(found.iter().all(|advice| (0.0..=1.0).contains(&advice.severity) && advice.found != advice.needed));
            for (at, advice) in found.iter().enumerate() {
                prop_assert!(found[..at].iter().all(|before| before.limit != advice.limit), "told twice: {:?}", advice.limit);
            }
            // Mending a limit's own figure mends the limit.
            if found.iter().any(|advice| advice.limit == Limit::High) {
                figures.faces.iter_mut().for_each(|faces| faces.pitch_deg = 0.0);
                prop_assert!(advice(&figures, &WANTED).iter().all(|advice| advice.limit != Limit::High));
            }
        }
    }
}
