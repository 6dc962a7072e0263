//! How far a visit has come on its way out, for the operator's eyes.

use crate::clock::Moment;
use uuid::Uuid;

/// A visit has come this far. Holds no person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub visit: Uuid,
    /// How far.
    pub step: Step,
    /// When.
    pub at: Moment,
}

/// The steps of a visit after it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It lies in the outbox, on disk.
    Stored,
    /// The broker has it.
    Acknowledged,
}
