//! Sinks: whoever takes events out of the tray.

pub mod mqtt;
mod reason;
pub mod tls;
mod wire;
