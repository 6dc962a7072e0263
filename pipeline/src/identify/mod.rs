//! Identify: sightings to identifications.

pub mod identification;
