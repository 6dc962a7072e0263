//! Flow: how many, how long, what next. Names nobody.
//!
//! Today it counts whoever left a gate's pictures ([`count`]). Queue lengths and forecasts get a file each beside it and
//! read the same [`crate::infer::sighting::Left`]; they never see a template or a picture.

pub mod backtest;
pub mod count;
pub mod forecast;
pub mod series;
pub mod told;
