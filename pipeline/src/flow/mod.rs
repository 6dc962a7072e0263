//! Flow: how many, how long, what next. Names nobody.
//!
//! ```text
//! pictures ─► count ─► tallies ─► stage: queue, forecast, advice ─► board ─► publish, pages
//! ```
//! What arrives here is boxes with numbers ([`crate::infer::sighting::Passing`]); no room of flow sees a template or a picture.

pub mod advice;
pub mod backtest;
pub mod board;
pub mod count;
pub mod desk;
pub mod forecast;
pub mod lanes;
pub mod meters;
pub mod queue;
pub mod series;
pub mod simulate;
pub mod stage;
pub mod told;
