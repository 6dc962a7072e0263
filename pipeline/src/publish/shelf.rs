//! The shelf: the outbox's rows in one SQLite file.
//!
//! `outbox.db`, mode 0600, held exclusively. Tables: `row` (un-acknowledged events by sequence number) and `recent`
//! (gate, visitor, time of the last visits, at most for the gates' quiet time). `secure_delete` overwrites what is
//! deleted.

use crate::{
    gallery::visitor::VisitorId,
    publish::outbox::{Kind, Recent, Row, Waiting},
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use usher_config::value::Name;
use uuid::Uuid;

/// The layout that this usher writes (`PRAGMA user_version`).
const LAYOUT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS row (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL, kind TEXT NOT NULL, gate TEXT NOT NULL, visitor BLOB NOT NULL,
        topic TEXT NOT NULL, body BLOB NOT NULL, decided_ms INTEGER NOT NULL, keep_until_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS recent (
        gate TEXT NOT NULL, visitor BLOB NOT NULL, decided_ms INTEGER NOT NULL, PRIMARY KEY (gate, visitor)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;";

/// Why the outbox's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// Mend me.
    #[error(
        "the outbox {path} cannot be made: {reason}; create its folder and let usher's user write there (key data)"
    )]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Mend me.
    #[error("the outbox {path} is in use; stop the other usher that works in this data folder")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Mend me.
    #[error("the outbox {path} was written by a newer usher (layout {layout}); update this one or move the file away")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: i64,
    },
    /// Wait: space may come.
    #[error("the disk that holds {path} is full; make room there")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Wait: somebody may remount it.
    #[error("the disk that holds {path} is read-only; check the disk and mount it for writing")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Wait: the disk may answer yet.
    #[error("the disk that holds {path} does not answer; check the disk")]
    Hangs {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged; it is moved aside and a new one begun.
    #[error("the outbox {path} is damaged; check the disk")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Wait: anything else that the disk may do.
    #[error("the outbox {path} fails: {reason}; check the disk")]
    Disk {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: rusqlite::Error,
    },
}

impl ShelfError {
    /// Whether time or an operator may heal it while usher runs.
    pub fn heals(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::ReadOnly { .. } | Self::Hangs { .. } | Self::Damaged { .. } | Self::Disk { .. }
        )
    }
}

/// The file; closed while it cannot be opened.
pub(crate) struct Shelf {
    path: PathBuf,
    db: Option<Connection>,
}

