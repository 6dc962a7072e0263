//! The box key: who may read the gallery, and where it is kept.
//!
//! One key per box wraps the data key of every visitor. It is a file of 32 raw bytes that only its owner may read, or
//! a systemd credential (then systemd has custody and this file leaves mode and owner alone). It is never made where a
//! gallery already exists: that would turn everybody enrolled into noise.

use rand::{TryRng, rngs::SysRng};
use std::{
    ffi::OsStr,
    fs, io,
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a key.
pub const LENGTH: usize = 32;

/// The name of the key's file in the data folder, and of the systemd credential.
pub const NAME: &str = "gallery.key";

/// The key that wraps the visitors' data keys. Wiped on drop; `Debug` prints no byte.
#[derive(Clone)]
pub struct BoxKey(Zeroizing<[u8; LENGTH]>);

impl std::fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BoxKey(…)")
    }
}

/// Why there is no box key. All of these are for the integrator to mend.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Others than the owner may read it.
    #[error(
        "the box key {path} may be read by others (mode {mode:04o}); run `chmod 600 {path}`, and make a new key if somebody may have copied it"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("the box key {path} belongs to user {owner}, usher runs as user {me}; run `chown {me} {path}`")]
    Owner {
        /// The file.
        path: PathBuf,
        /// User id of its owner.
        owner: u32,
        /// User id of this process.
        me: u32,
    },
    /// It is not 32 bytes long.
    #[error("the box key {path} has {length} bytes, a key has 32; restore it from where it was kept")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length, bytes; counted no further than 4096.
        length: usize,
    },
    /// There is a gallery, but not the key it was sealed with.
    #[error(
        "the gallery {gallery} exists but its box key {path} does not; restore the key, or delete the gallery and enrol everybody again"
    )]
    Lost {
        /// The key's file.
        path: PathBuf,
        /// The gallery.
        gallery: PathBuf,
    },
    /// The system would not let it be read or made.
    #[error(
        "the box key {path} could not be read or made ({why}); the folder must exist and belong to the user usher runs as"
    )]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
}

/// Where the box key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Custody {
    /// A file of ours: mode 0600, made at first use.
    File(PathBuf),
    /// A systemd credential: read only.
    Credential(PathBuf),
}

impl Custody {
    /// The configured file, else the credential where systemd hands one in (`credentials` is
    /// `$CREDENTIALS_DIRECTORY`), else the file in the `data` folder.
    pub fn choose(configured: Option<&Path>, credentials: Option<&OsStr>, data: &Path) -> Self {
        configured.map_or_else(|| Self::called(NAME, credentials, data), |path| Self::File(path.to_owned()))
    }

    /// The credential of this `name` where systemd hands one in, else the file of this name in the `data` folder.
    pub fn called(name: &str, credentials: Option<&OsStr>, data: &Path) -> Self {
        match credentials.map(|folder| Path::new(folder).join(name)) {
            Some(path) if path.exists() => Self::Credential(path),
            _ => Self::File(data.join(name)),
        }
    }
}

impl BoxKey {
    /// The configured one; `gallery` is where the gallery is or will be.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn of(config: &usher_config::Config, gallery: &Path) -> Result<Self, KeyError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        Self::open(&Custody::choose(config.gallery.key.as_deref(), credentials.as_deref(), &config.data), gallery)
    }

    /// A fresh key that is kept nowhere.
    ///
    /// # Panics
    /// When the system has no randomness to give; nothing may be sealed then.
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        SysRng.try_fill_bytes(bytes.as_mut_slice()).expect("the system's random source does not fail after boot");
        Self(bytes)
    }

    /// The key in `custody`; a file is made where neither it nor the `gallery` exists yet.
    ///
    /// # Errors
    /// [`KeyError`]; each says what to mend.
    pub fn open(custody: &Custody, gallery: &Path) -> Result<Self, KeyError> {
        match custody {
            Custody::Credential(path) => read(path, false),
            Custody::File(path) if !path.exists() && gallery.exists() => {
                Err(KeyError::Lost { path: path.clone(), gallery: gallery.to_owned() })
            }
            Custody::File(_) => Self::open_or_make(custody),
        }
    }

    /// The key in `custody`; a file is made where there is none: for what can be made anew when it is lost.
    ///
    /// # Errors
    /// [`KeyError`]; each says what to mend.
    pub fn open_or_make(custody: &Custody) -> Result<Self, KeyError> {
        match custody {
            Custody::Credential(path) => read(path, false),
            Custody::File(path) => match read(path, true) {
                Err(KeyError::System { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                    make(path).map_err(|why| KeyError::System { path: path.clone(), why })?;
                    read(path, true)
                }
                other => other,
            },
        }
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

/// Writes a fresh key beside `path` and links it there: never half a key, never over another process's key.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".{NAME}.{}", uuid::Uuid::new_v4().simple()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let done = file
        .write_all(BoxKey::random().bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| give_to_owner_of(folder, &draft))
        .and_then(|()| match fs::hard_link(&draft, path) {
            // Another process was first: its key is the key.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    fs::remove_file(&draft)?;
    done?;
    fs::File::open(folder)?.sync_all()
}

fn read(path: &Path, ours: bool) -> Result<BoxKey, KeyError> {
    let system = |why| KeyError::System { path: path.to_owned(), why };
    let file = fs::File::open(path).map_err(system)?;
    let about = file.metadata().map_err(system)?;
    if ours {
        let me = user().map_err(system)?;
        // Root reads everything anyway; `sudo usher enrol` must work on the service's files.
        if me != 0 && about.uid() != me && about.uid() != 0 {
            return Err(KeyError::Owner { path: path.to_owned(), owner: about.uid(), me });
        }
        if about.mode() & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode: about.mode() & 0o7777 });
        }
    }
    // Room enough that a longer file is told by its length and nothing is read without end.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(4096).read_to_end(&mut bytes).map_err(system)?;
    let mut key = Zeroizing::new([0; LENGTH]);
    if bytes.len() != LENGTH {
        return Err(KeyError::Length { path: path.to_owned(), length: bytes.len() });
    }
    key.copy_from_slice(&bytes);
    bytes.zeroize();
    Ok(BoxKey(key))
}

