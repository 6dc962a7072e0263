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
    /// What is kept of a decision, for whoever asks why.
    pub why: Why,
}

/// What is kept of a decision beside its figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Why {
    /// Whether the portrait of whoever was named is kept, in memory, for signed-in operators. Default false.
    pub pictures: bool,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// Where the signage and operator pages are served.
    #[garde(skip)]
    pub listen: Listen,
    /// What the operator's page can show of a decision, beside its figures.
    #[garde(dive)]
    pub why: WrittenWhy,
}

/// The keys of `why` as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenWhy {
    /// Whether the small live picture of whoever was named is kept with the reasons: in memory only, of nobody else, shown to signed-in
    /// operators only.
    #[garde(skip)]
    pub pictures: bool,
}

impl Default for Written {
    fn default() -> Self {
        Self { listen: Listen(SocketAddr::from(([127, 0, 0, 1], 8080))), why: WrittenWhy::default() }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Web {
        Web { listen: self.listen.0, why: Why { pictures: self.why.pictures } }
    }
}
