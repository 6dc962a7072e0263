//! Why a gate cannot start.

use crate::{
    gallery::{file::StoreError, key::KeyError},
    identify::calibration::CalibrationError,
    publish::PublishError,
    web::{WebError, enrol},
};
use std::path::PathBuf;
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
