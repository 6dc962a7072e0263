//! The gallery's file: made, opened, brought to today's schema; what can go wrong with it.

use crate::gallery::{
    audit::log::LogError,
    key::{self, BoxKey, KeyError},
    seal::{self, Field},
    visitor::VisitorId,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use uuid::Uuid;

/// Each entry leads from one schema version to the next; the database's `user_version` counts them.
const MIGRATIONS: [&str; 3] = [
    "
    CREATE TABLE visitor (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
        wrapped BLOB NOT NULL,
        name BLOB NOT NULL,
        sport BLOB NOT NULL,
        enrolled_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE template (
        visitor INTEGER NOT NULL REFERENCES visitor(row) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        model TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (visitor, ordinal)
    ) STRICT;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
",
    // A household binds people, so it is sealed like a name. Crops are there only for whoever agreed to that.
    "
    ALTER TABLE visitor ADD COLUMN household BLOB;
    CREATE TABLE picture (
        visitor INTEGER NOT NULL REFERENCES visitor(row) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (visitor, ordinal)
    ) STRICT;
",
    // No consent, no row. Whoever enrolled before consents were recorded is forgotten: nothing says what they agreed to.
    "
    DROP TABLE picture;
    DROP TABLE template;
    DROP TABLE visitor;
    CREATE TABLE consent (
        visitor BLOB PRIMARY KEY CHECK (length(visitor) = 16),
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE visitor (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE REFERENCES consent(visitor) ON DELETE CASCADE,
        tag BLOB NOT NULL UNIQUE CHECK (length(tag) = 16),
        custody INTEGER NOT NULL,
        wrapped BLOB NOT NULL,
        name BLOB NOT NULL,
        sport BLOB NOT NULL,
        wishes BLOB NOT NULL,
        household BLOB,
        enrolled_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE template (
        visitor INTEGER NOT NULL REFERENCES visitor(row) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        model TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (visitor, ordinal)
    ) STRICT;
    CREATE TABLE picture (
        visitor INTEGER NOT NULL REFERENCES visitor(row) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (visitor, ordinal)
    ) STRICT;
",
];

/// How long a writer waits for another process (`usher enrol` beside `usher run`) to finish its commit. The watch may wait
/// twice in one round, and its beat must stay younger than [`crate::supervise::HANGS`].
pub(crate) const PATIENCE: Duration = Duration::from_millis(800);

/// An error of the store, by who must act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Mend me: the box key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Mend me: the gallery was sealed with another box key.
    #[error(
        "the gallery {path} was sealed with another box key; restore that key, or delete the gallery and enrol everybody again"
    )]
    WrongKey {
        /// The gallery.
        path: PathBuf,
    },
    /// Mend me: a later usher wrote it.
    #[error(
        "the gallery {path} has schema {found}, this usher knows up to {known}; run the usher that wrote it, or a later one"
    )]
    Newer {
        /// The gallery.
        path: PathBuf,
        /// Its schema version.
        found: usize,
        /// The latest known here.
        known: usize,
    },
    /// Mend me: not a gallery, or damaged as a whole.
    #[error(
        "{path} is no gallery or is damaged ({why}); restore it from a backup, or delete it and enrol everybody again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// Mend me: permissions.
    #[error(
        "the gallery {path} could not be opened or written ({why}); the folder and the file must belong to the user usher runs as"
    )]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Wait: no room.
    #[error("the gallery {path} cannot grow, the disk is full; nothing was stored: free some space and try again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Wait: another process is writing.
    #[error("the gallery {path} is being written by another process; nothing was changed: try again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Wait: the disk cannot be written to.
    #[error(
        "the disk that holds {path} cannot be written ({why}); nothing was stored: check the disk and mount it for writing"
    )]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Wait: memory is short.
    #[error(
        "there was no memory to read or write the gallery {path}; nothing was changed: try again, or give usher more"
    )]
    Memory {
        /// The file.
        path: PathBuf,
    },
    /// Wait: somebody was forgotten, and what is left of them could not be erased yet.
    #[error(
        "they are forgotten, as the audit log says, and nobody is recognised by what is left; it is erased as soon as it can be ({why})"
    )]
    Begun {
        /// Why not yet.
        why: String,
    },
    /// The audit log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Mend me: longer than anybody may be kept.
    #[error("nobody is kept for more than 30 days; give an earlier time")]
    Ceiling,
    /// Nobody has this id.
    #[error("nobody enrolled has the id {0}; `usher list` shows who is enrolled")]
    Nobody(VisitorId),
}

impl StoreError {
    /// Whether it is the disk that fails: it may heal by itself, or an operator heals it while usher runs.
    pub fn is_disk(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::Disk { .. }
                | Self::Begun { .. }
                | Self::Log(LogError::Full { .. } | LogError::Disk { .. })
        )
    }

    /// Whether it passes without anybody mending anything: the disk, memory, another process that writes.
    pub fn passes(&self) -> bool {
        let by_memory = |error: &LogError| matches!(error, LogError::Access { why, .. } if why.kind() == io::ErrorKind::OutOfMemory);
        match self {
            Self::Memory { .. } | Self::Busy { .. } | Self::Log(LogError::Busy { .. }) => true,
            Self::Log(error) if by_memory(error) => true,
            _ => self.is_disk(),
        }
    }
}

