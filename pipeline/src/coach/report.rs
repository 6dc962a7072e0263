//! The coach in words: what limits a camera, with the figure, the threshold and the mend; and what changed since before.

use crate::coach::{
    advice::{Advice, Limit, shutter},
    figures::Figures,
};
use serde::Serialize;

/// What a person must know to say how far to move a camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// From the lens to a face at the line, metres; `None`: not measured, so ways are told in parts of it.
    pub distance_m: Option<f32>,
}

/// One limit in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// Which.
    #[serde(flatten)]
    pub advice: Advice,
    /// What is found and what is needed, one sentence.
    pub found_words: String,
    /// What to change.
    pub mend: String,
}

/// One figure as it is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// Its value now.
    pub now: String,
    /// Its value in the figures of before, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// Whether a lower angle than this needs no mend, degrees: where a lowered camera should come to.
const WELL_DEG: f32 = 12.0;

/// `advice` in words.
pub fn told(advice: &Advice, figures: &Figures, place: &Place) -> Told {
    let Advice { limit, found, needed, .. } = *advice;
    let percent = |share: f32| 100.0 * share;
    let speed = figures.faces.as_ref().map_or(0.0, |faces| faces.smear.map_or(faces.speed, |smear| smear.speed));
    let (found_words, mend) = match limit {
        Limit::Nobody => (
            "nobody was seen to walk through".to_owned(),
            "walk up to the line as visitors do, face towards the camera, and try again; look whether the opt-in zone holds the way".to_owned(),
        ),
        Limit::Small => (
            format!("faces are {found:.0} px between the eyes at the line; {needed:.0} are needed"),
            nearer(needed / found.max(1.0), place),
        ),
        Limit::Brief => (
            format!("a walk gives {found:.0} looks that can be used; {needed:.0} are wanted"),
            "let faces be large and turned to the camera for longer: aim it along the way, not across it; widen the opt-in zone; or take a longer lens, so that looks begin earlier".to_owned(),
        ),
        Limit::High => (
            format!("faces are seen from {found:.0}° above; at most {needed:.0}° is well"),
            lower(found, place),
        ),
        Limit::Low => (
            format!("faces are seen from {found:.0}° below; at most {needed:.0}° is well"),
            "mount the camera higher, at the height of eyes or a little above".to_owned(),
        ),
        Limit::Aside => {
            let side = if figures.faces.as_ref().is_some_and(|faces| faces.yaw_deg > 0.0) { "right" } else { "left" };
            (
                format!("faces are turned {found:.0}° towards the {side} of the picture; at most {needed:.0}° is well"),
                format!("move the camera to the {side}, nearer to where people look as they walk, or put the screen beside the camera"),
            )
        }
        Limit::Dark => (
            format!(
                "faces are too dark: {}",
                figures.faces.as_ref().map_or(String::new(), |faces| format!(
                    "{:.0} % of their pixels are nearly black, and they hold {:.1} of 8 bits",
                    percent(1.0 - faces.under_exposure_prevention),
                    8.0 * faces.dynamic_range
                ))
            ),
            "light the faces at the line from the front; if windows or lamps are behind them, turn the camera away or switch on its wide dynamic range; then raise the gain".to_owned(),
        ),
        Limit::Bright => (
            format!("{:.0} % of a face is burnt out; at most {:.0} % is well", percent(1.0 - found), percent(1.0 - needed)),
            "lower the exposure or the gain, let the camera measure its light at the faces, and shade the line from the sun".to_owned(),
        ),
        Limit::SideLit => (
            format!("both cheeks share {:.0} % of their shades; {:.0} % is needed", percent(found), percent(needed)),
            "light comes from one side: put a lamp on the other, or draw the curtain".to_owned(),
        ),
        Limit::SlowShutter => (
            format!(
                "the exposure time is too long: faces that move lose {:.0} % of their edges along the way; at most {:.0} % is well",
                percent(found),
                percent(needed)
            ),
            format!("set the shutter to 1/{} s or shorter, and give more light or gain for it", shutter(speed)),
        ),
        Limit::Soft => (
            format!("faces are soft even when they hardly move: sharpness {found:.2}; {needed:.2} is needed"),
            "focus the lens at the line, clean it, raise the stream's bit rate, and switch off noise reduction".to_owned(),
        ),
        Limit::SlowFrames => (
            format!("{found:.1} frames a second come; {needed:.0} are needed"),
            "set the stream to 15 or 25 frames a second; cameras that lower it by themselves in the dark have a key for it".to_owned(),
        ),
        Limit::Unsteady => (
            format!(
                "{:.1} % of the frames are missing, and the camera was lost {} times; at most {:.0} % is well",
                percent(found),
                figures.stream.map_or(0, |stream| stream.faults),
                percent(needed)
            ),
            "use `transport: tcp`, lower the bit rate, look at cable and switch".to_owned(),
        ),
    };
    Told { advice: *advice, found_words, mend }
}

