//! Sinks: whoever takes events out of the tray.

pub mod mqtt;
pub mod tls;
mod wire;
