//! The file of an update: what it is, who signed that, and the Debian package itself.
//!
//! ```text
//! usher update 1
//! {"architecture":"amd64","length":20971520,"package":"usher","sha256":"…","version":"0.2.0"}
//! SIGNATURE (Ed25519 of the two lines above, 128 hexadecimal digits)
//! the package, `length` bytes
//! ```
//!
//! A package is believed once its bytes have the signed length and hash, and no tool has looked into it before.

use crate::update::keys::{Maker, Trusted};
use data_encoding::HEXLOWER as HEX;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The first line.
const FIRST: &str = "usher update 1\n";
/// Longest line of a head, bytes: names and numbers, nothing more.
const LINE: u64 = 4096;
/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// What an update is, as its maker signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `amd64`, `arm64`.
    pub architecture: String,
    /// Bytes of the package.
    pub length: u64,
    /// `usher`.
    pub package: String,
    /// SHA-256 of the package, hexadecimal.
    pub sha256: String,
    /// As Debian compares versions.
    pub version: String,
}

/// Why a file is no update for this box.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system would not let it be read or written.
    #[error("{path}: {why}; copy the file anew, to a disk with room")]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Something else.
    #[error("{path} is no update of usher ({what}); take the file that `usher update sign` wrote")]
    Other {
        /// The file.
        path: PathBuf,
        /// What about it is not.
        what: &'static str,
    },
    /// Nobody who is trusted here signed it.
    #[error("{path} is not signed by a key in update.pub, or was changed; nothing of it was used. Ask its maker")]
    Forged {
        /// The file.
        path: PathBuf,
    },
    /// Shorter or longer than signed.
    #[error("{path} holds {found} bytes of a package of {signed}; copy the file anew")]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes found; of what is too long, one more than signed.
        found: u64,
        /// Bytes signed.
        signed: u64,
    },
}

/// Writes `package` (a `.deb`) with its signed head into a new file.
///
/// # Errors
/// [`FileError::System`].
pub fn sign(maker: &Maker, manifest: &Manifest, package: &Path, to: &Path) -> Result<(), FileError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |why| FileError::System { path, why }
    };
    let head = head(manifest);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(to).map_err(failed(to))?;
    writeln!(file, "{head}{}", HEX.encode(&maker.sign(head.as_bytes()))).map_err(failed(to))?;
    let mut package = fs::File::open(package).map_err(failed(package))?;
    io::copy(&mut package, &mut file).and_then(|_| file.sync_all()).map_err(failed(to))
}

/// What is signed.
fn head(manifest: &Manifest) -> String {
    let line = serde_json::to_string(manifest).expect("names and numbers are JSON");
    format!("{FIRST}{line}\n")
}

/// An update whose signature is good; its package is not read yet.
#[derive(Debug)]
pub struct Update {
    /// What was signed.
    pub manifest: Manifest,
    path: PathBuf,
    rest: BufReader<fs::File>,
}

/// Reads the head of an update and holds its signature against the keys of this box.
///
/// # Errors
/// [`FileError`].
pub fn open(path: &Path, trusted: &Trusted) -> Result<Update, FileError> {
    let failed = |why| FileError::System { path: path.to_owned(), why };
    let other = |what| FileError::Other { path: path.to_owned(), what };
    let mut rest = BufReader::new(fs::File::open(path).map_err(failed)?);
    let mut line = |what| -> Result<Vec<u8>, FileError> {
        let mut line = Vec::new();
        rest.by_ref().take(LINE).read_until(b'\n', &mut line).map_err(failed)?;
        if line.last() == Some(&b'\n') { Ok(line) } else { Err(other(what)) }
    };
    let first = line("its first line does not end")?;
    if first != FIRST.as_bytes() {
        return Err(other("its first line is another"));
    }
    let (told, signature) = (line("its second line does not end")?, line("its signature does not end")?);
    let signature = HEX.decode(&signature[..signature.len() - 1]).map_err(|_| other("its signature is none"))?;
    // Before anything of it is understood.
    if !trusted.signed(&[first, told.clone()].concat(), &signature) {
        return Err(FileError::Forged { path: path.to_owned() });
    }
    let manifest = serde_json::from_slice(&told).map_err(|_| other("what was signed cannot be read"))?;
    Ok(Update { manifest, path: path.to_owned(), rest })
}

