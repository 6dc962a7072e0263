//! Sinks: whoever takes events out of the tray.

pub mod course;
pub(crate) mod line;
pub mod mail;
pub mod mqtt;
pub mod reason;
pub mod tls;
pub mod wire;
