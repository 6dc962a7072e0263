//! Sinks: whoever takes events out of the tray.

mod course;
pub(crate) mod line;
pub mod mqtt;
mod reason;
pub mod tls;
mod wire;
