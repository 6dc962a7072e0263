//! A visitor: somebody who asked to be known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, time::SystemTime};
use uuid::Uuid;

/// Opaque, random; says nothing about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VisitorId(pub Uuid);

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// People who declared that they may be taken for each other: twins, a family. Random; says nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Household(pub Uuid);

/// Who holds the key to what is kept of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Custody {
    /// The box: a gate in mode `identification` recognises them whenever they walk by.
    #[default]
    Box,
    /// The visitor alone, in the pass: the box can open nothing until the pass is shown to a camera.
    Visitor,
}

impl Custody {
    /// As the store writes it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Box => 0,
            Self::Visitor => 1,
        }
    }

    /// As the store wrote it; whatever is unknown is the visitor's own.
    pub(crate) fn of(number: i64) -> Self {
        if number == 0 { Self::Box } else { Self::Visitor }
    }
}

/// What a visitor would like, beyond the first favourite sport. `Debug` prints nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wishes {
    /// Further favourite sports, as the programme writes them.
    pub sports: Vec<String>,
    /// The language to be greeted in, BCP 47; empty = the venue's.
    pub language: String,
    /// Wishes about food, such as `vegetarian` (see [`FOOD`]).
    pub food: Vec<String>,
    /// When they mean to arrive, `HH:MM` by the venue's clock.
    pub arrival: Option<String>,
    /// Whether they need ways without steps.
    pub step_free: bool,
    /// The code by which a family or group is greeted together ([`together`]).
    pub together: Option<String>,
}

/// Letters of a group's code: a family remembers them, and two families hardly share one (1 in 11 million).
pub const TOGETHER: usize = 5;

/// A group's code as it is kept: five letters, A to Z. `None`: no code.
pub fn together(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    (letters.len() == TOGETHER && letters.bytes().all(|b| b.is_ascii_uppercase())).then_some(letters)
}

impl fmt::Debug for Wishes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wishes(…)")
    }
}

/// The wishes about food that can be told.
pub const FOOD: [&str; 10] =
    ["vegetarian", "vegan", "halal", "kosher", "gluten_free", "dairy_free", "nut_free", "spicy", "noodles", "sweet"];

/// What a visitor told us. `Debug` prints the id only.
#[derive(Clone, PartialEq)]
pub struct Visitor {
    /// Who.
    pub id: VisitorId,
    /// The name to be shown, at most 40 graphemes, no control or bidi characters.
    pub name: String,
    /// The favourite sport, as the programme writes it.
    pub sport: String,
    /// When the template must be gone.
    pub expires: SystemTime,
    /// With whom they may be confused.
    pub household: Option<Household>,
    /// Who holds the key to what is kept.
    pub custody: Custody,
    /// What else they told.
    pub wishes: Wishes,
}

impl Visitor {
    /// Somebody of whom this much is known, with nothing else told.
    pub fn named(id: VisitorId, name: &str, sport: &str, expires: SystemTime) -> Self {
        let (name, sport) = (name.to_owned(), sport.to_owned());
        Self { id, name, sport, expires, household: None, custody: Custody::default(), wishes: Wishes::default() }
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visitor({}, …)", self.id)
    }
}
