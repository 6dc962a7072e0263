//! The outbox: visits that the broker has not acknowledged.
//!
//! A visit is on disk (SQLite, WAL, `synchronous=FULL`) before it is sent, and leaves when the broker acknowledged it.
//! It holds opaque ids only; greetings and faces never come here (`docs/decisions/0003-greetings-live-in-memory.md`).
//! When the disk fails, rows wait in memory, bounded, and go to the disk once it heals. Rows have a sequence number,
//! so that a sink walks them in the order of decision, wherever they are.

pub mod blank;

use crate::{
    clock::Clock,
    gallery::visitor::VisitorId,
    metrics::{EXPIRED, OUTBOX_DEPTH, SKIPPED},
    publish::{
        acked::Arrived,
        keep::Keep,
        shelf::{Shelf, ShelfError},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};
use usher_config::value::Name;
use uuid::Uuid;

/// Rows kept in memory while the disk fails: about 10 MB, an hour of a busy gate. Beyond it the oldest is given up.
const MEMORY_ROWS: usize = 10_000;

/// What a row is; its name in the table and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A [`crate::publish::payload::Visit`].
    Visit,
}

impl Kind {
    /// As the table and metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visit => "visit",
        }
    }
}

/// One event to be kept until it is acknowledged.
#[derive(Clone, Debug)]
pub struct Row {
    /// The visit's id.
    pub id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// At which gate.
    pub gate: Name,
    /// Who; remembered for the quiet time, see [`Outbox::recent_visits`].
    pub visitor: VisitorId,
    /// Where it goes.
    pub topic: String,
    /// What is sent.
    pub body: Arc<[u8]>,
    /// When it was decided.
    pub decided: SystemTime,
    /// Given up and counted from then on.
    pub keep_until: SystemTime,
    /// Arrival of its looks. `None` for rows of an earlier process: its steady clock is gone.
    pub arrived: Option<Arrived>,
}

/// A row and its place in the order of decision.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Grows from row to row; unique while un-acknowledged rows exist.
    pub seq: u64,
    /// The row.
    pub row: Row,
}

/// A visit of the near past: what decide must remember over a restart. Opaque ids only.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// Where.
    pub gate: Name,
    /// Who.
    pub visitor: VisitorId,
    /// When.
    pub decided: SystemTime,
}

/// The outbox; shared by the threads `publish` (appends) and `sink-mqtt` (acknowledges).
pub struct Outbox {
    clock: Arc<dyn Clock>,
    /// Milliseconds.
    remember: AtomicU64,
    inner: Mutex<Inner>,
}

struct Inner {
    shelf: Box<dyn Keep>,
    next: u64,
    /// Rows on disk, the undeleted among them.
    on_disk: u64,
    /// Rows that the disk did not take.
    in_memory: BTreeMap<u64, Row>,
    /// Acknowledged rows that the disk did not delete.
    undeleted: BTreeSet<u64>,
    /// Visits that were acknowledged out of memory, and that the disk is still to remember for the quiet time.
    owed: Vec<Recent>,
    /// Whoever was forgotten, and whose rows the disk could not blank yet: they are blanked as they are read.
    gone: BTreeSet<VisitorId>,
    /// How often somebody was blanked.
    blanked: u64,
    arrived: HashMap<u64, Arrived>,
    trouble: Option<String>,
}

impl Outbox {
    /// Opens or makes the outbox at `path`; visits are remembered for `remember` (the gates' longest quiet time).
    ///
    /// A damaged file is moved aside with a warning. A full or failing disk is [`Outbox::trouble`], not an error.
    ///
    /// # Errors
    /// When a person must mend something: no such folder, no permission, another usher at work, a newer usher's file.
    pub fn open(path: &Path, remember: Duration, clock: Arc<dyn Clock>) -> Result<Self, ShelfError> {
        Self::over(Box::new(Shelf::at(path)), remember, clock)
    }

