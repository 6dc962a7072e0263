//! Section `flow`: how many come, and what is kept of it.

use crate::value::Span;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How many come, and what is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// The folder of the counts by minute.
    pub record: PathBuf,
    /// How long they are kept. Default 365 d.
    pub keep: Duration,
}

/// The section as written; paths are relative to the configuration's folder.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The folder of the counts by minute, one CSV file a day; without it `flow` in the data folder.
    #[garde(skip)]
    pub record: Option<PathBuf>,
    /// How long they are kept: forecasts learn from them, and they name nobody.
    #[garde(skip)]
    #[schemars(extend("x-least" = "24 h", "x-most" = "365 d"))]
    pub keep: Span,
}

impl Default for Written {
    fn default() -> Self {
        Self { record: None, keep: Span(Duration::from_secs(365 * 24 * 3600)) }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path, data: &Path) -> Flow {
        let record = self.record.as_ref().map_or_else(|| data.join("flow"), |path| folder.join(path));
        Flow { record, keep: self.keep.0 }
    }
}
