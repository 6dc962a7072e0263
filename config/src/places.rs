//! The places: what is on the site, where, and the ways between.
//!
//! A GeoJSON file (RFC 7946) of the venue's own: positions in WGS 84, longitude first.

use crate::value::Name;

/// A position in WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
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

/// Something that can be gone to.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Unique in the file: given, or made of kind, name and position.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name, as people know it; a gate's is its name in the configuration, a venue's that in the programme.
    pub name: String,
    /// Where it is entered.
    pub at: Position,
    /// What it cooks: `noodles`, `italian`.
    pub cuisine: Vec<String>,
    /// Wishes about food that it meets, of the words of enrolment: `vegetarian`, `halal`.
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

/// When a place is open: OpenStreetMap's `opening_hours`, as written (checked); empty = always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening(pub String);

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
