//! Why a gate cannot start, and whether to try again.

use crate::{
    gallery::{enrol::EnrolError, file::StoreError, key::KeyError},
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
    /// Whether it is the disk that fails, or memory that is short, which may pass: to be tried again, not to be mended first (exit
    /// code 1). A unit does not start again what ended with another.
    pub fn waits(&self) -> bool {
        match self {
            Self::Data { why, .. } => {
                is_short(why) || matches!(why.kind(), ErrorKind::StorageFull | ErrorKind::ReadOnlyFilesystem)
            }
            Self::Gallery(error)
            | Self::Enrol(enrol::StartError::Store(error) | enrol::StartError::Enrol(EnrolError::Store(error))) => {
                error.passes()
            }
            Self::Models(error) | Self::Enrol(enrol::StartError::Enrol(EnrolError::Models(error))) => {
                matches!(error, ModelError::Unread { .. })
            }
            Self::Key(error) | Self::Publish(PublishError::Key(error)) => {
                matches!(error, KeyError::System { why, .. } if is_short(why))
            }
            Self::Law(CalibrationError::System { why, .. })
            | Self::Web(WebError::Runtime(why))
            | Self::Enrol(enrol::StartError::Runtime(why) | enrol::StartError::Notice(why)) => is_short(why),
            _ => false,
        }
    }
}

/// Whether the system has no memory or no thread to give.
fn is_short(why: &std::io::Error) -> bool {
    matches!(why.kind(), ErrorKind::OutOfMemory | ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_must_be_mended_is_not() {
        let path = || PathBuf::from("/data/x");
        let short = || std::io::Error::from(ErrorKind::OutOfMemory);
        for error in [
            ModelError::Unread { path: path(), why: short() }.into(),
            StoreError::Memory { path: path() }.into(),
            StoreError::Busy { path: path() }.into(),
            StartError::from(KeyError::System { path: path(), why: short() }),
            WebError::Runtime(ErrorKind::WouldBlock.into()).into(),
        ] {
            assert!(error.waits(), "{error}");
        }
        for error in [
            StartError::from(ModelError::Corrupt { path: path(), why: "changed".into() }),
            StoreError::WrongKey { path: path() }.into(),
            KeyError::System { path: path(), why: ErrorKind::PermissionDenied.into() }.into(),
        ] {
            assert!(!error.waits(), "{error}");
        }
    }
}
