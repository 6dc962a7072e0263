//! A disk for the outbox: durable when it says so, and it does not always say so.
//!
//! The rows are in memory, or in the real file of SQLite; the faults come before either. Every deed is written into a ledger
//! that the truth is held against.

use crate::plant::Plant;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};
use usher::{
    gallery::visitor::VisitorId,
    publish::{
        keep::Keep,
        outbox::{Recent, Row, Waiting},
        shelf::ShelfError,
    },
};
use usher_config::value::Name;
use uuid::Uuid;

/// How the disk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It does as it is told.
    #[default]
    Well,
    /// Nothing more fits.
    Full,
    /// Mounted read-only.
    ReadOnly,
    /// Writes are done, and said to have failed.
    Torn,
    /// Neither read nor written.
    Gone,
}

/// What was done for good.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Stored(Uuid),
    Deleted(Uuid),
    Remembered(Name, VisitorId),
    Expired { visit: Uuid, keep_until: SystemTime, now: SystemTime },
}

/// The disk itself; it outlives every process.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Default)]
pub(crate) struct Platter {
    pub(crate) mood: Mood,
    pub(crate) ledger: Vec<Deed>,
    /// When it was last mended.
    pub(crate) mended: Duration,
    rows: BTreeMap<u64, Row>,
    recent: BTreeMap<(Name, VisitorId), SystemTime>,
    /// Rows that a faulty disk said to have stored and holds in its cache.
    cached: Vec<(u64, Row)>,
    /// How often a row was read, for a faulty disk that makes a new id of it.
    read: HashMap<u64, u32>,
    plant: Option<Plant>,
}

/// What is kept in memory reaches a disk that was mended within this time: it is looked at twice a second.
const NOTICED: Duration = Duration::from_secs(1);

/// As many rows as the planted fault keeps.
const FEW: usize = 4;

impl Disk {
    pub(crate) fn with(plant: Option<Plant>) -> Self {
        Self(Arc::new(Mutex::new(Platter { plant, ..Platter::default() })))
    }

    pub(crate) fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().expect("no holder of this lock panics")
    }

    /// The process is killed, or the power fails: what was only in a cache is gone.
    pub(crate) fn cut(&self) {
        self.platter().cached.clear();
    }

    /// Whether it takes nothing, or has been mended for less time than the product takes to notice.
    pub(crate) fn is_broken(&self, now: Duration) -> bool {
        let platter = self.platter();
        platter.mood != Mood::Well || (platter.mended > Duration::ZERO && now < platter.mended + NOTICED)
    }

    /// Whether it cannot even be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.platter().mood == Mood::Gone
    }

    /// Rows that lie there now.
    pub(crate) fn visits(&self) -> Vec<Uuid> {
        self.platter().rows.values().map(|row| row.id).collect()
    }
}

fn path() -> PathBuf {
    PathBuf::from("outbox.db")
}

/// As the file tells times: whole milliseconds.
fn whole(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(since.as_millis() as u64)
}

impl Platter {
    fn may_read(&self) -> Result<(), ShelfError> {
        match self.mood {
            Mood::Gone => Err(ShelfError::Disk { path: path(), reason: rusqlite::Error::InvalidQuery }),
            _ => Ok(()),
        }
    }

    /// Whether a write may be done; one that is done and said to have failed is `Ok(false)`.
    fn may_write(&self) -> Result<bool, ShelfError> {
        self.may_read()?;
        match self.mood {
            Mood::Full => Err(ShelfError::Full { path: path() }),
            Mood::ReadOnly => Err(ShelfError::ReadOnly { path: path() }),
            Mood::Torn => Ok(false),
            Mood::Well | Mood::Gone => Ok(true),
        }
    }

    fn store(&mut self, seq: u64, row: &Row) {
        self.ledger.push(Deed::Stored(row.id));
        self.recent.insert((row.gate.clone(), row.visitor), whole(row.decided));
        let row = Row { decided: whole(row.decided), keep_until: whole(row.keep_until), arrived: None, ..row.clone() };
        self.rows.insert(seq, row);
    }

    fn settle(&mut self) {
        for (seq, row) in std::mem::take(&mut self.cached) {
            self.store(seq, &row);
        }
    }
}

/// The answer to a write that was done: failed all the same, where the disk says so.
fn said<T>(is_said: bool, value: T) -> Result<T, ShelfError> {
    if is_said { Ok(value) } else { Err(ShelfError::Disk { path: path(), reason: rusqlite::Error::InvalidQuery }) }
}

impl Keep for Disk {
    fn open(&mut self, _now: SystemTime) -> Result<(), ShelfError> {
        self.platter().may_read()
    }

    fn reopen_if_needed(&mut self, _now: SystemTime) -> Result<(), ShelfError> {
        self.platter().may_read()
    }

    fn extent(&mut self) -> Result<(u64, u64), ShelfError> {
        let platter = self.platter();
        platter.may_read()?;
        let next = platter.rows.last_key_value().map_or(1, |(seq, _)| seq + 1);
        Ok((next, platter.rows.len() as u64))
    }

    fn put(&mut self, rows: &[(u64, Row)]) -> Result<(), ShelfError> {
        let mut platter = self.platter();
        let is_said = platter.may_write()?;
        if platter.plant == Some(Plant::SaidBeforeStored) {
            platter.cached.extend(rows.iter().cloned());
            return Ok(());
        }
        for (seq, row) in rows {
            platter.store(*seq, row);
        }
        if platter.plant == Some(Plant::DropsOldest) {
            while platter.rows.len() > FEW {
                platter.rows.pop_first();
            }
        }
        said(is_said, ())
    }

