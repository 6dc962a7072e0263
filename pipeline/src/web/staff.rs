//! Tokens of staff: given once, kept as hashes, taken back by name.

use crate::gallery::key::give_to_owner_of;
use data_encoding::HEXLOWER;
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use usher_config::value::Secret;

/// The file of hashes in the data folder.
pub const NAME: &str = "staff.json";

/// Hashes by name; nobody where there is no file.
///
/// # Errors
/// When the file cannot be read, or is no such file.
pub fn read(path: &Path) -> io::Result<BTreeMap<String, String>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Gives `name` a new token; an earlier one of theirs ends.
///
/// # Errors
/// When the file cannot be read or written.
pub fn add(path: &Path, name: &str) -> io::Result<Secret> {
    let token = HEXLOWER.encode(&rand::rng().random::<[u8; 16]>());
    let mut hashes = read(path)?;
    hashes.insert(name.to_owned(), hash(&token));
    write(path, &hashes)?;
    Ok(Secret::new(token))
}

/// Takes a token back; false when `name` had none.
///
/// # Errors
/// When the file cannot be read or written.
pub fn remove(path: &Path, name: &str) -> io::Result<bool> {
    let mut hashes = read(path)?;
    let had = hashes.remove(name).is_some();
    if had {
        write(path, &hashes)?;
    }
    Ok(had)
}

/// Whether somebody has this token.
pub(crate) fn holds(path: &Path, token: &str) -> bool {
    let asked = hash(token);
    read(path).is_ok_and(|hashes| hashes.values().any(|hash| *hash == asked))
}

fn hash(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token))
}

fn write(path: &Path, hashes: &BTreeMap<String, String>) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(hashes)?)?;
    file.sync_all()?;
    // Where root gives a token on a service's box, the service must be able to read it.
    give_to_owner_of(path.parent().unwrap_or(Path::new(".")), &draft)?;
    fs::rename(draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_given_once_kept_as_a_hash_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        assert!(!holds(&path, ""));
        let token = add(&path, "desk 1").unwrap();
        let other = add(&path, "desk 2").unwrap();
        assert!(holds(&path, token.reveal()) && holds(&path, other.reveal()));
        assert!(!fs::read_to_string(&path).unwrap().contains(token.reveal()));
        let again = add(&path, "desk 1").unwrap();
        assert!(!holds(&path, token.reveal()) && holds(&path, again.reveal()), "a new token ends the old one");
        assert!(remove(&path, "desk 1").unwrap() && !remove(&path, "desk 1").unwrap());
        assert!(!holds(&path, again.reveal()) && holds(&path, other.reveal()));
    }
}