impl Update {
    /// Reads the package once, into `to`: what was held against the hash is what is used, whatever becomes of the file.
    ///
    /// # Errors
    /// [`FileError`]; what stands in `to` then is not to be used.
    pub fn copy(mut self, to: &mut impl io::Write) -> Result<Manifest, FileError> {
        let failed = |why| FileError::System { path: self.path.clone(), why };
        let (mut hash, mut found, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
        let signed = self.manifest.length;
        loop {
            let read = self.rest.read(&mut piece).map_err(failed)?;
            found += read as u64;
            if read == 0 || found > signed {
                break;
            }
            hash.update(&piece[..read]);
            to.write_all(&piece[..read]).map_err(failed)?;
        }
        if found != signed {
            return Err(FileError::Length { path: self.path, found: found.min(signed + 1), signed });
        }
        if HEX.encode(&hash.finalize()) != self.manifest.sha256 {
            return Err(FileError::Forged { path: self.path });
        }
        Ok(self.manifest)
    }
}

/// SHA-256 of a file, hexadecimal, and its bytes.
///
/// # Errors
/// [`FileError::System`].
pub fn measured(path: &Path) -> Result<(String, u64), FileError> {
    let failed = |why| FileError::System { path: path.to_owned(), why };
    let (mut hash, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    let mut file = fs::File::open(path).map_err(failed)?;
    loop {
        let read = file.read(&mut piece).map_err(failed)?;
        if read == 0 {
            return Ok((HEX.encode(&hash.finalize()), length));
        }
        hash.update(&piece[..read]);
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Signed {
        _folder: tempfile::TempDir,
        path: PathBuf,
        trusted: Trusted,
        bytes: Vec<u8>,
    }

    fn signed(package: &[u8]) -> Signed {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let maker = Maker::make(&at("key")).unwrap();
        fs::write(at("pub"), maker.public()).unwrap();
        fs::write(at("deb"), package).unwrap();
        let (sha256, length) = measured(&at("deb")).unwrap();
        let [architecture, package, version] = ["amd64", "usher", "0.2.0"].map(str::to_owned);
        sign(&maker, &Manifest { architecture, length, package, sha256, version }, &at("deb"), &at("update")).unwrap();
        let (path, trusted) = (at("update"), Trusted::read(&at("pub")).unwrap());
        let bytes = fs::read(&path).unwrap();
        Signed { _folder: folder, path, trusted, bytes }
    }

    /// The package, where the file is believed.
    fn taken(of: &Signed, bytes: &[u8]) -> Result<Vec<u8>, FileError> {
        fs::write(&of.path, bytes).unwrap();
        let mut package = Vec::new();
        open(&of.path, &of.trusted)?.copy(&mut package).map(|_| package)
    }

    #[test]
    fn what_was_signed_comes_out_again() {
        let package = (0..300_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>();
        let file = signed(&package);
        assert_eq!(taken(&file, &file.bytes).unwrap(), package);
    }

    #[test]
    fn every_cut_is_refused_with_the_mend_and_so_is_more() {
        let file = signed(b"a package");
        for length in 0..file.bytes.len() {
            let error = taken(&file, &file.bytes[..length]).unwrap_err().to_string();
            assert!(error.contains("copy the file anew") || error.contains("usher update sign"), "{length}: {error}");
        }
        let error = taken(&file, &[file.bytes.as_slice(), b"!"].concat()).unwrap_err().to_string();
        assert!(error.contains("holds 10 bytes of a package of 9"), "{error}");
    }

    #[test]
    fn another_maker_is_refused_with_the_mend() {
        let (ours, theirs) = (signed(b"a package"), signed(b"a package"));
        let error = taken(&ours, &theirs.bytes).unwrap_err().to_string();
        assert!(error.contains("not signed by a key in update.pub") && error.contains("Ask its maker"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_byte_of_it_can_be_changed(at in any::<prop::sample::Index>(), by in 1u8..) {
            let file = signed(b"a package");
            let mut bytes = file.bytes.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            prop_assert!(taken(&file, &bytes).is_err(), "byte {at} was changed by {by} and the file was believed");
        }
    }
}
