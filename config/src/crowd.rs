//! Crowd files: who walks up to a camera made of pictures.
//!
//! A crowd file is data of the demo, the tests and the benches, not of a venue. It names pictures and where the faces
//! are in them; how a crowd walks is drawn from its seed, so a run can be repeated.

use crate::{
    document::{self, Checks},
    problem::Problems,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A crowd, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Crowd {
    /// Width of the camera's picture, pixels; even. Default 1280.
    #[serde(default = "default::width")]
    #[garde(range(min = 320, max = 3840), custom(even))]
    pub width: u32,
    /// Height of the camera's picture, pixels; even. Default 720.
    #[serde(default = "default::height")]
    #[garde(range(min = 240, max = 2160), custom(even))]
    pub height: u32,
    /// Frames a second. Default 15.
    #[serde(default = "default::fps")]
    #[garde(range(min = 1, max = 60))]
    pub fps: u32,
    /// What chance begins with: the same seed gives the same crowd.
    #[serde(default)]
    pub seed: u64,
    /// The folder that pictures are named from, relative to this file's. Default: the one the demo installs.
    #[serde(default)]
    pub pictures: Option<PathBuf>,
    /// People at once, at most; they walk side by side. Default 3.
    #[serde(default = "default::together")]
    #[garde(range(min = 1, max = 3))]
    pub together: u32,
    /// Whether the crowd begins again, in another order, when everybody has walked. Default true.
    #[serde(default = "default::looped")]
    pub looped: bool,
    /// How they walk.
    #[serde(default)]
    #[garde(dive)]
    pub walk: Gait,
    /// How a walk's picture is changed, so that it is not the one enrolled from.
    #[serde(default)]
    #[garde(dive)]
    pub changes: Changes,
    /// Who walks.
    #[garde(length(min = 1, max = 1000), dive)]
    pub people: Vec<Person>,
}

/// How people walk up, pause and leave.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
pub struct Gait {
    /// Distance between the eyes where a walk begins, pixels. Default 24.
    #[garde(range(min = 8.0, max = 200.0))]
    pub far_px: f32,
    /// Distance between the eyes where it pauses, pixels. Default 70.
    #[garde(range(min = 16.0, max = 300.0))]
    pub near_px: f32,
    /// From far to near, seconds. Default 3.
    #[garde(range(min = 0.5, max = 30.0))]
    pub approach_s: f32,
    /// Shortest pause, seconds. Default 1.
    #[garde(range(min = 0.0, max = 60.0))]
    pub pause_least_s: f32,
    /// Longest pause, seconds. Default 2.
    #[garde(range(min = 0.0, max = 60.0))]
    pub pause_most_s: f32,
    /// From the pause to out of sight, seconds. Default 1.
    #[garde(range(min = 0.2, max = 30.0))]
    pub leave_s: f32,
    /// Empty hall between two groups, seconds. Default 0.5.
    #[garde(range(min = 0.0, max = 600.0))]
    pub gap_s: f32,
}

impl Default for Gait {
    fn default() -> Self {
        Self {
            far_px: 24.0,
            near_px: 70.0,
            approach_s: 3.0,
            pause_least_s: 1.0,
            pause_most_s: 2.0,
            leave_s: 1.0,
            gap_s: 0.5,
        }
    }
}

/// How far chance may change a walk's picture from the original. Zero everywhere (and quality 95) changes nothing.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
pub struct Changes {
    /// Brightness: a gain of up to this part more or less. Default 0.25.
    #[garde(range(min = 0.0, max = 0.8))]
    pub light: f32,
    /// Contrast: an exponent of up to this part more or less. Default 0.2.
    #[garde(range(min = 0.0, max = 0.8))]
    pub gamma: f32,
    /// Colour of the light: a gain of each of R, G, B of up to this part more or less. Default 0.08.
    #[garde(range(min = 0.0, max = 0.5))]
    pub cast: f32,
    /// Detail lost: made smaller by up to this part and enlarged again. Default 0.35.
    #[garde(range(min = 0.0, max = 0.9))]
    pub scale: f32,
    /// Blur, standard deviation in pixels at the nearest, at most. Default 1.0.
    #[garde(range(min = 0.0, max = 8.0))]
    pub blur_px: f32,
    /// Tilt of the head, degrees to either side, at most. Default 12.
    #[garde(range(min = 0.0, max = 45.0))]
    pub tilt_deg: f32,
    /// JPEG quality, at least; at most 90. Default 45.
    #[garde(range(min = 5, max = 90))]
    pub quality: u32,
    /// Blur of movement, as a part of the face's height, at most. Default 0.
    #[garde(range(min = 0.0, max = 0.5))]
    pub motion: f32,
    /// How many times light, detail, blur and compression are drawn for one walk, good and bad; each frame shows one of
    /// them. Default 1.
    #[garde(range(min = 1, max = 16))]
    pub moments: u32,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            light: 0.25,
            gamma: 0.2,
            cast: 0.08,
            scale: 0.35,
            blur_px: 1.0,
            tilt_deg: 12.0,
            quality: 45,
            motion: 0.0,
            moments: 1,
        }
    }
}

