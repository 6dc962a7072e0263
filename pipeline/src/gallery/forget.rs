//! Forgetting: who is forgotten is gone from every file, and stays gone.
//!
//! The audit log first, then the rows (SQLite overwrites them with zeros: `secure_delete`), then the write-ahead log is emptied,
//! so that no page with the wrapped key is left in any file. Old blocks of a flash disk are beyond our reach; they are
//! useless without the box key. Whatever stops half way is finished at the next opening.

use crate::gallery::{
    audit::{
        deed::{Deed, Why},
        log::Found,
    },
    consent::erased,
    file::{PATIENCE, StoreError},
    pass::PassSecret,
    rows::millis,
    store::Store,
    visitor::VisitorId,
};
use rusqlite::OptionalExtension;
use serde_json::Value;
use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};
use tracing::{info, warn};
use uuid::Uuid;

/// How often, and how long apart, emptying the write-ahead log is tried while others read from it: a second in all.
const TRIES: u32 = 40;
const APART: Duration = Duration::from_millis(25);

/// What forgetting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Forgotten {
    /// People forgotten.
    pub visitors: usize,
    /// Whether the write-ahead log could be emptied too. If not, another process was reading; the log is emptied at the
    /// next forgetting or when the last process closes the gallery.
    pub log_emptied: bool,
}

impl Store {
    /// Forgets one visitor.
    ///
    /// # Errors
    /// [`StoreError::Nobody`] when nobody has this id, and whatever keeps the store from writing.
    pub fn forget(&mut self, id: VisitorId, why: Why, now: SystemTime) -> Result<Forgotten, StoreError> {
        let forgotten =
            self.forget_all(now, why, |everybody| everybody.into_iter().filter(|(who, _)| *who == id).collect())?;
        if forgotten.visitors == 0 { Err(StoreError::Nobody(id)) } else { Ok(forgotten) }
    }

