//! Why a network could not be brought.

use std::path::{Path, PathBuf};

/// An error of importing. Each is for whoever brings the network to mend.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nobody said what the weights may be used for.
    #[error(
        "nothing says what {file} may be used for; look it up where the weights are from and write it down with `--licence TEXT`"
    )]
    NoLicence {
        /// The file.
        file: PathBuf,
    },
    /// The name cannot be one.
    #[error("{name:?} cannot be the name of a network; choose one of a-z, 0-9 and - with `--name NAME`")]
    Name {
        /// As asked for, or made of the file's name.
        name: String,
    },
    /// The name is that of another network.
    #[error("{name} is {whose}; choose another with `--name NAME`")]
    Taken {
        /// The name.
        name: String,
        /// Whose name it is.
        whose: String,
    },
    /// The file could not be read.
    #[error("{path}: {why}; check the path and its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is nothing that can be imported.
    #[error("{file} cannot be imported as {architecture}: {why}")]
    Unfit {
        /// The file.
        file: PathBuf,
        /// What it was said to be.
        architecture: &'static str,
        /// What was met, and the mend.
        why: String,
    },
    /// It says nothing of how it is used.
    #[error(
        "the file does not say {what}; look it up where the weights are from and write `{option}` (minivision's file names tell both)"
    )]
    NoAttack {
        /// What is missing.
        what: &'static str,
        /// The option with an example.
        option: &'static str,
    },
    /// The disk.
    #[error("{path}: {why}; check that the folder exists, is writable and not full")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl ImportError {
    /// Of a path.
    pub(crate) fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |error| Self::Disk { path: path.to_owned(), why: error.to_string() }
    }
}
