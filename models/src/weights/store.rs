//! A network on the disk, its hash beside it.
//!
//! Safetensors with the description in the metadata.

use crate::{
    architecture::Imported,
    error::ModelError,
    net::{Description, FORMAT},
    weights::lock::sha256_of,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    path::{Path, PathBuf},
};

/// The metadata key of the description.
const KEY: &str = "usher";

/// A network with its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// What is computed.
    pub description: Description,
    /// With which numbers: shape and values of each tensor.
    pub tensors: HashMap<String, (Vec<usize>, Vec<f32>)>,
}

/// Where the network `name` lies in a weights folder.
pub fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.safetensors"))
}

/// Where its hash lies.
fn hash_path_of(path: &Path) -> PathBuf {
    path.with_extension("safetensors.sha256")
}

impl Stored {
    /// Writes the network and its hash: whole or not at all, so that a power cut leaves no half file under the name.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let json = serde_json::to_string(&self.description).map_err(std::io::Error::other)?;
        let bytes: BTreeMap<&str, (&[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, (shape, data))| {
                (name.as_str(), (shape.as_slice(), data.iter().flat_map(|v| v.to_le_bytes()).collect()))
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(name, (shape, data))| Ok((*name, TensorView::new(Dtype::F32, shape.to_vec(), data)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .map_err(std::io::Error::other)?;
        let file = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), json)])))
            .map_err(std::io::Error::other)?;
        replace(path, &file)?;
        replace(&hash_path_of(path), sha256_of(&file).as_bytes())
    }

    /// Reads a network of a weights folder.
    ///
    /// `source_sha256` is the file it must have been made from, as the lock file says.
    ///
    /// # Errors
    /// [`ModelError::Missing`] when it is not there; [`ModelError::Corrupt`] when one bit of it is not as it was
    /// written, or it was made from another file or by another version; [`ModelError::Unread`] when memory or disk do not give it now.
    pub fn read(folder: &Path, name: &str, source_sha256: &str) -> Result<Self, ModelError> {
        let path = path_of(folder, name);
        let corrupt = |why: String| ModelError::Corrupt { path: path.clone(), why };
        let stored = Self::load(&path).map_err(|error| match error {
            Unread::NotThere(path) => ModelError::Missing { network: name.to_owned(), path },
            Unread::NotNow(path, why) => ModelError::Unread { path, why },
            Unread::Wrong(why) => corrupt(why),
        })?;
        if stored.description.source_sha256 != source_sha256 {
            let found = stored.description.source_sha256;
            return Err(corrupt(format!("it was made from {found}, not from {source_sha256}")));
        }
        Ok(stored)
    }

    /// Reads a network that a site brought, and what was said of it.
    ///
    /// # Errors
    /// [`ModelError::Imported`] when one bit of it is not as it was written, or nothing was said of it; [`ModelError::Unread`] when
    /// memory or disk do not give it now.
    pub fn read_imported(folder: &Path, name: &str) -> Result<(Self, Imported), ModelError> {
        let path = path_of(folder, name);
        let refused = |why: String| ModelError::Imported { path: path.clone(), why };
        let stored = Self::load(&path).map_err(|error| match error {
            Unread::NotThere(path) => refused(format!("{} is not there", path.display())),
            Unread::NotNow(path, why) => ModelError::Unread { path, why },
            Unread::Wrong(why) => refused(why),
        })?;
        let imported = stored.description.imported.clone();
        let imported = imported.ok_or_else(|| refused("it does not say under which licence it is".to_owned()))?;
        Ok((stored, imported))
    }

    fn load(path: &Path) -> Result<Self, Unread> {
        let load = |path: &Path| std::fs::read(path).map_err(|error| Unread::of(path, error));
        let file = load(path)?;
        let promised = load(&hash_path_of(path))?;
        let found = sha256_of(&file);
        if found.as_bytes() != promised.trim_ascii() {
            return Err(Unread::Wrong(format!("its sha256 is {found}, not the one it was written with")));
        }
        Self::parsed(&file).map_err(Unread::Wrong)
    }

    fn parsed(file: &[u8]) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(|error| error.to_string())?;
        let json = metadata.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or("it has no description")?;
        // The version before the rest: a later form may not parse at all.
        let format = serde_json::from_str::<serde_json::Value>(json).ok().and_then(|json| json["format"].as_u64());
        if format != Some(u64::from(FORMAT)) {
            return Err(format!("it is of form {format:?}, this usher reads {FORMAT}"));
        }
        let description: Description = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut tensors = HashMap::new();
        for (name, view) in SafeTensors::deserialize(file).map_err(|error| error.to_string())?.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(format!("tensor {name} is {:?}", view.dtype()));
            }
            let data = view.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
            tensors.insert(name.to_owned(), (view.shape().to_vec(), data));
        }
        Ok(Self { description, tensors })
    }
}

