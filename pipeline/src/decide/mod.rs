//! Decide: identifications to one visit per person per gate.

pub mod visit;