/// Somebody who walks.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Person {
    /// A key of this file's own; no two people share one.
    #[garde(length(min = 1, max = 32))]
    pub who: String,
    /// What this person's walks look like: one walk a round for each.
    #[garde(length(min = 1, max = 100), dive)]
    pub looks: Vec<Look>,
    /// Whether this person asked to be known, and as whom.
    #[serde(default)]
    #[garde(dive)]
    pub enrolled: Option<Enrolled>,
}

/// A face in a picture.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Look {
    /// The picture, relative to the pictures' folder.
    pub picture: PathBuf,
    /// The face's box in it: left, top, width, height, pixels.
    #[garde(custom(has_area))]
    pub face: [f32; 4],
    /// The right and the left eye in it: x, y, pixels.
    pub eyes: [[f32; 2]; 2],
}

/// What is enrolled of somebody.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Enrolled {
    /// An invented name.
    #[garde(length(min = 1, max = 64))]
    pub name: String,
    /// The favourite sport, as the programme names it.
    #[garde(length(min = 1, max = 64))]
    pub sport: String,
    /// The picture enrolled from. Default: the first look.
    #[serde(default)]
    #[garde(dive)]
    pub from: Option<Look>,
}

impl Crowd {
    /// Reads and checks the crowd file at `path`.
    ///
    /// # Errors
    /// Every problem of the file, or that it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        document::parse(&document::text_of(path)?, &path.display().to_string(), check)
    }
}

/// No two people share a key: truth could not tell them apart.
fn check(checks: &mut Checks<'_>) {
    let Some(people) = checks.root.entry("people") else { return };
    let mut keys = BTreeSet::new();
    for (index, person) in people.value.items().iter().enumerate() {
        let Some((entry, who)) = person.entry("who").and_then(|entry| Some((entry, entry.value.text()?))) else {
            continue;
        };
        if !keys.insert(who) {
            let message = format!("two people are `{who}`");
            checks.find(
                entry.value.span.clone(),
                format!("people[{index}].who"),
                message,
                "give each a key of its own",
            );
        }
    }
}

impl Person {
    /// The look to enrol this person from, if they asked to be known.
    pub fn enrolled_from(&self) -> Option<&Look> {
        self.enrolled.as_ref().and_then(|enrolled| enrolled.from.as_ref().or(self.looks.first()))
    }
}

fn even(value: &u32, _context: &()) -> garde::Result {
    if value.is_multiple_of(2) { Ok(()) } else { Err(garde::Error::new("must be even")) }
}

fn has_area(face: &[f32; 4], _context: &()) -> garde::Result {
    if face[2] >= 8.0 && face[3] >= 8.0 { Ok(()) } else { Err(garde::Error::new("must be at least 8x8 pixels")) }
}

mod default {
    pub(super) fn width() -> u32 {
        1280
    }
    pub(super) fn height() -> u32 {
        720
    }
    pub(super) fn fps() -> u32 {
        15
    }
    pub(super) fn together() -> u32 {
        3
    }
    pub(super) fn looped() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(text: &str) -> Result<Crowd, Problems> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Crowd::read(file.path())
    }

    const ONE: &str =
        "people:\n- who: a\n  looks:\n  - {picture: a.jpg, face: [0, 0, 90, 120], eyes: [[20, 40], [60, 40]]}\n";

    #[test]
    fn what_is_not_written_has_its_default() {
        let crowd = read(ONE).unwrap();
        assert_eq!((crowd.width, crowd.height, crowd.fps, crowd.together, crowd.looped), (1280, 720, 15, 3, true));
        assert_eq!(crowd.walk, Gait::default());
        assert!(crowd.people[0].enrolled_from().is_none());
    }

    #[test]
    fn two_people_with_one_key_are_refused_with_the_mend() {
        let twice = format!("{ONE}{}", ONE.trim_start_matches("people:\n"));
        let error = read(&twice).unwrap_err().to_string();
        assert!(error.contains("two people are `a`") && error.contains("give each a key of its own"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_refused_by_place() {
        let error = read(&format!("width: 1281\n{ONE}")).unwrap_err().to_string();
        assert!(error.contains("1281") && error.contains("even"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Crowd::read(Path::new("nowhere.yaml")).unwrap_err().to_string();
        assert!(error.contains("nowhere.yaml") && error.contains("check the path"), "{error}");
    }
}
