//! Section `publish`: who must hear, and over which broker.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Broker, greeting and outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Embedded unless an URL is given.
    pub broker: Broker,
    /// How long a greeting stays on the screen; its `expires_at`. 2 s..=60 s. Default 8 s.
    pub greeting: Duration,
    /// Whether the live face of the person welcomed is sent along. Default true.
    pub face: bool,
    /// How long an unacknowledged visit is kept before it is counted as expired. Default 72 h.
    pub keep: Duration,
}

/// The broker.
#[derive(Clone, Debug, PartialEq)]
pub enum Broker {
    /// In this process.
    Embedded {
        /// MQTT over TCP. Default 127.0.0.1:1883.
        listen: SocketAddr,
        /// MQTT over WebSocket. Default 127.0.0.1:8083.
        websocket: SocketAddr,
    },
    /// Somewhere else: `mqtt://HOST:PORT` or `mqtts://HOST:PORT`.
    External {
        /// Host name or address.
        host: String,
        /// Port; 1883, or 8883 with TLS.
        port: u16,
        /// TLS where the URL says `mqtts`.
        tls: Option<Tls>,
        /// User and password.
        login: Option<crate::capture::Login>,
        /// Where browsers reach it: `ws://…` or `wss://…`.
        websocket: Option<String>,
    },
}

/// Certificates for an external broker.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tls {
    /// Authorities to trust (PEM) instead of the system's.
    pub ca: Option<PathBuf>,
    /// Client certificate (PEM).
    pub certificate: Option<PathBuf>,
    /// Its key (PEM, 0600).
    pub key: Option<PathBuf>,
}
