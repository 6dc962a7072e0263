//! A visitor: somebody who asked to be known.

use std::{fmt, time::SystemTime};
use uuid::Uuid;

/// Opaque, random; says nothing about the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct VisitorId(pub Uuid);

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// People who declared that they may be taken for each other: twins, a family. Random; says nothing about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Household(pub Uuid);

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
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visitor({}, …)", self.id)
    }
}
