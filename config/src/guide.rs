//! Section `guide`: what visitors want to hear.

use crate::document::Checks;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where the guide's files are. Each is read anew when it changes.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Guide {
    /// The programme: YAML, CSV or iCalendar.
    pub programme: Option<PathBuf>,
    /// The places: GeoJSON.
    pub places: Option<PathBuf>,
    /// Public transport: GTFS, a zip file or a folder.
    pub transit: Option<PathBuf>,
}

/// The section as written; paths are relative to the configuration's folder.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The programme, as `.yaml`, `.csv` or `.ics`; without it, greetings name no sessions.
    #[garde(skip)]
    pub programme: Option<PathBuf>,
    /// What is on the site and the ways between, as GeoJSON; without it there is no map, no meal and no way in an itinerary.
    #[garde(skip)]
    pub places: Option<PathBuf>,
    /// Public transport, as GTFS (a zip file or its folder); without it, itineraries name no departures.
    #[garde(skip)]
    pub transit: Option<PathBuf>,
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Guide {
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        Guide { programme: at(&self.programme), places: at(&self.places), transit: at(&self.transit) }
    }
}

/// The files are there.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    for (key, what) in [("programme", "programme"), ("places", "places"), ("transit", "public transport")] {
        let Some(node) = checks.root.get("guide").and_then(|guide| guide.get(key)) else { continue };
        let is_there = |path: &PathBuf| path.is_file() || key == "transit" && path.is_dir();
        let Some(path) = node.text().map(|text| folder.join(text)).filter(|path| !is_there(path)) else { continue };
        let verb = if key == "places" { "are" } else { "is" };
        let message = format!("the {what} `{}` {verb} not there", path.display());
        let mend = format!(
            "put {} there, or mend the path: it is relative to the folder of the configuration",
            if key == "places" { "them" } else { "it" }
        );
        checks.find(node.span.clone(), format!("guide.{key}"), message, mend);
    }
}
