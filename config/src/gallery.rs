//! Section `gallery`: the people who asked to be known.

use crate::value::Span;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Keys and keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    /// The box key's file (0600). `None`: systemd credential `gallery.key` where there is one, else `DATA/gallery.key`,
    /// made at first use.
    pub key: Option<PathBuf>,
    /// How long a visitor is kept when enrolment names no date. Default 24 h, at most 30 days.
    pub keep: Duration,
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The box key's file (0600). Without it: the systemd credential `gallery.key` where there is one, else
    /// `gallery.key` in the data folder, made at first use.
    #[garde(skip)]
    pub key: Option<PathBuf>,
    /// How long a visitor is kept when enrolment names no date.
    #[garde(skip)]
    #[schemars(extend("x-least" = "1 min", "x-most" = "30 d"))]
    pub keep: Span,
}

impl Default for Written {
    fn default() -> Self {
        Self { key: None, keep: Span(Duration::from_secs(24 * 3600)) }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Gallery {
        Gallery { key: self.key.as_ref().map(|key| folder.join(key)), keep: self.keep.0 }
    }
}
