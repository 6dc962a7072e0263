//! The data folder of a command that may run without a configuration.

use crate::cli::Common;
use std::path::PathBuf;

/// Where weights and pictures lie.
#[derive(clap::Args)]
pub(crate) struct Data {
    /// The data folder; without it that of the configuration, or /var/lib/usher where there is no configuration.
    #[arg(long, env = "USHER_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Data {
    /// As asked for, else as configured, else where a service keeps it.
    pub(crate) fn folder(&self, common: &Common) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.data {
            return Ok(folder.clone());
        }
        if common.config.exists() {
            return Ok(usher_config::read(&common.config)?.data);
        }
        Ok(PathBuf::from("/var/lib/usher"))
    }
}
