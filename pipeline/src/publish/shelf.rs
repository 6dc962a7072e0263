//! The shelf: the outbox's rows in one SQLite file.
//!
//! `outbox.db`, mode 0600, held exclusively. Tables: `row` (un-acknowledged events by sequence number) and `recent`
//! (gate, visitor, time of the last visits, at most for the gates' quiet time). `secure_delete` overwrites what is
//! deleted.

mod error;

pub use error::ShelfError;

use crate::{
    gallery::visitor::VisitorId,
    publish::{
        keep::Keep,
        outbox::{Kind, Recent, Row, Waiting, blank},
    },
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::{
    collections::BTreeSet,
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

const REMEMBER: &str = "INSERT OR REPLACE INTO recent VALUES (?, ?, ?)";

/// Bytes that must fit before a disk that failed is believed to be well.
const ROOM: u32 = 64 * 1024;

/// The file; closed while it cannot be opened.
pub struct Shelf {
    path: PathBuf,
    db: Option<Connection>,
}

impl Shelf {
    /// The file at `path`, not opened yet.
    pub fn at(path: &Path) -> Self {
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
}

impl Keep for Shelf {
    fn open(&mut self, now: SystemTime) -> Result<(), ShelfError> {
        match self.try_open() {
            Err(ShelfError::Damaged { .. }) => {
                self.move_aside(now)?;
                self.try_open()
            }
            other => other,
        }
    }

    fn reopen_if_needed(&mut self, now: SystemTime) -> Result<(), ShelfError> {
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

    fn extent(&mut self) -> Result<(u64, u64), ShelfError> {
        let read = self.db()?.query_row("SELECT coalesce(max(seq), 0) + 1, count(*) FROM row", [], |row| {
            Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
        });
        read.map_err(|reason| self.error(reason))
    }

    fn put(&mut self, rows: &[(u64, Row)]) -> Result<(), ShelfError> {
        let put = |db: &mut Connection| {
            let commit = db.transaction()?;
            {
                let mut insert =
                    commit.prepare_cached("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
                let mut remember = commit.prepare_cached(REMEMBER)?;
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

    fn after(&mut self, cursor: u64, most: usize) -> Result<Vec<Waiting>, ShelfError> {
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

    fn delete(&mut self, seqs: &[u64]) -> Result<u64, ShelfError> {
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

    fn prune(&mut self, now: SystemTime, remember_from: SystemTime) -> Result<Vec<u64>, ShelfError> {
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

    fn recent(&mut self, since: SystemTime) -> Result<Vec<Recent>, ShelfError> {
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

    #[cfg(test)]
    fn limit_pages(&mut self, pages: u32) {
        self.db().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    }

    fn move_rows(&mut self, from: i64, to: i64, by: i64) -> Result<(), ShelfError> {
        let update = "UPDATE row SET decided_ms = decided_ms + ?3, keep_until_ms = keep_until_ms + ?3
                      WHERE decided_ms BETWEEN ?1 AND ?2";
        let moved = self.db()?.execute(update, params![from, to, by]);
        moved.map(drop).map_err(|reason| self.error(reason))
    }

    fn try_room(&mut self) -> Result<(), ShelfError> {
        let tried = |db: &mut Connection| {
            // Never sent: its number is before all others. Should it stay, it is over already.
            let write = "INSERT OR REPLACE INTO row VALUES (-1, zeroblob(16), 'room', 'room', zeroblob(16), '', zeroblob(?1), 0, 0)";
            db.execute(write, [ROOM])?;
            db.execute("DELETE FROM row WHERE seq = -1", [])?;
            Ok(())
        };
        tried(self.db()?).map_err(|reason| self.error(reason))
    }

    fn checkpoint(&mut self) -> Result<(), ShelfError> {
        let done = self.db()?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(|reason| self.error(reason))
    }

    fn remember(&mut self, visits: &[Recent]) -> Result<(), ShelfError> {
        if visits.is_empty() {
            return Ok(());
        }
        let put = |db: &mut Connection| {
            let commit = db.transaction()?;
            for Recent { gate, visitor, decided } in visits {
                commit.prepare_cached(REMEMBER)?.execute(params![
                    gate.as_str(),
                    visitor.0.as_bytes(),
                    millis(*decided)
                ])?;
            }
            commit.commit()
        };
        put(self.db()?).map_err(|reason| self.error(reason))
    }

    fn visitors(&mut self) -> Result<Vec<VisitorId>, ShelfError> {
        blank::visitors(self.db()?).map_err(|reason| self.error(reason))
    }

    fn blank(&mut self, gone: &BTreeSet<VisitorId>) -> Result<(), ShelfError> {
        blank::blank(self.db()?, gone).map_err(|reason| self.error(reason))?;
        self.checkpoint()
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
