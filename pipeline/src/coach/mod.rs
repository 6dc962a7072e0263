//! Coach: what limits recognition at a camera, and what to change.
//!
//! Somebody walks through; the faces of their [`walk`] are measured as the gate would measure them; the [`figures`] of all
//! walks are held against what recognition needs ([`advice`]) and told in words ([`report`]). [`follow`] looks at frames
//! with the gate's detector and trackers and has no embedder: it could not recognise anybody. Nothing of a person is kept,
//! figures only.

pub mod advice;
pub mod figures;
pub mod follow;
pub mod report;
pub mod walk;
