//! What can go wrong between pixels and numbers, by who must act.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Mend me: weights are not installed.
    #[error("{network} is not installed at {path}; run `usher models install` (with `--all` for optional ones)")]
    Missing {
        /// The network asked for.
        network: String,
        /// Where its weights were looked for.
        path: PathBuf,
    },
    /// Mend me: weights are not what the lock file says.
    #[error("{path} is not what models.lock promises ({why}); delete it and run `usher models install`")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Wait: the system does not give them now; memory is short, or the disk fails.
    #[error("{path} could not be read now ({why}); look after the machine's memory and disk, and try again")]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// Mend me: weights that a site brought are not as they were written.
    #[error("{path} is not what was imported ({why}); delete it and bring it again with `usher models import`")]
    Imported {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Mend me: the device asked for is not there.
    #[error("device {asked} is not available ({why}); set `infer: {{ device: cpu }}` or `auto`")]
    Device {
        /// As written in the configuration.
        asked: String,
        /// What the driver said.
        why: String,
    },
    /// Mend me: there is no network of this name.
    #[error("there is no {what} called {name}; choose one of: {known}; or bring one with `usher models import`")]
    Unknown {
        /// Detector, embedder or liveness network.
        what: &'static str,
        /// As written in the configuration.
        name: String,
        /// What there is.
        known: String,
    },
    /// A bug of ours: shapes that do not fit, an operator without an arm.
    #[error("the network could not be computed: {0}")]
    Compute(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        Self::Compute(error.to_string())
    }
}
