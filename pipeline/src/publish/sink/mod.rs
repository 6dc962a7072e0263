//! Sinks: whoever takes events out of the tray.

pub mod mail;
pub mod mqtt;
mod reason;
pub mod tls;
pub mod wire;