    /// Forgets whoever this pass is of; gives a record of it, signed by the box. `None`: this pass is of nobody.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub fn forget_by(&mut self, pass: &PassSecret, now: SystemTime) -> Result<Option<Value>, StoreError> {
        let find = "SELECT id FROM visitor WHERE tag = ?1";
        let found: Option<Vec<u8>> =
            self.db.query_row(find, [pass.tag()], |row| row.get(0)).optional().map_err(self.failure())?;
        let Some(id) = found.and_then(|id| Uuid::from_slice(&id).ok()).map(VisitorId) else { return Ok(None) };
        match self.forget(id, Why::Asked, now) {
            Ok(_) => Ok(Some(self.erasure(id, now, "asked"))),
            Err(StoreError::Nobody(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The receipt of an erasure that has just been done.
    pub fn erasure(&self, id: VisitorId, now: SystemTime, why: &str) -> Value {
        self.log.signer().receipt(&erased(id, now, why, self.log.head()))
    }

    /// Forgets everybody, unreadable rows included.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub fn forget_everyone(&mut self, now: SystemTime) -> Result<Forgotten, StoreError> {
        self.forget_all(now, Why::Staff, |everybody| everybody)
    }

    /// Forgets everybody whose time is over at `now`.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub fn expire(&mut self, now: SystemTime) -> Result<Forgotten, StoreError> {
        let over = "SELECT EXISTS (SELECT 1 FROM visitor WHERE expires_at <= ?1)";
        let is_due = self.db.query_row(over, [millis(now)], |row| row.get::<_, bool>(0)).map_err(self.failure())?;
        if !is_due {
            return Ok(Forgotten { visitors: 0, log_emptied: true });
        }
        let at = millis(now);
        self.forget_all(now, Why::Expired, |everybody| everybody.into_iter().filter(|(_, end)| *end <= at).collect())
    }

    /// Forgets those of everybody (id and end) whom `which` chooses.
    fn forget_all(
        &mut self,
        now: SystemTime,
        why: Why,
        which: impl FnOnce(Vec<(VisitorId, i64)>) -> Vec<(VisitorId, i64)>,
    ) -> Result<Forgotten, StoreError> {
        let path = self.path().to_owned();
        let Self { db, log, .. } = self;
        let visitors = log.locked(|log| {
            let failure = |error| crate::gallery::file::failure(&path, &error);
            let chosen: Vec<_> = which(everybody(db).map_err(failure)?).into_iter().map(|(id, _)| id).collect();
            let deed = |visitor: &VisitorId| Deed::Forgotten { visitor: *visitor, why };
            // Who is forgotten by the log already was not erased then: the file could not be written.
            log.append(chosen.iter().filter(|id| !log.is_gone(**id)).map(deed).collect(), now)?;
            erase(db, &chosen).map_err(|error| StoreError::Begun { why: failure(error).to_string() })
        })?;
        Ok(Forgotten { visitors, log_emptied: visitors == 0 || self.empty_log() })
    }

    /// Makes gallery and audit log agree: erases whoever the log forgot or never heard of, and writes down which enrolments
    /// were not finished. Nobody survives in a copy of the log.
    pub(crate) fn settle_accounts(&mut self, now: SystemTime) -> Result<usize, StoreError> {
        let path = self.path().to_owned();
        let Self { db, log, .. } = self;
        let erased = log.locked(|log| {
            let failure = |error| crate::gallery::file::failure(&path, &error);
            let found = log.begin(now)?;
            let here: HashSet<_> = everybody(db).map_err(failure)?.into_iter().map(|(id, _)| id).collect();
            let is_accounted = |id: &VisitorId| found == Found::Own && log.consented(*id).is_some();
            let wrong: Vec<_> = here.iter().copied().filter(|id| !is_accounted(id)).collect();
            if found == Found::Copy && !here.is_empty() {
                warn!(visitors = here.len(), "this data folder is a copy, and a copy may be of people who have asked to be forgotten since: everybody in it is forgotten");
            }
            let forgotten = wrong.iter().filter(|id| !log.is_gone(**id));
            let mut deeds: Vec<_> =
                forgotten.map(|id| Deed::Forgotten { visitor: *id, why: Why::Unaccounted }).collect();
            let unfinished = log.live().filter(|id| !here.contains(id));
            deeds.extend(unfinished.map(|visitor| Deed::Unfinished { visitor }));
            log.append(deeds, now)?;
            erase(db, &wrong).map_err(failure)
        })?;
        if erased > 0 {
            let log_emptied = self.empty_log();
            info!(visitors = erased, log_emptied, "erased who was forgotten, or never agreed");
        }
        Ok(erased)
    }

    /// Empties the write-ahead log where something is left in it: somebody was reading when it should have been.
    pub(crate) fn empty_log_if_full(&self) {
        let name = format!("{}-wal", self.path().display());
        if std::fs::metadata(name).is_ok_and(|log| log.len() > 0) {
            let _next_time = self.empty_log();
        }
    }

    /// Writes the log's pages home and cuts the log to nothing; false when another process kept reading from it.
    pub(crate) fn empty_log(&self) -> bool {
        let emptied = || {
            let busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            busy.is_ok_and(|busy| busy == 0)
        };
        let again = || {
            let _elapsed = crossbeam::channel::never::<()>().recv_timeout(APART);
            false
        };
        // SQLite would wait for others by itself, each time; a stage must not be silent for so long.
        let _no_wait = self.db.busy_timeout(Duration::ZERO);
        let is_empty = (0..TRIES).any(|_| emptied() || again());
        let _as_before = self.db.busy_timeout(PATIENCE);
        is_empty
    }
}

/// Everybody's id and end, unreadable rows included.
fn everybody(db: &rusqlite::Connection) -> rusqlite::Result<Vec<(VisitorId, i64)>> {
    let mut all = db.prepare("SELECT id, expires_at FROM visitor ORDER BY row")?;
    let rows = all.query_map([], |row| {
        let id: Vec<u8> = row.get(0)?;
        Ok((VisitorId(Uuid::from_slice(&id).unwrap_or_default()), row.get(1)?))
    })?;
    rows.collect()
}

/// Deletes their consents, and with them everything else of theirs, in one commit.
fn erase(db: &mut rusqlite::Connection, people: &[VisitorId]) -> rusqlite::Result<usize> {
    if people.is_empty() {
        return Ok(0);
    }
    let write = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut gone = 0;
    for id in people {
        gone += write.execute("DELETE FROM consent WHERE visitor = ?1", [id.0.as_bytes()])?;
    }
    write.commit()?;
    Ok(gone)
}
