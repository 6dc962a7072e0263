//! The order in which a network gets onto the disk.

use crate::weights::{
    archive::inner,
    error::InstallError,
    fetch::Fetcher,
    lock::{Lock, Network, sha256_of},
    onnx,
    recognise::recognised,
    store::{Stored, path_of, replace},
};
use std::path::{Path, PathBuf};

/// What is being done, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is there already, and whole.
    Present,
    /// A client of a registry runs; minutes on a slow line.
    Fetching,
    /// Hashes are checked and numbers converted.
    Converting,
    /// It has just been installed.
    Installed,
}

/// Which networks of a lock file are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are not optional, and optional ones that are there already in an older form.
    Needed,
    /// Every one.
    All,
}

/// Installs networks of a lock file into the folder `to`, which is made when it is not there.
///
/// From the registries, or from the archives in `from`. What is there and whole is left alone. `progress` is told the
/// row and what is being done to it.
///
/// # Errors
/// The first row that cannot be installed ends it; rows before it stay installed.
pub fn install(
    lock_text: &str,
    to: &Path,
    from: Option<&Path>,
    which: Which,
    progress: &mut dyn FnMut(&str, Progress),
) -> Result<(), InstallError> {
    let lock = Lock::read(lock_text)?;
    std::fs::create_dir_all(to).map_err(InstallError::disk(to))?;
    let mut fetcher = Fetcher::new(from, to)?;
    let is_wanted =
        |network: &&Network| which == Which::All || !network.optional || path_of(to, &network.name).is_file();
    for network in lock.networks.iter().filter(is_wanted) {
        if Stored::read(to, &network.name, &network.sha256).is_ok() && original(to, network).is_some() {
            progress(&network.name, Progress::Present);
            continue;
        }
        let bytes = match original(to, network) {
            Some(bytes) => bytes,
            None => {
                let package = lock.package(&network.package)?;
                if !fetcher.is_near(package) {
                    progress(&network.name, Progress::Fetching);
                }
                inner(package, &fetcher.archive(package)?, &network.file, network.form, &network.sha256)?
            }
        };
        progress(&network.name, Progress::Converting);
        let stored = onnx::graph(&bytes)
            .and_then(|graph| recognised(&graph, &network.name, &network.sha256))
            .map_err(|why| InstallError::Import { network: network.name.clone(), why })?;
        let (path, original) = (path_of(to, &network.name), original_path_of(to, &network.name));
        replace(&original, &bytes).map_err(InstallError::disk(&original))?;
        stored.write(&path).map_err(InstallError::disk(&path))?;
        progress(&network.name, Progress::Installed);
    }
    Ok(())
}

/// Where the file lies that a network was made from. It is kept so that a later version can convert it again without a
/// network, and so that the golden test reads what the makers published.
pub fn original_path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.onnx"))
}

/// The file a network was made from, when it is there and the one of the lock file.
fn original(folder: &Path, network: &Network) -> Option<Vec<u8>> {
    std::fs::read(original_path_of(folder, &network.name)).ok().filter(|bytes| sha256_of(bytes) == network.sha256)
}

/// Whether a network of the folder is there and whole.
pub fn is_installed(folder: &Path, network: &Network) -> bool {
    Stored::read(folder, &network.name, &network.sha256).is_ok()
}
