//! Infer: frames to sightings.

pub mod sighting;
pub mod watched;
