//! The outbox: visits that the broker has not acknowledged.
//!
//! A visit is on disk (SQLite, WAL, `synchronous=FULL`) before it is sent, and leaves when the broker acknowledged it.
//! It holds opaque ids only; greetings and faces never come here (`docs/decisions/0003-greetings-live-in-memory.md`).
//! When the disk fails or hangs, rows wait in memory, bounded, and go to the disk once it heals. Rows have a sequence
//! number, so that a sink walks them in the order of decision, wherever they are. The file is touched by the thread `outbox`
//! alone (`hand`); whoever asks for something waits for a second at most.

pub mod blank;
mod hand;
mod jump;
mod row;
mod tend;

pub use row::{Kind, Recent, Row, Waiting};

use crate::{
    clock::Clock,
    gallery::visitor::VisitorId,
    metrics::{OUTBOX_DEPTH, SKIPPED},
    publish::{
        acked::Arrived,
        keep::Keep,
        shelf::{Shelf, ShelfError},
    },
};
use hand::Hand;
use jump::Believed;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// Rows kept in memory while the disk fails: about 10 MB, an hour of a busy gate. Beyond it the oldest is given up.
const MEMORY_ROWS: usize = 10_000;

/// The outbox; shared by the threads `publish` (appends) and `sink-mqtt` (acknowledges).
pub struct Outbox {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Milliseconds.
    remember: AtomicU64,
    inner: Arc<Mutex<Inner>>,
    hand: Hand,
}

/// What is known without asking the disk.
struct Inner {
    next: u64,
    /// Rows on disk, the undeleted among them.
    on_disk: u64,
    /// Rows that are not on the disk, or not yet.
    in_memory: BTreeMap<u64, Row>,
    /// Acknowledged rows that the disk did not delete, or not yet.
    undeleted: BTreeSet<u64>,
    /// Visits that were acknowledged out of memory, and that the disk is still to remember for the quiet time.
    owed: Vec<Recent>,
    /// Whoever was forgotten, and whose rows the disk could not blank yet: they are blanked as they are read.
    gone: BTreeSet<VisitorId>,
    /// How often somebody was blanked.
    blanked: u64,
    arrived: HashMap<u64, Arrived>,
    trouble: Option<String>,
    believed: Believed,
}

fn held(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().expect("no holder of this lock panics")
}

impl Outbox {
    /// Opens or makes the outbox at `path`; visits are remembered for `remember` (the gates' longest quiet time).
    ///
    /// A damaged file is moved aside with a warning. A full or failing disk is [`Outbox::trouble`], not an error.
    ///
    /// # Errors
    /// When a person must mend something: no such folder, no permission, another usher at work, a newer usher's file.
    pub fn open(path: &Path, remember: Duration, clock: Arc<dyn Clock>) -> Result<Self, ShelfError> {
        Self::of(path, Box::new(Shelf::at(path)), Hand::of, remember, clock)
    }

    /// Opens the outbox that `keep` keeps, without a thread: whoever asks for something does it. Otherwise as [`Outbox::open`].
    ///
    /// # Errors
    /// When a person must mend something.
    pub fn over(keep: Box<dyn Keep>, remember: Duration, clock: Arc<dyn Clock>) -> Result<Self, ShelfError> {
        Self::of(Path::new("outbox.db"), keep, Hand::at_once, remember, clock)
    }

    fn of(
        path: &Path,
        mut keep: Box<dyn Keep>,
        hand: fn(Box<dyn Keep>) -> Hand,
        remember: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ShelfError> {
        let trouble = match keep.open(clock.now().wall) {
            Ok(()) => None,
            Err(error) if error.heals() => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        let (next, on_disk) = keep.extent().unwrap_or((1, 0));
        // Were the file unreadable now and readable later, its rows would be older than any of ours.
        let next =
            next.max(clock.now().wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros() as u64);
        let mut inner = Inner {
            next,
            on_disk,
            in_memory: BTreeMap::new(),
            undeleted: BTreeSet::new(),
            owed: Vec::new(),
            gone: BTreeSet::new(),
            blanked: 0,
            arrived: HashMap::new(),
            trouble: None,
            believed: Believed::from(clock.now()),
        };
        if let Some(reason) = trouble {
            inner.note::<(), _>(Err(reason));
        }
        inner.gauge();
        let remember = AtomicU64::new(remember.as_millis() as u64);
        let (inner, hand) = (Arc::new(Mutex::new(inner)), hand(keep));
        Ok(Self { path: path.to_owned(), clock, remember, inner, hand })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        held(&self.inner)
    }

    /// Has `job` done with the file; `None` where the disk does not answer, which is trouble then.
    fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Keep, &Mutex<Inner>) -> T + Send + 'static,
    ) -> Option<T> {
        let inner = self.inner.clone();
        let done = self.hand.ask(move |keep| job(keep, &inner));
        if done.is_none() {
            let hangs = ShelfError::Hangs { path: self.path.clone() };
            self.lock().note::<(), _>(Err(hangs));
        }
        done
    }

