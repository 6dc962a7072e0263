//! The places: what is on the site, where, and the ways between.
//!
//! A GeoJSON file (RFC 7946) of the venue's own: positions in WGS 84, longitude first. Points are places, lines are
//! paths, polygons are drawn; `properties.kind` says what each is. Properties that are not ours are left alone, since map
//! tools add many.

mod across;
mod feature;
mod geometry;
mod json;
mod opening;
mod properties;
mod property;
mod schema;

use crate::{
    problem::{Problem, Problems},
    value::Name,
};
use std::fmt;

pub use opening::Opening;
pub use schema::{json_schema, table};

/// Largest file that is read: some thirty thousand features.
const LARGEST: u64 = 16 << 20;

/// Wishes about food that a place meets or does not: words of enrolment that whoever says them must be able to rely on.
/// The other wishes (`spicy`, `noodles`, `sweet`) are likings, and are found in `cuisine`.
pub const DIETS: [&str; 7] = ["vegetarian", "vegan", "halal", "kosher", "gluten_free", "dairy_free", "nut_free"];

/// What is only drawn; other polygons are places with a building round them.
pub const DRAWN: [&str; 5] = ["building", "pitch", "green", "water", "square"];

/// A position in WGS 84.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Degrees east, -180..=180.
    pub longitude: f64,
    /// Degrees north, -90..=90.
    pub latitude: f64,
}

/// Everything on the site, as meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// What can be gone to, in the file's order.
    pub places: Vec<Place>,
    /// What can be walked on.
    pub paths: Vec<Path>,
    /// What is drawn on a map, in the file's order.
    pub areas: Vec<Area>,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of the file")]
pub enum Kind {
    Gate,
    Venue,
    Restaurant,
    Cafe,
    Kiosk,
    Rest,
    Toilets,
    FirstAid,
    Water,
    Shop,
    Transit,
    Information,
}

impl Kind {
    /// Every kind and its word in the file.
    pub const ALL: [(&'static str, Self); 12] = [
        ("gate", Self::Gate),
        ("venue", Self::Venue),
        ("restaurant", Self::Restaurant),
        ("cafe", Self::Cafe),
        ("kiosk", Self::Kiosk),
        ("rest", Self::Rest),
        ("toilets", Self::Toilets),
        ("first_aid", Self::FirstAid),
        ("water", Self::Water),
        ("shop", Self::Shop),
        ("transit", Self::Transit),
        ("information", Self::Information),
    ];

    /// The kind of a word; `None` where it is none.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    /// Its word in the file.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether one can eat there.
    pub fn is_food(self) -> bool {
        matches!(self, Self::Restaurant | Self::Cafe | Self::Kiosk)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Something that can be gone to.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Unique in the file: given, or made of kind, name and position.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name, as people know it; a gate's is its name in the configuration, a venue's that in the programme. Empty
    /// where toilets, water, first aid or information have none.
    pub name: String,
    /// Where it is entered.
    pub at: Position,
    /// What it cooks: `noodles`, `italian`.
    pub cuisine: Vec<String>,
    /// Wishes about food that it meets, of [`DIETS`].
    pub diets: Vec<String>,
    /// Price, 1 (cheap) ..= 4.
    pub price: Option<u8>,
    /// When it is open; where nothing is said, always.
    pub opening: Opening,
    /// How popular it is, 0..=1, where somebody knows.
    pub popularity: Option<f64>,
    /// Whether it is entered without steps.
    pub step_free: bool,
    /// The camera that sees who is there, for live popularity.
    pub camera: Option<Name>,
}

/// A way that can be walked in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its points; two at least.
    pub line: Vec<Position>,
    /// Whether it has no steps.
    pub step_free: bool,
}

/// Something drawn on a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// What it is: `building`, `pitch`, `green`, `water`, `square`.
    pub kind: String,
    /// What is written on it.
    pub name: Option<String>,
    /// Its outline, closed: the last point is the first.
    pub outline: Vec<Position>,
}

/// Reads a file of places.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &std::path::Path) -> Result<Places, Problems> {
    read_remarked(path).map(|(places, _)| places)
}

/// Reads a file of places, and says what in it is allowed but deserves a second look: properties that are not read,
/// hours that name holidays.
///
/// # Errors
/// As [`read`].
pub fn read_remarked(path: &std::path::Path) -> Result<(Places, Vec<Problem>), Problems> {
    let text = crate::document::text_within(path, LARGEST, "check the path of the places")?;
    from_text_remarked(&text, &path.display().to_string())
}

/// Reads places from their text; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str) -> Result<Places, Problems> {
    from_text_remarked(text, file_name).map(|(places, _)| places)
}

fn from_text_remarked(text: &str, file_name: &str) -> Result<(Places, Vec<Problem>), Problems> {
    let text = json::plain(text);
    let source = std::sync::Arc::from(text.as_str());
    let mut findings = Vec::new();
    let mut remarks = Vec::new();
    let places = match json::parse(&text) {
        Ok(root) => feature::collection(&root, &mut findings, &mut remarks),
        Err(found) => {
            findings.push(*found);
            Places::default()
        }
    };
    Problems::of(findings, file_name, &source)?;
    let remarks = Problems::of(remarks, file_name, &source).err();
    Ok((places, remarks.iter().flat_map(Problems::iter).cloned().collect()))
}