    /// Opens the outbox that `shelf` keeps; otherwise as [`Outbox::open`].
    ///
    /// # Errors
    /// When a person must mend something.
    pub fn over(mut shelf: Box<dyn Keep>, remember: Duration, clock: Arc<dyn Clock>) -> Result<Self, ShelfError> {
        let trouble = match shelf.open(clock.now().wall) {
            Ok(()) => None,
            Err(error) if error.heals() => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        let (next, on_disk) = shelf.extent().unwrap_or((1, 0));
        // Were the file unreadable now and readable later, its rows would be older than any of ours.
        let next =
            next.max(clock.now().wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64);
        let inner = Inner {
            shelf,
            next,
            on_disk,
            in_memory: BTreeMap::new(),
            undeleted: BTreeSet::new(),
            owed: Vec::new(),
            gone: BTreeSet::new(),
            blanked: 0,
            arrived: HashMap::new(),
            trouble: None,
        };
        let remember = AtomicU64::new(remember.as_millis() as u64);
        let outbox = Self { clock, remember, inner: Mutex::new(inner) };
        if let Some(reason) = trouble {
            outbox.lock().note::<(), _>(Err(reason));
        }
        outbox.lock().gauge();
        Ok(outbox)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }

    /// Takes `rows` in, in one commit. On return they are on disk, or [`Outbox::trouble`] says why they are not.
    pub fn append(&self, rows: Vec<Row>) {
        let mut inner = self.lock();
        let first = inner.next;
        let rows: Vec<(u64, Row)> = (first..).zip(rows).collect();
        inner.next += rows.len() as u64;
        for (seq, row) in &rows {
            if let Some(arrived) = row.arrived {
                inner.arrived.insert(*seq, arrived);
            }
        }
        // While rows wait in memory the disk is known to fail; `tend` finds out when it heals.
        let stored = if inner.in_memory.is_empty() { inner.put(&rows) } else { false };
        if !stored {
            inner.in_memory.extend(rows);
            let excess = inner.in_memory.len().saturating_sub(MEMORY_ROWS);
            for _ in 0..excess {
                if let Some((seq, _)) = inner.in_memory.pop_first() {
                    inner.arrived.remove(&seq);
                }
            }
            if excess > 0 {
                metrics::counter!(SKIPPED, "stage" => "publish", "reason" => "outbox full").increment(excess as u64);
                tracing::error!(lost = excess, "the disk fails and memory for visits is used up: oldest given up");
            }
        }
        inner.gauge();
    }

    /// At most `most` rows that are not acknowledged, after sequence number `cursor`, in order.
    pub fn after(&self, cursor: u64, most: usize) -> Vec<Waiting> {
        let mut inner = self.lock();
        let surplus = inner.undeleted.len();
        let read = inner.shelf.after(cursor, most + surplus);
        let mut rows = inner.note(read).unwrap_or_default();
        rows.retain(|waiting| !inner.undeleted.contains(&waiting.seq));
        rows.extend(
            inner.in_memory.range(cursor + 1..).take(most).map(|(seq, row)| Waiting { seq: *seq, row: row.clone() }),
        );
        rows.sort_by_key(|waiting| waiting.seq);
        // A commit that failed may have reached the disk all the same.
        rows.dedup_by_key(|waiting| waiting.seq);
        rows.truncate(most);
        for waiting in &mut rows {
            if inner.gone.contains(&waiting.row.visitor) {
                waiting.row.blank();
            }
            waiting.row.arrived = inner.arrived.get(&waiting.seq).copied();
        }
        rows
    }

    /// Lets the rows of these sequence numbers go, in one commit: the broker has them.
    pub fn acknowledged(&self, seqs: &[u64]) {
        let mut inner = self.lock();
        let mut gone = Vec::with_capacity(seqs.len());
        for seq in seqs {
            inner.arrived.remove(seq);
            match inner.in_memory.remove(seq) {
                None => gone.push(*seq),
                Some(Row { gate, visitor, decided, .. }) => inner.owe(Recent { gate, visitor, decided }),
            }
        }
        let deleted = inner.shelf.delete(&gone);
        match inner.note(deleted) {
            Some(deleted) => inner.on_disk = inner.on_disk.saturating_sub(deleted),
            None => inner.undeleted.extend(gone),
        }
        inner.gauge();
    }

    /// Visits are remembered for this long from now on.
    pub fn remember(&self, remember: Duration) {
        self.remember.store(remember.as_millis() as u64, Ordering::Relaxed);
    }

    /// A number that changes when somebody's rows were blanked: what was read before may still say who it was.
    pub(crate) fn blanked(&self) -> u64 {
        self.lock().blanked
    }

    /// Visits decided at `since` or later, as far as they are remembered. To be asked before the gates open.
    pub fn recent_visits(&self, since: SystemTime) -> Vec<Recent> {
        let mut inner = self.lock();
        let read = inner.shelf.recent(since);
        inner.note(read).unwrap_or_default()
    }

    /// Housekeeping, to be called about every second: heals, gives up what is older than its keep-until, forgets
    /// visits older than the quiet time.
    pub fn tend(&self) {
        let now = self.clock.now().wall;
        let mut inner = self.lock();
        inner.heal(now);
        let before = inner.in_memory.len();
        inner.in_memory.retain(|_, row| row.keep_until > now);
        let mut expired = (before - inner.in_memory.len()) as u64;
        let remember = Duration::from_millis(self.remember.load(Ordering::Relaxed));
        let remember_from = now.checked_sub(remember).unwrap_or(SystemTime::UNIX_EPOCH);
        inner.owed.retain(|visit| visit.decided >= remember_from);
        if inner.trouble.is_none() {
            let pruned = inner.shelf.prune(now, remember_from);
            if let Some(seqs) = inner.note(pruned) {
                inner.on_disk = inner.on_disk.saturating_sub(seqs.len() as u64);
                for seq in &seqs {
                    inner.arrived.remove(seq);
                    inner.undeleted.remove(seq);
                }
                expired += seqs.len() as u64;
            }
        }
        if expired > 0 {
            metrics::counter!(EXPIRED, "kind" => Kind::Visit.as_str()).increment(expired);
            tracing::warn!(expired, "visits given up: the broker has not taken them within publish.keep");
        }
        inner.gauge();
    }

    /// Visits not yet acknowledged.
    pub fn depth(&self) -> u64 {
        self.lock().depth()
    }

    /// What is wrong with the disk, in one sentence with its mend.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// Moves everything out of the write-ahead log into the one file; to be called when stopping.
    pub fn close(&self) {
        let mut inner = self.lock();
        let closed = inner.shelf.checkpoint();
        inner.note(closed);
    }
}

impl Inner {
    fn depth(&self) -> u64 {
        (self.on_disk + self.in_memory.len() as u64).saturating_sub(self.undeleted.len() as u64)
    }

