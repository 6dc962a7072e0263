//! Keys of updates: whose a box takes, and with which a maker signs.
//!
//! Ed25519 (RFC 8032). The maker's key is PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it too; a box knows
//! public keys only, as lines of 64 hexadecimal digits.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use rand::{TryRng as _, rngs::SysRng};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where a box keeps the public keys whose updates it takes.
pub const PATH: &str = "/etc/usher/update.pub";

/// What stands before the 32 bytes of a seed in PKCS#8 (RFC 8410, version 1).
const HEAD: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// Why there is no key. All of these are for a person to mend.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No file, or not for us to read.
    #[error("{path}: {why}; name a file that is there and that you may read")]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// A line that is no key.
    #[error("{path}:{line}: a public key is 64 hexadecimal digits; `usher update key FILE` prints one")]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// Nobody is trusted.
    #[error(
        "{path} names no key or is not there, so no update can be trusted; write the maker's public key into it, from a source you trust"
    )]
    Nobody {
        /// The file.
        path: PathBuf,
    },
    /// Everybody could change whom the box trusts, or sign in the maker's name.
    #[error("{path} may be changed or read by others (mode {mode:04o}); run `chmod {right} {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        right: &'static str,
    },
    /// No PKCS#8 of Ed25519.
    #[error("{path} holds no private key of Ed25519 (PKCS#8, PEM); `usher update key FILE` makes one")]
    Private {
        /// The file.
        path: PathBuf,
    },
}

/// The public keys of a box; never none.
#[derive(Debug)]
pub struct Trusted(Vec<Vec<u8>>);

impl Trusted {
    /// Those in a file: one a line, remarks after a blank, lines with `#` passed over.
    ///
    /// # Errors
    /// [`KeyError`]; each says what to mend.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unread = |why: io::Error| match why.kind() {
            io::ErrorKind::NotFound => KeyError::Nobody { path: path.to_owned() },
            _ => KeyError::Unread { path: path.to_owned(), why },
        };
        let mode = fs::metadata(path).map_err(unread)?.permissions().mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode, right: "644" });
        }
        let text = fs::read_to_string(path).map_err(unread)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let key = |(at, line): (usize, &str)| {
            let digits = line.split_whitespace().next().unwrap_or_default();
            let bytes = HEX.decode(digits.as_bytes()).ok().filter(|bytes| bytes.len() == 32);
            bytes.ok_or_else(|| KeyError::Line { path: path.to_owned(), line: at + 1 })
        };
        let keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Nobody { path: path.to_owned() });
        }
        Ok(Self(keys))
    }

    /// Whether one of them signed these bytes.
    pub fn signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).is_ok())
    }
}

/// A maker's pair. `Debug` prints the public key only.
pub struct Maker(Ed25519KeyPair);

impl std::fmt::Debug for Maker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Maker({})", self.public())
    }
}

impl Maker {
    /// The pair whose private key is in a file that nobody else may read.
    ///
    /// # Errors
    /// [`KeyError`]; each says what to mend.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unread = |why: io::Error| match why.kind() {
            io::ErrorKind::NotFound => KeyError::Nobody { path: path.to_owned() },
            _ => KeyError::Unread { path: path.to_owned(), why },
        };
        let mode = fs::metadata(path).map_err(unread)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode, right: "600" });
        }
        let private = || KeyError::Private { path: path.to_owned() };
        let der = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|_| private())?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map(Self).map_err(|_| private())
    }

    /// Makes a pair and writes its private key into a new file (0600).
    ///
    /// # Errors
    /// [`KeyError::Unread`] when the file is there already, or cannot be made.
    ///
    /// # Panics
    /// When the system has no randomness to give.
    pub fn make(path: &Path) -> Result<Self, KeyError> {
        let unread = |why| KeyError::Unread { path: path.to_owned(), why };
        let mut der = Zeroizing::new([0; HEAD.len() + 32]);
        der[..HEAD.len()].copy_from_slice(&HEAD);
        SysRng.try_fill_bytes(&mut der[HEAD.len()..]).expect("the system's random source does not fail after boot");
        let digits = Zeroizing::new(STANDARD.encode(der.as_slice()));
        let text = Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *digits));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unread)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unread)?;
        Self::read(path)
    }

    /// The public key, 64 hexadecimal digits.
    pub fn public(&self) -> String {
        HEX.encode(self.0.public_key().as_ref())
    }

    /// A signature of these bytes.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn what_a_maker_signs_is_trusted_where_its_key_is_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        let [ours, theirs] = [ours, theirs].map(|path| Maker::make(&path).unwrap());
        let (_kept, path) = written(&format!("# makers\n\n{} ours\n", ours.public().to_uppercase()), 0o644);
        let trusted = Trusted::read(&path).unwrap();
        assert!(trusted.signed(b"0.2.0", &ours.sign(b"0.2.0")));
        assert!(!trusted.signed(b"0.2.1", &ours.sign(b"0.2.0")));
        assert!(!trusted.signed(b"0.2.0", &theirs.sign(b"0.2.0")));
        assert!(!trusted.signed(b"0.2.0", b""));
    }

    #[test]
    fn a_private_key_is_the_same_when_it_is_read_again_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("update.key");
        let made = Maker::make(&path).unwrap();
        assert_eq!(Maker::read(&path).unwrap().public(), made.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let secret = fs::read_to_string(&path).unwrap().lines().nth(1).unwrap().to_owned();
        assert!(!format!("{made:?}").contains(&secret));
        assert!(Maker::make(&path).is_err(), "a key is never written over");
        // RFC 8410, section 10.3: as other tools write one.
        let theirs = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let (_kept, path) = written(theirs, 0o600);
        assert_eq!(
            Maker::read(&path).unwrap().public(),
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"
        );
    }

    #[test]
    fn keys_that_cannot_be_trusted_are_refused_with_the_mend() {
        let said = |text: &str, mode| {
            let (_kept, path) = written(text, mode);
            Trusted::read(&path).unwrap_err().to_string()
        };
        assert!(said("# nobody yet\n", 0o644).contains("write the maker's public key into it"));
        let absent = Trusted::read(Path::new("/nowhere/update.pub")).unwrap_err().to_string();
        assert!(absent.contains("is not there") && absent.contains("write the maker's public key into it"), "{absent}");
        assert!(said("# a\n12ab\n", 0o644).contains("key:2: a public key is 64"));
        assert!(said(&"a".repeat(64), 0o666).contains("chmod 644"));
        let (_kept, path) = written("-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", 0o600);
        assert!(Maker::read(&path).unwrap_err().to_string().contains("usher update key FILE"));
        let (_kept, path) = written("", 0o640);
        assert!(Maker::read(&path).unwrap_err().to_string().contains("chmod 600"));
    }
}
