//! Section `gates`: which cameras make a gate, and how often one greets.

use crate::value::Name;
use std::time::Duration;

/// One gate: a set of cameras that look at the same people.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Its cameras; each belongs to exactly one gate.
    pub cameras: Vec<Name>,
    /// One visit per person and gate in this time. Default 10 min.
    pub quiet: Duration,
}
