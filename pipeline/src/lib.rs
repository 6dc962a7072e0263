//! Cameras in, welcomes out: the map of `usher`.
//!
//! In the order in which a face meets them.

pub mod clock;
pub mod health;
pub mod metrics;
pub mod supervise;

pub mod capture;
pub mod infer;
pub mod gallery;
pub mod identify;
pub mod decide;
pub mod guide;
pub mod flow;
pub mod publish;
pub mod web;
pub mod accuracy;

pub mod cli;
