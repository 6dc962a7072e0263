//! Bodies of the enrolment API, in the order in which a visitor meets them.

use crate::{
    gallery::{
        notice::Text,
        visitor::{Custody, VisitorId},
    },
    guide::day::{Day, Nearby},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the page needs to begin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Form {
    /// Whether staff have opened this station.
    pub open: bool,
    /// Whether whoever sits here is staff, and so may give a picture instead of a face.
    pub staff: bool,
    /// The venue.
    pub site: String,
    /// Languages of the page, BCP 47.
    pub languages: Vec<String>,
    /// Sports of the programme; empty: any.
    pub sports: Vec<String>,
    /// Wishes about food that can be told.
    pub food: Vec<String>,
    /// Who may hold the key here; where there are two, the visitor chooses.
    pub custody: Vec<Custody>,
    /// What the visitor must have read.
    pub notice: NoticeShown,
    /// Below this age a parent or guardian must agree, years.
    pub guardian_age: u8,
    /// Most views of a face.
    pub views: u8,
    /// Now, RFC 3339, by the box's clock and in its offset.
    pub time: String,
}

/// The notice as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoticeShown {
    /// Its version.
    pub version: String,
    /// Who answers for the data.
    pub controller: String,
    /// How they are reached.
    pub contact: String,
    /// When everything will be gone, RFC 3339.
    pub expires_at: String,
    /// For whoever enrols with their face, by language.
    pub texts: BTreeMap<String, Text>,
    /// For whoever wants a pass without a face, by language.
    pub pass_texts: BTreeMap<String, Text>,
}

/// Staff open a station.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The token that was printed at start, or one that staff were given.
    pub token: String,
    /// Whether pictures may be given instead of a face, by whoever sits here.
    #[serde(default)]
    pub staff: bool,
}

/// What is wrong while framing, the first thing to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Nobody in the picture.
    None,
    /// More than one person.
    Several,
    /// Too far away.
    Closer,
    /// Too near.
    Back,
    /// Not in the middle.
    Centre,
    /// Not facing the camera.
    Turn,
    /// Too little light.
    Dark,
    /// Too much.
    Bright,
    /// Light from one side.
    SideLit,
    /// Sunglasses, hair, a hand.
    EyesCovered,
    /// A mask, a scarf, a hand.
    MouthCovered,
    /// Blurred by movement.
    Still,
}

/// Where a face is in a picture, shares of its width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Place {
    /// Of the left edge.
    pub x: f32,
    /// Of the upper edge.
    pub y: f32,
    /// Of the picture's width.
    pub width: f32,
    /// Of the picture's height.
    pub height: f32,
}

/// What one look at the camera's picture tells; nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Look {
    /// Faces in it.
    pub faces: usize,
    /// The largest.
    pub face: Option<Place>,
    /// What to mend first.
    pub hint: Option<Framing>,
    /// Whether it would do.
    pub good: bool,
    /// How good a view it would be, 0..=1.
    pub quality: f32,
    /// Where the head is turned, -1 (towards the picture's left edge) to 1; 1 is 45 degrees.
    pub yaw: f32,
}

/// Where the pictures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The station's camera.
    Camera,
    /// A file; for staff only.
    Upload,
}

/// Somebody agrees to be known.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// Views of the face, base64 of JPEG, PNG or WebP files; none: a pass without a face. At most three.
    pub views: Vec<String>,
    /// Where they come from.
    pub source: Source,
    /// The name to be shown: at most 40 letters, no control or bidi characters.
    pub name: String,
    /// Favourite sports, one to three, as the programme writes them.
    pub sports: Vec<String>,
    /// The language to be greeted in.
    pub language: String,
    /// Wishes about food.
    pub food: Vec<String>,
    /// When they mean to arrive, `HH:MM`.
    pub arrival: Option<String>,
    /// Whether they need ways without steps.
    pub step_free: bool,
    /// With whom they want to be greeted: five letters that a family or group agrees on. They are told to nobody.
    #[serde(default)]
    pub together: Option<String>,
    /// Who holds the key.
    pub custody: Custody,
    /// What they agreed to.
    pub consent: Agreed,
}