/// Opens the file, makes it where it is missing, and brings it to today's schema.
pub(crate) fn opened(path: &Path) -> Result<Connection, StoreError> {
    make_folder(path)?;
    make_file(path).map_err(|why| access(path, &why))?;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        db.busy_timeout(PATIENCE)?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        Ok(db)
    };
    let mut db = open().map_err(|error| failure(path, &error))?;
    let found = version(&db).map_err(|error| failure(path, &error))?;
    if found > MIGRATIONS.len() {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: MIGRATIONS.len() });
    }
    if found < MIGRATIONS.len() {
        migrate(&mut db).map_err(|error| failure(path, &error))?;
        // What a step dropped is not to live on in the log.
        let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        emptied.map_err(|error| failure(path, &error))?;
    }
    Ok(db)
}

fn version(db: &Connection) -> rusqlite::Result<usize> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    // Nobody writes a negative one; if somebody did, it is no schema of ours.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let write = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again inside: another process may have been first.
    for step in MIGRATIONS.iter().skip(version(&write)?) {
        write.execute_batch(step)?;
    }
    write.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    write.commit()
}

/// Tells a wrong box key from damaged rows. A damaged check alone must not stop a gate: one readable row is proof
/// enough, and where there is no row, nothing is lost by beginning anew.
pub(crate) fn check_key(db: &Connection, path: &Path, key: &BoxKey) -> Result<(), StoreError> {
    let nobody = VisitorId(Uuid::nil());
    let checked = || -> rusqlite::Result<bool> {
        let check = "SELECT value FROM meta WHERE name = 'check'";
        let found: Option<Vec<u8>> = db.query_row(check, [], |row| row.get(0)).optional()?;
        if found.is_some_and(|sealed| seal::open(key.bytes(), nobody, Field::Check, &sealed).is_ok()) {
            return Ok(true);
        }
        let mut rows = db.prepare("SELECT id, wrapped, enrolled_at, expires_at FROM visitor")?;
        let opens = rows.query_map([], |row| {
            let (id, wrapped): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let field = Field::Key { enrolled: row.get(2)?, expires: row.get(3)? };
            // What is inside may need a pass as well; the outside opens with the box key alone.
            let id = Uuid::from_slice(&id).map(VisitorId);
            Ok(id.is_ok_and(|id| seal::open(key.bytes(), id, field, &wrapped).is_ok()))
        })?;
        let opens = opens.collect::<rusqlite::Result<Vec<bool>>>()?;
        if !opens.is_empty() && !opens.contains(&true) {
            return Ok(false);
        }
        let sealed = seal::seal(key.bytes(), nobody, Field::Check, b"usher");
        db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('check', ?1)", [sealed])?;
        Ok(true)
    };
    match checked() {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::WrongKey { path: path.to_owned() }),
        Err(error) => Err(failure(path, &error)),
    }
}

/// The folder, 0700 where it is made.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|why| access(path, &why))
        }
        _ => Ok(()),
    }
}

/// Made before SQLite opens it, so that it (and the log, which copies its mode) never was readable by others.
fn make_file(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => key::give_to_owner_of(path.parent().unwrap_or(Path::new(".")), path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::metadata(path)?.mode() & 0o077 != 0 {
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Tells one file from another that took its place.
pub(crate) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|about| (about.dev(), about.ino()))
}

/// The system said no.
pub(crate) fn access(path: &Path, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Access { path: path.to_owned(), why: why.to_string() }
}

/// The disk said no.
pub(crate) fn disk(path: &Path, why: &io::Error) -> StoreError {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path: path.to_owned() },
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => access(path, why),
        io::ErrorKind::OutOfMemory => StoreError::Memory { path: path.to_owned() },
        _ => StoreError::Disk { path: path.to_owned(), why: why.to_string() },
    }
}

/// What an error of SQLite means for whoever must act.
pub(crate) fn failure(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
        Some(ErrorCode::OutOfMemory) => StoreError::Memory { path },
        Some(ErrorCode::SystemIoFailure) => StoreError::Disk { path, why: error.to_string() },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Access { path, why: error.to_string() }
        }
        _ => StoreError::Damaged { path, why: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqlite_says_is_told_by_who_must_act() {
        let path = Path::new("/data/gallery.db");
        let said = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error { code, extended_code: 0 }, None);
            failure(path, &error).to_string()
        };
        assert!(said(ErrorCode::DiskFull).contains("nothing was stored: free some space"));
        assert!(said(ErrorCode::DatabaseBusy).contains("nothing was changed: try again"));
        assert!(said(ErrorCode::ReadOnly).contains("must belong to the user usher runs as"));
        assert!(said(ErrorCode::NotADatabase).contains("restore it from a backup"));
        let memory = said(ErrorCode::OutOfMemory);
        assert!(memory.contains("no memory") && !memory.contains("delete"), "{memory}");
    }

    #[test]
    fn a_file_of_a_later_usher_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gallery.db");
        opened(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = opened(&path).unwrap_err().to_string();
        assert!(error.contains("schema 99") && error.contains("run the usher that wrote it"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_gallery_is_refused_with_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gallery.db");
        fs::write(&path, "a letter to my aunt ".repeat(100)).unwrap();
        let error = opened(&path).unwrap_err().to_string();
        assert!(error.contains("is no gallery or is damaged") && error.contains("restore it"), "{error}");
    }

    #[test]
    fn file_log_and_folder_are_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/gallery.db");
        let _open = opened(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        for file in ["gallery.db", "gallery.db-wal", "gallery.db-shm"] {
            assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
        }
    }
}
