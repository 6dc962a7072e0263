//! Why a gate cannot start, and whether to try again.

use crate::{
    gallery::{file::StoreError, key::KeyError},
    identify::calibration::CalibrationError,
    publish::PublishError,
    web::{WebError, enrol},
};
use std::{io::ErrorKind, path::PathBuf};
use usher_models::error::ModelError;

/// What cannot start, and who must mend it (exit code 78).
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("{path}: {why}; set `data:` to a folder that usher may write")]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The gallery.
    #[error(transparent)]
    Gallery(#[from] StoreError),
    /// The box key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Weights or device.
    #[error(transparent)]
    Models(#[from] ModelError),
    /// The decision rule.
    #[error(transparent)]
    Law(#[from] CalibrationError),
    /// Outbox, broker or certificates.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The pages.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The enrolment station.
    #[error(transparent)]
    Enrol(#[from] enrol::StartError),
}

impl StartError {
    /// Whether it is the disk that fails, which may heal: to be tried again, not to be mended first (exit code 1).
    pub fn waits(&self) -> bool {
        match self {
            Self::Data { why, .. } => matches!(why.kind(), ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem),
            Self::Gallery(error) | Self::Enrol(enrol::StartError::Store(error)) => error.is_disk(),
            _ => false,
        }
    }
}
