//! Archives from their registries, or from a folder.

use crate::weights::{
    error::InstallError,
    lock::{Kind, Package, sha256_of},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// No archive that is read is larger; a bound on memory, not a promise.
const LARGEST: u64 = 512 << 20;

/// Fetches archives, each once, and keeps them until it is dropped.
pub struct Fetcher<'a> {
    from: Option<&'a Path>,
    folder: tempfile::TempDir,
    fetched: HashMap<String, PathBuf>,
}

impl<'a> Fetcher<'a> {
    /// From the folder `from`, or from the registries. Scratch files are made below `scratch`, which must exist.
    ///
    /// # Errors
    /// [`InstallError::Disk`] when `scratch` cannot be written.
    pub fn new(from: Option<&'a Path>, scratch: &Path) -> Result<Self, InstallError> {
        let folder =
            tempfile::Builder::new().prefix(".fetch-").tempdir_in(scratch).map_err(InstallError::disk(scratch))?;
        Ok(Self { from, folder, fetched: HashMap::new() })
    }

    /// Whether asking for `package` means running a client.
    pub fn is_near(&self, package: &Package) -> bool {
        self.from.is_some() || self.fetched.contains_key(&package.sha256)
    }

    /// The bytes of the archive; its hash is that of the lock file.
    ///
    /// # Errors
    /// When it cannot be had, or is not what was promised.
    pub fn archive(&mut self, package: &Package) -> Result<Vec<u8>, InstallError> {
        let path = match (self.from, self.fetched.get(&package.sha256)) {
            (Some(folder), _) => {
                let path = folder.join(&package.archive);
                if !path.is_file() {
                    return Err(InstallError::NotInFolder {
                        archive: package.archive.clone(),
                        folder: folder.to_owned(),
                    });
                }
                path
            }
            (None, Some(path)) => path.clone(),
            (None, None) => {
                let path = fetched(package, self.folder.path())?;
                self.fetched.insert(package.sha256.clone(), path.clone());
                path
            }
        };
        let length = std::fs::metadata(&path).map_err(InstallError::disk(&path))?.len();
        if length > LARGEST {
            return Err(InstallError::Disk { path, why: format!("{length} bytes are more than any package has") });
        }
        let bytes = std::fs::read(&path).map_err(InstallError::disk(&path))?;
        let found = sha256_of(&bytes);
        if found != package.sha256 {
            return Err(InstallError::Hash { file: package.archive.clone(), found, promised: package.sha256.clone() });
        }
        Ok(bytes)
    }
}

/// Runs the client, returns where the archive lies.
fn fetched(package: &Package, folder: &Path) -> Result<PathBuf, InstallError> {
    let Package { name, version, archive, .. } = package;
    let mut command = match package.kind {
        Kind::PypiWheel | Kind::PypiSource => {
            let form = if package.kind == Kind::PypiWheel { "--only-binary" } else { "--no-binary" };
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps", form, ":all:"]);
            pip.arg("--dest").arg(folder).arg(format!("{name}=={version}"));
            pip
        }
        Kind::Npm => {
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(folder);
            npm.arg(format!("{name}@{version}"));
            npm
        }
    };
    command.current_dir(folder).stdin(Stdio::null());
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let failed = |why: String| InstallError::Fetch { archive: archive.clone(), command: words.join(" "), why };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        return Err(failed(last.trim().to_owned()));
    }
    let path = folder.join(archive);
    if path.is_file() { Ok(path) } else { Err(failed(format!("it left no file {archive}"))) }
}
