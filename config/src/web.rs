//! Section `web`: the pages.

use std::net::SocketAddr;

/// Where the pages are served.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Default 127.0.0.1:8080.
    pub listen: SocketAddr,
}
