//! What may be wrong with the outbox's file.

use std::{io, path::PathBuf};

/// Why the outbox's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// Mend me.
    #[error(
        "the outbox {path} cannot be made: {reason}; create its folder and let usher's user write there (key data)"
    )]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Mend me.
    #[error("the outbox {path} is in use; stop the other usher that works in this data folder")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Mend me.
    #[error("the outbox {path} was written by a newer usher (layout {layout}); update this one or move the file away")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: i64,
    },
    /// Wait: space may come.
    #[error("the disk that holds {path} is full; make room there")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Wait: somebody may remount it.
    #[error("the disk that holds {path} is read-only; check the disk and mount it for writing")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Wait: the disk may answer yet.
    #[error("the disk that holds {path} does not answer; check the disk")]
    Hangs {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged; it is moved aside and a new one begun.
    #[error("the outbox {path} is damaged; check the disk")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Wait: anything else that the disk may do.
    #[error("the outbox {path} fails: {reason}; check the disk")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: rusqlite::Error,
    },
}

impl ShelfError {
    /// Whether time or an operator may heal it while usher runs.
    pub fn heals(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::ReadOnly { .. } | Self::Hangs { .. } | Self::Damaged { .. } | Self::Disk { .. }
        )
    }
}
