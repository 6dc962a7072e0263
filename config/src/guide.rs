//! Section `guide`: what visitors want to hear.

use std::path::PathBuf;

/// Where the programme is.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Guide {
    /// The programme's YAML file, relative to the configuration's folder.
    pub programme: Option<PathBuf>,
}