/// Why a file could not be read.
enum Unread {
    NotThere(PathBuf),
    /// Nothing is known of what is in it.
    NotNow(PathBuf, std::io::Error),
    Wrong(String),
}

impl Unread {
    fn of(path: &Path, error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotThere(path.to_owned()),
            // Whose file it is, or that it is a folder, passes by nothing.
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::IsADirectory => Self::Wrong(error.to_string()),
            _ => Self::NotNow(path.to_owned(), error),
        }
    }
}

/// Puts `bytes` at `path`, whole or not at all.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    open_to_all(&file)?;
    file.persist(path)?;
    // The name is safe once the folder is.
    std::fs::File::open(folder)?.sync_all()
}

/// Scratch files are private; weights and pictures are not secret, and the service may run as another user.
#[cfg(unix)]
fn open_to_all(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Step;

    fn stored() -> Stored {
        let step = Step::Sigmoid { input: "x".into(), output: "y".into() };
        let description = Description {
            format: FORMAT,
            name: "tiny".into(),
            source_sha256: "s".into(),
            imported: None,
            input: "x".into(),
            channels: 1,
            outputs: vec!["y".into()],
            steps: vec![step],
        };
        Stored {
            description,
            tensors: HashMap::from([("t".into(), (vec![2, 2], vec![1.0, -2.0, 3.5, f32::MIN_POSITIVE]))]),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        stored().write(&path_of(folder.path(), "tiny")).unwrap();
        assert_eq!(Stored::read(folder.path(), "tiny", "s").unwrap(), stored());
    }

    #[test]
    fn every_flipped_byte_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_of(folder.path(), "tiny");
        stored().write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            std::fs::write(&path, flipped).unwrap();
            let error = Stored::read(folder.path(), "tiny", "s").unwrap_err();
            assert!(matches!(error, ModelError::Corrupt { .. }), "byte {place}: {error}");
            assert!(error.to_string().contains("usher models install"), "{error}");
        }
    }

    #[test]
    fn what_is_not_there_is_missing_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let error = Stored::read(folder.path(), "tiny", "s").unwrap_err();
        assert!(matches!(error, ModelError::Missing { .. }) && error.to_string().contains("usher models install"));
    }

    #[test]
    fn what_memory_or_disk_do_not_give_is_tried_again_and_nobody_is_told_to_delete_it() {
        let path = Path::new("/data/models/tiny.safetensors");
        for kind in [std::io::ErrorKind::OutOfMemory, std::io::ErrorKind::Other] {
            assert!(matches!(Unread::of(path, kind.into()), Unread::NotNow(..)), "{kind}");
        }
        let error =
            ModelError::Unread { path: path.to_owned(), why: std::io::ErrorKind::OutOfMemory.into() }.to_string();
        assert!(error.contains("try again") && !error.contains("delete"), "{error}");
        assert!(matches!(Unread::of(path, std::io::ErrorKind::PermissionDenied.into()), Unread::Wrong(_)));
    }

    #[test]
    fn another_source_or_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_of(folder.path(), "tiny");
        stored().write(&path).unwrap();
        assert!(matches!(Stored::read(folder.path(), "tiny", "other"), Err(ModelError::Corrupt { .. })));
        let mut later = stored();
        later.description.format = FORMAT + 1;
        later.write(&path).unwrap();
        let error = Stored::read(folder.path(), "tiny", "s").unwrap_err();
        assert!(error.to_string().contains("form"), "{error}");
    }
}