/// The user this process acts as.
fn user() -> io::Result<u32> {
    fs::metadata("/proc/self").map(|about| about.uid())
}

/// Gives what root made in a service's folder to the service, so that `sudo usher enrol` locks nobody out.
pub(crate) fn give_to_owner_of(folder: &Path, path: &Path) -> io::Result<()> {
    let about = fs::metadata(folder)?;
    if user()? == 0 && about.uid() != 0 {
        chown(path, Some(about.uid()), Some(about.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn file(folder: &tempfile::TempDir) -> Custody {
        Custody::File(folder.path().join(NAME))
    }

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = folder.path().join("gallery.db");
        let first = BoxKey::open(&file(&folder), &gallery).unwrap();
        let mode = fs::metadata(folder.path().join(NAME)).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        fs::write(&gallery, "").unwrap();
        let second = BoxKey::open(&file(&folder), &gallery).unwrap();
        assert_eq!(first.bytes(), second.bytes());
        assert_ne!(first.bytes(), &[0; LENGTH]);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "no draft is left: {names:?}");
    }

    #[test]
    fn two_processes_that_make_a_key_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        make(&path).unwrap();
        let first = fs::read(&path).unwrap();
        make(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        BoxKey::open(&file(&folder), Path::new("/nowhere")).unwrap();
        let path = folder.path().join(NAME);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = BoxKey::open(&file(&folder), Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("mode 0644") && error.contains(&format!("chmod 600 {}", path.display())), "{error}");
    }

    #[test]
    fn a_key_of_another_length_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 31, 33, 9000] {
            let path = folder.path().join(NAME);
            fs::write(&path, vec![7; length]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = BoxKey::open(&file(&folder), Path::new("/nowhere")).unwrap_err().to_string();
            assert!(error.contains("a key has 32") && error.contains("restore it"), "{error}");
        }
    }

    #[test]
    fn a_lost_key_is_not_replaced_under_a_gallery() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = folder.path().join("gallery.db");
        fs::write(&gallery, "something").unwrap();
        let error = BoxKey::open(&file(&folder), &gallery).unwrap_err().to_string();
        assert!(error.contains("restore the key"), "{error}");
        assert!(!folder.path().join(NAME).exists());
    }

    #[test]
    fn a_missing_folder_is_said() {
        let custody = Custody::File("/nowhere/at/all/gallery.key".into());
        let error = BoxKey::open(&custody, Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all/gallery.key") && error.contains("the folder must exist"), "{error}");
    }

    #[test]
    fn a_configured_file_comes_before_a_credential_and_that_before_the_data_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (credentials, data) = (folder.path().as_os_str(), Path::new("/data"));
        let configured = Path::new("/etc/usher/box.key");
        assert_eq!(Custody::choose(Some(configured), Some(credentials), data), Custody::File(configured.into()));
        assert_eq!(Custody::choose(None, Some(credentials), data), Custody::File("/data/gallery.key".into()));
        fs::write(folder.path().join(NAME), [1; LENGTH]).unwrap();
        let credential = Custody::choose(None, Some(credentials), data);
        assert_eq!(credential, Custody::Credential(folder.path().join(NAME)));
        // systemd's own mode is no business of ours.
        fs::set_permissions(folder.path().join(NAME), fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(BoxKey::open(&credential, Path::new("/nowhere")).unwrap().bytes(), &[1; LENGTH]);
    }

    #[test]
    fn debug_prints_no_byte() {
        assert_eq!(format!("{:?}", BoxKey::random()), "BoxKey(…)");
    }
}