impl Shelf {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), db: None }
    }

    pub(crate) fn error(&self, reason: rusqlite::Error) -> ShelfError {
        let path = self.path.clone();
        match reason.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ShelfError::Full { path },
            Some(ErrorCode::ReadOnly) => ShelfError::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ShelfError::InUse { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ShelfError::Damaged { path },
            _ => ShelfError::Disk { path, reason },
        }
    }

    /// Opens the file, or begins a new one; a damaged one is moved aside.
    pub(crate) fn open(&mut self, now: SystemTime) -> Result<(), ShelfError> {
        match self.try_open() {
            Err(ShelfError::Damaged { .. }) => {
                self.move_aside(now)?;
                self.try_open()
            }
            other => other,
        }
    }

    fn try_open(&mut self) -> Result<(), ShelfError> {
        // Made here, so that it is private from its first byte; SQLite gives its log the same mode.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        made.map_err(|reason| match reason.kind() {
            io::ErrorKind::StorageFull => ShelfError::Full { path: self.path.clone() },
            io::ErrorKind::ReadOnlyFilesystem => ShelfError::ReadOnly { path: self.path.clone() },
            _ => ShelfError::Folder { path: self.path.clone(), reason },
        })?;
        let db = self.prepared().map_err(|reason| self.error(reason))?;
        let layout: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| self.error(e))?;
        if layout > LAYOUT {
            return Err(ShelfError::Newer { path: self.path.clone(), layout });
        }
        if layout < LAYOUT {
            db.execute_batch(TABLES).map_err(|reason| self.error(reason))?;
        }
        self.db = Some(db);
        Ok(())
    }

    fn prepared(&self) -> rusqlite::Result<Connection> {
        let db = Connection::open(&self.path)?;
        // Exclusive before WAL: one usher per data folder, and no shared-memory file beside it.
        db.execute_batch(
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;
             BEGIN IMMEDIATE; COMMIT;",
        )?;
        let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound == "ok" { Ok(db) } else { Err(damaged()) }
    }

    fn move_aside(&mut self, now: SystemTime) -> Result<(), ShelfError> {
        self.db = None;
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".damaged-{}", millis(now)));
        let aside = PathBuf::from(&name);
        let moved = std::fs::rename(&self.path, &aside);
        moved.map_err(|reason| ShelfError::Folder { path: self.path.clone(), reason })?;
        for suffix in ["-wal", "-shm"] {
            let (mut from, mut to) = (self.path.clone().into_os_string(), name.clone());
            from.push(suffix);
            to.push(suffix);
            let _absent_is_fine = std::fs::rename(from, to);
        }
        tracing::error!(
            file = %self.path.display(), aside = %aside.display(),
            "the outbox was damaged: moved aside, a new one begun; visits in it that were not acknowledged stay there"
        );
        Ok(())
    }

    pub(crate) fn db(&mut self) -> Result<&mut Connection, ShelfError> {
        self.db
            .as_mut()
            .ok_or_else(|| ShelfError::Disk { path: self.path.clone(), reason: rusqlite::Error::InvalidQuery })
    }

    /// Opens what could not be opened, and begins anew where the file turned out damaged.
    pub(crate) fn reopen_if_needed(&mut self, now: SystemTime) -> Result<(), ShelfError> {
        let usable = match &self.db {
            Some(db) => match db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)) {
                Ok(sound) => sound == "ok",
                Err(reason) => match self.error(reason) {
                    ShelfError::Damaged { .. } => false,
                    error => return Err(error),
                },
            },
            None => false,
        };
        if usable {
            return Ok(());
        }
        self.db = None;
        self.open(now)
    }

    /// The next free sequence number, and how many rows there are.
    pub(crate) fn extent(&mut self) -> Result<(u64, u64), ShelfError> {
        let read = self.db()?.query_row("SELECT coalesce(max(seq), 0) + 1, count(*) FROM row", [], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
        });
        read.map_err(|reason| self.error(reason))
    }

    /// Writes `rows`, and remembers their visits, in one commit.
    pub(crate) fn put(&mut self, rows: &[(u64, Row)]) -> Result<(), ShelfError> {
        let put = |db: &mut Connection| {
            let commit = db.transaction()?;
            {
                let mut insert =
                    commit.prepare_cached("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
                let mut remember = commit.prepare_cached("INSERT OR REPLACE INTO recent VALUES (?, ?, ?)")?;
                for (seq, row) in rows {
                    let (decided, keep_until) = (millis(row.decided), millis(row.keep_until));
                    insert.execute(params![
                        *seq as i64,
                        row.id.as_bytes(),
                        row.kind.as_str(),
                        row.gate.as_str(),
                        row.visitor.0.as_bytes(),
                        row.topic,
                        &row.body[..],
                        decided,
                        keep_until
                    ])?;
                    remember.execute(params![row.gate.as_str(), row.visitor.0.as_bytes(), decided])?;
                }
            }
            commit.commit()
        };
        put(self.db()?).map_err(|reason| self.error(reason))
    }

    /// Rows after `cursor`, in order.
    pub(crate) fn after(&mut self, cursor: u64, most: usize) -> Result<Vec<Waiting>, ShelfError> {
        let read = |db: &mut Connection| {
            let mut select = db.prepare_cached(
                "SELECT seq, id, gate, visitor, topic, body, decided_ms, keep_until_ms FROM row
                 WHERE seq > ? ORDER BY seq LIMIT ?",
            )?;
            let rows = select.query_map(params![cursor as i64, most as i64], |row| {
                let body: Vec<u8> = row.get(5)?;
                Ok(Waiting {
                    seq: row.get::<_, i64>(0)? as u64,
                    row: Row {
                        id: Uuid::from_bytes(row.get(1)?),
                        kind: Kind::Visit,
                        gate: Name::new(&row.get::<_, String>(2)?).ok_or_else(damaged)?,
                        visitor: VisitorId(Uuid::from_bytes(row.get(3)?)),
                        topic: row.get(4)?,
                        body: body.into(),
                        decided: time(row.get(6)?),
                        keep_until: time(row.get(7)?),
                        arrived: None,
                    },
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read(self.db()?).map_err(|reason| self.error(reason))
    }

    /// Deletes rows, in one commit; how many there were.
    pub(crate) fn delete(&mut self, seqs: &[u64]) -> Result<u64, ShelfError> {
        if seqs.is_empty() {
            return Ok(0);
        }
        let delete = |db: &mut Connection| {
            let commit = db.transaction()?;
            let mut deleted = 0;
            {
                let mut delete = commit.prepare_cached("DELETE FROM row WHERE seq = ?")?;
                for seq in seqs {
                    deleted += delete.execute([*seq as i64])? as u64;
                }
            }
            commit.commit()?;
            Ok(deleted)
        };
        delete(self.db()?).map_err(|reason| self.error(reason))
    }

    /// Deletes rows whose keep-until is over (their sequence numbers) and visits from before `remember_from`.
    pub(crate) fn prune(&mut self, now: SystemTime, remember_from: SystemTime) -> Result<Vec<u64>, ShelfError> {
        let prune = |db: &mut Connection| {
            // Nothing to write most of the time: asked first, so that an idle box leaves its disk alone.
            let due = db
                .query_row(
                    "SELECT 1 WHERE EXISTS (SELECT 1 FROM row WHERE keep_until_ms <= ?1)
                                 OR EXISTS (SELECT 1 FROM recent WHERE decided_ms < ?2)",
                    params![millis(now), millis(remember_from)],
                    |_| Ok(()),
                )
                .optional()?;
            if due.is_none() {
                return Ok(Vec::new());
            }
            let commit = db.transaction()?;
            let seqs = {
                let mut expire = commit.prepare_cached("DELETE FROM row WHERE keep_until_ms <= ? RETURNING seq")?;
                let seqs = expire.query_map([millis(now)], |row| Ok(row.get::<_, i64>(0)? as u64))?;
                seqs.collect::<rusqlite::Result<Vec<u64>>>()?
            };
            commit.execute("DELETE FROM recent WHERE decided_ms < ?", [millis(remember_from)])?;
            commit.commit()?;
            Ok(seqs)
        };
        prune(self.db()?).map_err(|reason| self.error(reason))
    }

    /// Remembered visits from `since` on.
    pub(crate) fn recent(&mut self, since: SystemTime) -> Result<Vec<Recent>, ShelfError> {
        let read = |db: &mut Connection| {
            let mut select = db.prepare("SELECT gate, visitor, decided_ms FROM recent WHERE decided_ms >= ?")?;
            let rows = select.query_map([millis(since)], |row| {
                Ok(Recent {
                    gate: Name::new(&row.get::<_, String>(0)?).ok_or_else(damaged)?,
                    visitor: VisitorId(Uuid::from_bytes(row.get(1)?)),
                    decided: time(row.get(2)?),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read(self.db()?).map_err(|reason| self.error(reason))
    }

    /// A full disk, as SQLite sees it.
    #[cfg(test)]
    pub(crate) fn limit_pages(&mut self, pages: u32) {
        self.db().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    }

    /// Empties the write-ahead log into the file.
    pub(crate) fn checkpoint(&mut self) -> Result<(), ShelfError> {
        let done = self.db()?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|reason| self.error(reason))
    }
}

/// What SQLite says of a damaged file, for damage that it does not see itself.
fn damaged() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None)
}

pub(crate) fn millis(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis.max(0) as u64)
}