    fn after(&mut self, cursor: u64, most: usize) -> Result<Vec<Waiting>, ShelfError> {
        let mut platter = self.platter();
        platter.may_read()?;
        let waiting = |(seq, row): (&u64, &Row)| Waiting { seq: *seq, row: row.clone() };
        let mut found: Vec<_> = platter.rows.range(cursor + 1..).take(most).map(waiting).collect();
        if platter.plant == Some(Plant::SaidBeforeStored) {
            let later: Vec<_> = platter.cached.iter().filter(|(seq, _)| *seq > cursor).cloned().collect();
            found.extend(later.into_iter().map(|(seq, row)| Waiting { seq, row }));
        }
        if platter.plant == Some(Plant::NewIdAgain) {
            for Waiting { seq, row } in &mut found {
                let times = platter.read.entry(*seq).or_default();
                *times += 1;
                if *times > 1 {
                    let (old, new) = (row.id.to_string(), Uuid::from_u128(row.id.as_u128() ^ u128::from(*times)));
                    row.id = new;
                    row.body = String::from_utf8_lossy(&row.body).replace(&old, &new.to_string()).into_bytes().into();
                }
            }
        }
        Ok(found)
    }

    fn delete(&mut self, seqs: &[u64]) -> Result<u64, ShelfError> {
        if seqs.is_empty() {
            return Ok(0);
        }
        let mut platter = self.platter();
        let is_said = platter.may_write()?;
        platter.cached.retain(|(seq, _)| !seqs.contains(seq));
        let gone: Vec<Uuid> = seqs.iter().filter_map(|seq| platter.rows.remove(seq)).map(|row| row.id).collect();
        let count = gone.len() as u64;
        platter.ledger.extend(gone.into_iter().map(Deed::Deleted));
        said(is_said, count)
    }

    fn prune(&mut self, now: SystemTime, remember_from: SystemTime) -> Result<Vec<u64>, ShelfError> {
        let mut platter = self.platter();
        platter.may_read()?;
        let due: Vec<u64> = platter.rows.iter().filter(|(_, row)| row.keep_until <= now).map(|(seq, _)| *seq).collect();
        let is_old = |at: &SystemTime| *at < remember_from;
        if due.is_empty() && !platter.recent.values().any(is_old) {
            return Ok(due);
        }
        let is_said = platter.may_write()?;
        for seq in &due {
            if let Some(Row { id, keep_until, .. }) = platter.rows.remove(seq) {
                platter.ledger.push(Deed::Expired { visit: id, keep_until, now });
            }
        }
        platter.recent.retain(|_, at| !is_old(at));
        said(is_said, due)
    }

    fn recent(&mut self, since: SystemTime) -> Result<Vec<Recent>, ShelfError> {
        let platter = self.platter();
        platter.may_read()?;
        let recent = platter.recent.iter().filter(|(_, at)| **at >= since);
        let recent = recent.map(|((gate, visitor), at)| Recent { gate: gate.clone(), visitor: *visitor, decided: *at });
        Ok(recent.collect())
    }

    fn remember(&mut self, visits: &[Recent]) -> Result<(), ShelfError> {
        let mut platter = self.platter();
        let is_said = platter.may_write()?;
        for Recent { gate, visitor, decided } in visits {
            platter.recent.insert((gate.clone(), *visitor), whole(*decided));
            platter.ledger.push(Deed::Remembered(gate.clone(), *visitor));
        }
        said(is_said, ())
    }

    fn visitors(&mut self) -> Result<Vec<VisitorId>, ShelfError> {
        let mut platter = self.platter();
        platter.may_read()?;
        // Asked twice a second: what a faulty disk holds back reaches its place by then.
        platter.settle();
        let all = platter.rows.values().map(|row| row.visitor).chain(platter.recent.keys().map(|(_, who)| *who));
        Ok(all.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn blank(&mut self, gone: &BTreeSet<VisitorId>) -> Result<(), ShelfError> {
        let mut platter = self.platter();
        let is_said = platter.may_write()?;
        for row in platter.rows.values_mut().filter(|row| gone.contains(&row.visitor)) {
            row.blank();
        }
        platter.recent.retain(|(_, visitor), _| !gone.contains(visitor));
        said(is_said, ())
    }

    fn move_rows(&mut self, from: i64, to: i64, by: i64) -> Result<(), ShelfError> {
        let mut platter = self.platter();
        let is_said = platter.may_write()?;
        let millis = |at: SystemTime| {
            at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis().try_into().unwrap_or(i64::MAX)
        };
        let far = Duration::from_millis(by.unsigned_abs());
        let moved = |at: SystemTime| if by < 0 { at - far } else { at + far };
        for row in platter.rows.values_mut().filter(|row| (from..=to).contains(&millis(row.decided))) {
            (row.decided, row.keep_until) = (moved(row.decided), moved(row.keep_until));
        }
        said(is_said, ())
    }

    fn try_room(&mut self) -> Result<(), ShelfError> {
        let is_said = self.platter().may_write()?;
        said(is_said, ())
    }

    fn checkpoint(&mut self) -> Result<(), ShelfError> {
        self.platter().may_write().map(|_| ())
    }
}
