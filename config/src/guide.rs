//! Section `guide`: what visitors want to hear.

use crate::document::Checks;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where the programme is.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Guide {
    /// The programme's YAML file, relative to the configuration's folder.
    pub programme: Option<PathBuf>,
}

/// The section as written.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The programme's YAML file; without it, greetings name no sessions.
    #[garde(skip)]
    pub programme: Option<PathBuf>,
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Guide {
        Guide { programme: self.programme.as_ref().map(|path| folder.join(path)) }
    }
}

/// The programme is there.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    let Some(node) = checks.root.get("guide").and_then(|guide| guide.get("programme")) else { return };
    let Some(path) = node.text().map(|text| folder.join(text)).filter(|path| !path.is_file()) else { return };
    let message = format!("the programme `{}` is not there", path.display());
    let mend = "put it there, or mend the path: it is relative to the folder of the configuration";
    checks.find(node.span.clone(), "guide.programme", message, mend);
}
