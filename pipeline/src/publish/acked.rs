//! When a visit's looks arrived, and how long it took from there.

use crate::clock::Moment;
use std::time::Duration;
use uuid::Uuid;

/// When the frames of a visit's looks arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The first usable one.
    pub first: Moment,
    /// The one that settled it.
    pub settling: Moment,
}

/// A visit that the broker has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Which.
    pub visit: Uuid,
    /// From the first usable look to the acknowledgement: what a visitor waits.
    pub since_first: Duration,
    /// From the look that settled it to the acknowledgement: what software adds to what the rules ask for.
    pub since_settling: Duration,
}