    /// What `read` finds in the file; nothing where it cannot be read, which is trouble then.
    fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Keep) -> Result<T, ShelfError> + Send + 'static,
    ) -> Option<T> {
        self.on_disk(move |keep, inner| {
            let read = read(keep);
            held(inner).note(read)
        })
        .flatten()
    }

    /// Takes `rows` in, in one commit. On return they are on disk, or [`Outbox::trouble`] says why they are not.
    pub fn append(&self, rows: Vec<Row>) {
        let mut inner = self.lock();
        let first = inner.next;
        inner.next += rows.len() as u64;
        for (seq, row) in (first..).zip(rows) {
            if let Some(arrived) = row.arrived {
                inner.arrived.insert(seq, arrived);
            }
            inner.in_memory.insert(seq, row);
        }
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
        inner.gauge();
        // While there is trouble the disk is known to fail; `tend` finds out when it heals.
        let is_well = inner.trouble.is_none();
        drop(inner);
        if is_well {
            self.on_disk(put);
        }
    }

    /// At most `most` rows that are not acknowledged, after sequence number `cursor`, in order.
    pub fn after(&self, cursor: u64, most: usize) -> Vec<Waiting> {
        let surplus = self.lock().undeleted.len();
        let mut rows = self.read(move |keep| keep.after(cursor, most + surplus)).unwrap_or_default();
        let inner = self.lock();
        rows.retain(|waiting| !inner.undeleted.contains(&waiting.seq));
        // What is on its way to the disk is sent when it is there.
        if inner.trouble.is_some() {
            let in_memory = inner.in_memory.range(cursor + 1..).take(most);
            rows.extend(in_memory.map(|(seq, row)| Waiting { seq: *seq, row: row.clone() }));
        }
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
        for seq in seqs {
            inner.arrived.remove(seq);
            match inner.in_memory.remove(seq) {
                None => _ = inner.undeleted.insert(*seq),
                Some(Row { gate, visitor, decided, .. }) => inner.owe(Recent { gate, visitor, decided }),
            }
        }
        inner.gauge();
        let is_well = inner.trouble.is_none();
        drop(inner);
        if is_well {
            self.on_disk(delete);
        }
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
        self.read(move |keep| keep.recent(since)).unwrap_or_default()
    }

    /// Visits not yet acknowledged.
    pub fn depth(&self) -> u64 {
        self.lock().depth()
    }

    /// What is wrong with the disk, in one sentence with its mend.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// The same, with how many visits are in memory alone.
    pub(crate) fn trouble_told(&self) -> Option<String> {
        let inner = self.lock();
        inner.trouble.as_ref().map(|trouble| format!("{trouble}; {} visits wait in memory", inner.in_memory.len()))
    }

    /// Moves everything out of the write-ahead log into the one file; to be called when stopping.
    pub fn close(&self) {
        self.read(|keep| keep.checkpoint());
    }
}

/// Puts what is in memory on the disk; whether that is done.
fn put(keep: &mut dyn Keep, inner: &Mutex<Inner>) -> bool {
    let rows: Vec<(u64, Row)> = held(inner).in_memory.iter().map(|(seq, row)| (*seq, row.clone())).collect();
    if rows.is_empty() {
        return true;
    }
    let put = keep.put(&rows);
    let mut inner = held(inner);
    if inner.note(put).is_none() {
        return false;
    }
    inner.on_disk += rows.len() as u64;
    for (seq, _) in rows {
        // Acknowledged or expired while it was written.
        if inner.in_memory.remove(&seq).is_none() {
            inner.undeleted.insert(seq);
        }
    }
    inner.gauge();
    true
}

/// Deletes from the disk what was acknowledged; whether that is done.
fn delete(keep: &mut dyn Keep, inner: &Mutex<Inner>) -> bool {
    let seqs: Vec<u64> = held(inner).undeleted.iter().copied().collect();
    let deleted = keep.delete(&seqs);
    let mut inner = held(inner);
    let Some(deleted) = inner.note(deleted) else { return false };
    inner.on_disk = inner.on_disk.saturating_sub(deleted);
    seqs.iter().for_each(|seq| _ = inner.undeleted.remove(seq));
    inner.gauge();
    true
}

/// Has the disk remember what was acknowledged out of memory; whether that is done.
fn remember(keep: &mut dyn Keep, inner: &Mutex<Inner>) -> bool {
    let owed = held(inner).owed.clone();
    if owed.is_empty() {
        return true;
    }
    let remembered = keep.remember(&owed);
    let mut inner = held(inner);
    if inner.note(remembered).is_none() {
        return false;
    }
    // Whoever was forgotten meanwhile is blanked on the disk after this.
    inner.owed.retain(|visit| !owed.contains(visit));
    true
}

impl Inner {
    fn owe(&mut self, visit: Recent) {
        if visit.visitor != Row::NOBODY {
            self.owed.push(visit);
            let excess = self.owed.len().saturating_sub(MEMORY_ROWS);
            self.owed.drain(..excess);
        }
    }

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
}

#[cfg(test)]
mod tests;
