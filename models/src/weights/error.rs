//! Why weights or pictures could not be installed.

use std::path::{Path, PathBuf};

/// An error of installing.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Mend me: the lock file is not one.
    #[error("the lock file cannot be read ({why}); take it from the release again")]
    Lock {
        /// What is wrong, with its place.
        why: String,
    },
    /// Mend me: nobody may use what has no licence.
    #[error("{name} has no licence in the lock file; write down what its weights may be used for, or take it out")]
    NoLicence {
        /// The row.
        name: String,
    },
    /// Mend me: a row says something that cannot be.
    #[error("row {name} of the lock file: {why}; take the file from the release again")]
    Row {
        /// The row.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The world: the registry did not answer, or its client is not installed.
    #[error(
        "{archive} could not be fetched with `{command}` ({why}); check the network, or put the file in a folder and run `usher models install --from DIR`"
    )]
    Fetch {
        /// The archive's file name.
        archive: String,
        /// What was run.
        command: String,
        /// What it said.
        why: String,
    },
    /// Mend me: the folder given does not hold the archive.
    #[error("{archive} is not in {folder}; put it there, or leave out `--from` to fetch it")]
    NotInFolder {
        /// The archive's file name.
        archive: String,
        /// The folder given.
        folder: PathBuf,
    },
    /// Mend me: something came that is not what was reviewed.
    #[error(
        "{file} has the sha256 {found}, the lock file promises {promised}; nothing was installed: fetch it again, and if it stays so do not use it"
    )]
    Hash {
        /// The archive or the file in it.
        file: String,
        /// What was found.
        found: String,
        /// What the lock file says.
        promised: String,
    },
    /// Mend me: the archive is the right one, and still does not hold what the row names.
    #[error("{file} could not be taken out of {archive} ({why}); mend the row of the lock file")]
    Inner {
        /// The file in the archive.
        file: String,
        /// The archive.
        archive: String,
        /// Why not.
        why: String,
    },
    /// Mend me: the network has a part that usher does not know.
    #[error("{network} cannot be imported: {why}; use a network of the table in docs/accuracy.md")]
    Import {
        /// The row.
        network: String,
        /// What was met.
        why: String,
    },
    /// Mend me: the disk.
    #[error("{path}: {why}; check that the folder exists, is writable and not full")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl InstallError {
    /// Of a path.
    pub(crate) fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |error| Self::Disk { path: path.to_owned(), why: error.to_string() }
    }
}
