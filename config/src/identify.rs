//! Section `rules`: when a match is a match.

use crate::value::{Share, Span};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the venue accepts, and how much evidence it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The share of visitors who never enrolled that may be greeted by a wrong name (target FPIR), 0 < p <= 0.01.
    /// Written `1 per 1000 visitors who never enrolled`. Default 1 per 1000.
    pub wrong_greetings: f64,
    /// Least looks at a face before it may be named, 1..=8. Default 3.
    pub looks: u32,
    /// Least time between two looks that both count. Default 80 ms.
    pub apart: Duration,
    /// Least time from the first to the last of them. Default 250 ms.
    pub over: Duration,
    /// Least distance in score to the second different person, 0..=0.5. Default 0.06.
    pub margin: f32,
    /// The same to the others of their own household, 0..=0.5. Default 0.15.
    pub household_margin: f32,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The share of visitors who never enrolled that may be greeted by a wrong name (target FPIR), at most 1 per 100.
    #[garde(skip)]
    pub wrong_greetings: Share,
    /// Least looks at a face before it may be named.
    #[garde(range(min = 1, max = 8))]
    pub looks: i64,
    /// Least time between two looks that both count.
    #[garde(skip)]
    #[schemars(extend("x-least" = "0 s", "x-most" = "2 s"))]
    pub apart: Span,
    /// Least time from the first to the last of these looks.
    #[garde(skip)]
    #[schemars(extend("x-least" = "0 s", "x-most" = "10 s"))]
    pub over: Span,
    /// Least distance in score to the second different person.
    #[garde(range(min = 0.0, max = 0.5))]
    pub margin: f64,
    /// The same to the others of a declared household (twins, families): nearer than this, neither is named.
    #[garde(range(min = 0.0, max = 0.5))]
    pub household_margin: f64,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            wrong_greetings: Share(0.001),
            looks: 3,
            apart: Span(Duration::from_millis(80)),
            over: Span(Duration::from_millis(250)),
            margin: 0.06,
            household_margin: 0.15,
        }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Rules {
        Rules {
            wrong_greetings: self.wrong_greetings.0,
            looks: u32::try_from(self.looks).unwrap_or(u32::MAX),
            apart: self.apart.0,
            over: self.over.0,
            margin: self.margin as f32,
            household_margin: self.household_margin as f32,
        }
    }
}
