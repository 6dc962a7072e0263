//! Section `flow`: how many come, and what is kept of it.

use crate::{document::Checks, value::Span};
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
    /// The folder of counts from before, `GATE.csv` each.
    pub history: Option<PathBuf>,
    /// Weather that was and will be, a CSV file.
    pub weather: Option<PathBuf>,
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
    /// A folder of counts from before usher counted, a CSV file `GATE.csv` each: forecasts learn from them.
    #[garde(skip)]
    pub history: Option<PathBuf>,
    /// Weather, a CSV file with the columns `rain_mm` and `temperature_c`; forecasts learn what it does.
    #[garde(skip)]
    pub weather: Option<PathBuf>,
}

impl Default for Written {
    fn default() -> Self {
        Self { record: None, keep: Span(Duration::from_secs(365 * 24 * 3600)), history: None, weather: None }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path, data: &Path) -> Flow {
        let record = self.record.as_ref().map_or_else(|| data.join("flow"), |path| folder.join(path));
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        Flow { record, keep: self.keep.0, history: at(&self.history), weather: at(&self.weather) }
    }
}

/// Counts from before and weather are there.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    for (key, what, is_there) in [
        ("history", "folder of earlier counts", Path::is_dir as fn(&Path) -> bool),
        ("weather", "file of the weather", Path::is_file),
    ] {
        let Some(node) = checks.root.get("flow").and_then(|flow| flow.get(key)) else { continue };
        let Some(path) = node.text().map(|text| folder.join(text)).filter(|path| !is_there(path)) else { continue };
        let message = format!("the {what} `{}` is not there", path.display());
        let mend = "put it there, or mend the path: it is relative to the folder of the configuration";
        checks.find(node.span.clone(), format!("flow.{key}"), message, mend);
    }
}