/// How to make faces `times` as large.
fn nearer(times: f32, place: &Place) -> String {
    let lens = format!("a lens of {times:.1} times the focal length, or a picture of {times:.1} times the width");
    match place.distance_m {
        Some(metres) => {
            format!("move the camera from {metres:.1} m to {:.1} m before the line, or take {lens}", metres / times)
        }
        None => format!("bring the camera to {:.0} % of its distance from the line, or take {lens}", 100.0 / times),
    }
}

/// How far to lower a camera that sees faces from `deg` above, or how far to move it away.
fn lower(deg: f32, place: &Place) -> String {
    let (angle, well) = (deg.to_radians(), WELL_DEG.to_radians());
    let lower = angle.sin() - angle.cos() * well.tan();
    let away = angle.tan() / well.tan();
    let how = match place.distance_m {
        Some(metres) => format!("lower the camera by about {:.1} m", lower * metres),
        None => format!("lower the camera by about {:.0} % of its distance from a face at the line", 100.0 * lower),
    };
    format!(
        "{how}, or move it {away:.1} times as far away at its height and take a longer lens; a screen below the camera bows heads too"
    )
}

/// The figures line by line, beside those of `before`.
pub fn rows(now: &Figures, before: Option<&Figures>) -> Vec<Row> {
    type Line = (&'static str, fn(&Figures) -> Option<String>);
    let lines: [Line; 14] = [
        ("walks", |of| Some(of.walks.to_string())),
        ("between the eyes when found, px", |of| Some(format!("{:.0}", of.faces.as_ref()?.first_px))),
        ("between the eyes at the line, px", |of| Some(format!("{:.0}", of.faces.as_ref()?.line_px))),
        ("between the eyes at most, px", |of| Some(format!("{:.0}", of.faces.as_ref()?.largest_px))),
        ("looks that can be used", |of| Some(format!("{:.0}", of.faces.as_ref()?.looks))),
        ("over, s", |of| Some(format!("{:.1}", of.faces.as_ref()?.usable_s))),
        ("seen from above, °", |of| Some(format!("{:.0}", whole(-of.faces.as_ref()?.pitch_deg)))),
        ("turned aside, °", |of| Some(format!("{:.0}", whole(of.faces.as_ref()?.yaw_deg)))),
        ("luminance mean, %", |of| Some(format!("{:.0}", 100.0 * of.faces.as_ref()?.luminance_mean))),
        ("burnt out, %", |of| Some(format!("{:.0}", 100.0 * (1.0 - of.faces.as_ref()?.over_exposure_prevention)))),
        ("shades that both cheeks share, %", |of| {
            Some(format!("{:.0}", 100.0 * of.faces.as_ref()?.illumination_uniformity))
        }),
        ("sharpness", |of| Some(format!("{:.2}", of.faces.as_ref()?.sharpness))),
        ("edges lost to movement, %", |of| Some(format!("{:.0}", 100.0 * of.faces.as_ref()?.smear?.share))),
        ("frames a second", |of| Some(format!("{:.1}", of.stream?.fps))),
    ];
    let none = || "–".to_owned();
    let row = |(name, of): Line| Row {
        name,
        now: of(now).unwrap_or_else(none),
        before: before.map(|before| of(before).unwrap_or_else(none)),
    };
    lines.map(row).into()
}

/// Rounded, and never minus nothing.
fn whole(value: f32) -> f32 {
    value.round() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Limit, &str); 13] = [
        (Limit::Nobody, "walk up to the line"),
        (Limit::Small, "a lens of 1.6 times the focal length"),
        (Limit::Brief, "widen the opt-in zone"),
        (Limit::High, "lower the camera by about"),
        (Limit::Low, "mount the camera higher"),
        (Limit::Aside, "move the camera to the left"),
        (Limit::Dark, "light the faces at the line"),
        (Limit::Bright, "lower the exposure"),
        (Limit::SideLit, "put a lamp on the other"),
        (Limit::SlowShutter, "set the shutter to 1/60 s"),
        (Limit::Soft, "focus the lens at the line"),
        (Limit::SlowFrames, "15 or 25 frames a second"),
        (Limit::Unsteady, "`transport: tcp`"),
    ];

    #[test]
    fn every_limit_says_what_to_change() {
        for (limit, mend) in ALL {
            let advice = Advice { limit, found: 14.0, needed: 23.0, severity: 0.4 };
            let told = told(&advice, &Figures::default(), &Place::default());
            assert!(told.mend.contains(mend), "{}", told.mend);
        }
    }

    #[test]
    fn ways_are_told_in_metres_where_the_distance_is_known() {
        let (figures, place) = (Figures::default(), Place { distance_m: Some(3.0) });
        let small = Advice { limit: Limit::Small, found: 14.0, needed: 20.0, severity: 0.3 };
        let words = told(&small, &figures, &place).mend;
        assert!(
            words.starts_with("move the camera from 3.0 m to 2.1 m before the line, or take a lens of 1.4"),
            "{words}"
        );
        // 35° from above at 3 m is 1.72 m above the face and 2.46 m away; 12° there is .52 m above it.
        let high = Advice { limit: Limit::High, found: 35.0, needed: 22.0, severity: 0.4 };
        let words = told(&high, &figures, &place).mend;
        assert!(words.starts_with("lower the camera by about 1.2 m, or move it 3.3 times"), "{words}");
    }
}
