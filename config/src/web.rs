//! Section `web`: the pages.

use crate::value::Listen;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Where the pages are served.
#[derive(Clone, Debug, PartialEq)]
pub struct Web {
    /// Default 127.0.0.1:8080.
    pub listen: SocketAddr,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Where the signage and operator pages are served.
    #[garde(skip)]
    pub listen: Listen,
}

impl Default for Written {
    fn default() -> Self {
        Self { listen: Listen(SocketAddr::from(([127, 0, 0, 1], 8080))) }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Web {
        Web { listen: self.listen.0 }
    }
}