/// What they agreed to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// SHA-256 of the text that was shown.
    pub notice: String,
    /// The language it was shown in.
    pub language: String,
    /// That they pressed "I agree".
    pub agreed: bool,
    /// Whether they said that they are younger than the guardian's age.
    pub minor: bool,
    /// The parent or guardian who agreed for them.
    pub guardian: Option<String>,
}

/// A pass; the secret in it is shown once and kept nowhere.
#[derive(Serialize, JsonSchema)]
pub struct PassMade {
    /// The QR symbol, an SVG document.
    pub svg: String,
    /// The link in it.
    pub link: String,
    /// The secret alone, 26 letters, to be typed.
    pub code: String,
}

/// Somebody is enrolled.
#[derive(Serialize, JsonSchema)]
pub struct Enrolled {
    /// Their pass.
    pub pass: PassMade,
    /// What they agreed to, signed by the box.
    pub receipt: Value,
    /// When everything will be gone, RFC 3339.
    pub expires_at: String,
    /// Whether a face is known.
    pub face: bool,
}

/// Why somebody was not enrolled.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Refused {
    /// What is wrong, as a word: `name_empty`, `too_small`, …
    pub code: String,
    /// Which view, from 0.
    pub view: Option<usize>,
    /// The same in an English sentence, with the mend.
    pub message: String,
}

/// Whoever has a pass asks about it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The 26 letters of the pass.
    pub secret: String,
}

/// What is kept of whoever has a pass.
#[derive(Serialize, JsonSchema)]
pub struct Kept {
    /// The name to be shown.
    pub name: String,
    /// Favourite sports.
    pub sports: Vec<String>,
    /// The language to be greeted in.
    pub language: String,
    /// The five letters of the group they are greeted with.
    pub together: Option<String>,
    /// When everything will be gone, RFC 3339.
    pub expires_at: String,
    /// Who holds the key.
    pub custody: Custody,
    /// Whether a template of the face is kept.
    pub face: bool,
    /// What they agreed to, signed by the box.
    pub receipt: Value,
    /// The pass again, an SVG document.
    pub svg: String,
    /// The link in it.
    pub link: String,
}

/// Whoever photographed a screen asks for the day.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The 16 letters behind `#` in the screen's QR code.
    pub key: String,
}

/// A day's plan. No name and no face.
#[derive(Serialize, JsonSchema)]
pub struct DayShown {
    /// The venue.
    pub site: String,
    /// The visitor's language, BCP 47; empty: the page's.
    pub language: String,
    /// The plan from now on; none where nothing is left to plan.
    pub day: Option<Day>,
    /// Until when this can be asked, RFC 3339.
    pub expires_at: String,
    /// Now, RFC 3339, by the box's clock and in its offset.
    pub time: String,
}

/// Whoever has a screen's key or a pass asks what is near. One of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Near {
    /// The 16 letters behind `#` in the screen's QR code.
    pub key: Option<String>,
    /// The 26 letters of the pass.
    pub secret: Option<String>,
    /// Where they are, longitude and latitude (WGS 84), where they say so. It is used for this answer and kept nowhere.
    pub at: Option<[f64; 2]>,
}

/// What is near by, open, and liked. No name and no face.
#[derive(Serialize, JsonSchema)]
pub struct NearbyShown {
    /// The best first.
    pub places: Vec<Nearby>,
    /// Whether it is near where they said they are, and not where their day has led them by now.
    pub here: bool,
}

/// Whoever had a pass is forgotten.
#[derive(Serialize, JsonSchema)]
pub struct Forgotten {
    /// That they were, signed by the box.
    pub receipt: Value,
}

/// Somebody in the gallery, for staff.
#[derive(Serialize, JsonSchema)]
pub struct Listed {
    /// Who.
    #[schemars(with = "String")]
    pub id: VisitorId,
    /// The name to be shown; none where the visitor holds the key.
    pub name: Option<String>,
    /// When everything will be gone, RFC 3339.
    pub expires_at: Option<String>,
    /// Who enrolled before with a face like theirs: one of them may have lost a pass, or somebody poses as them.
    #[schemars(with = "Vec<String>")]
    pub like: Vec<VisitorId>,
}

/// Staff forget somebody.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// Who.
    #[schemars(with = "String")]
    pub id: VisitorId,
}