    fn gauge(&self) {
        metrics::gauge!(OUTBOX_DEPTH).set(self.depth() as f64);
    }

    /// The value, or the trouble noted (and logged, when it is new).
    fn note<T, E: std::fmt::Display>(&mut self, done: Result<T, E>) -> Option<T> {
        match done {
            Ok(value) => Some(value),
            Err(error) => {
                let reason = error.to_string();
                if self.trouble.is_none() {
                    tracing::error!(%reason, "outbox: visits wait in memory");
                }
                self.trouble = Some(reason);
                None
            }
        }
    }

    fn put(&mut self, rows: &[(u64, Row)]) -> bool {
        let put = self.shelf.put(rows);
        let stored = self.note(put).is_some();
        if stored {
            self.on_disk += rows.len() as u64;
        }
        stored
    }

    fn owe(&mut self, visit: Recent) {
        if visit.visitor != Row::NOBODY {
            self.owed.push(visit);
            let excess = self.owed.len().saturating_sub(MEMORY_ROWS);
            self.owed.drain(..excess);
        }
    }

    /// Tries what failed once more.
    fn heal(&mut self, now: SystemTime) {
        if self.trouble.is_none() {
            return;
        }
        let undeleted: Vec<u64> = self.undeleted.iter().copied().collect();
        let rows: Vec<(u64, Row)> = self.in_memory.iter().map(|(seq, row)| (*seq, row.clone())).collect();
        let shelf = &mut self.shelf;
        let healed = shelf
            .reopen_if_needed(now)
            .and_then(|()| shelf.delete(&undeleted))
            .and_then(|_| shelf.remember(&self.owed))
            .and_then(|()| shelf.put(&rows))
            .and_then(|()| shelf.extent());
        match healed {
            Ok((_, on_disk)) => {
                self.on_disk = on_disk;
                self.in_memory.clear();
                self.undeleted.clear();
                self.owed.clear();
                self.trouble = None;
                tracing::info!(rows = rows.len(), "outbox: the disk takes visits again");
            }
            Err(error) => self.trouble = Some(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
