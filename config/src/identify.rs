//! Section `rules`: when a match is a match.

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
}
