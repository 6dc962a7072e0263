//! Cameras in, welcomes out: the map of `usher`.
//!
//! In the order in which a face meets them.

pub mod clock;
pub mod health;
pub mod in_force;
pub mod metrics;
pub mod supervise;

pub mod accuracy;
pub mod capture;
pub mod coach;
pub mod decide;
pub mod flow;
pub mod gallery;
pub mod guide;
pub mod identify;
pub mod infer;
pub mod publish;
pub mod web;

pub mod wire;

pub mod update;

pub mod cli;
