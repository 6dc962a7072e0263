//! Accuracy: what was counted, and what may be said of it.

pub mod rates;
pub mod walks;
