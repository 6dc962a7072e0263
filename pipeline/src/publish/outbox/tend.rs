//! Housekeeping: what fails is tried again, and what was kept long enough goes.

use crate::{
    metrics::EXPIRED,
    publish::{
        outbox::{Inner, Kind, Outbox, delete, held, put},
        shelf::{Shelf, ShelfError},
    },
};
use rusqlite::Connection;
use std::{
    sync::{Mutex, atomic::Ordering},
    time::{Duration, SystemTime},
};

/// Bytes that must fit before a disk that failed is believed to be well.
const ROOM: u32 = 64 * 1024;

impl Outbox {
    /// Housekeeping, to be called about every second: heals, gives up what is older than its keep-until, forgets
    /// visits older than the quiet time.
    pub fn tend(&self) {
        let now = self.clock.now();
        self.follow_clock(now);
        let now = now.wall;
        let mut inner = self.lock();
        let before = inner.in_memory.len();
        inner.in_memory.retain(|_, row| row.keep_until > now);
        expired((before - inner.in_memory.len()) as u64);
        inner.gauge();
        drop(inner);
        let remember_from = now
            .checked_sub(Duration::from_millis(self.remember.load(Ordering::Relaxed)))
            .unwrap_or(SystemTime::UNIX_EPOCH);
        self.on_disk(move |shelf, inner| {
            // The guard of an `if`'s condition would be held for as long as the disk takes.
            let is_well = held(inner).trouble.is_none();
            let is_usable = is_well || {
                let opened = shelf.reopen_if_needed(now);
                held(inner).note(opened).is_some()
            };
            if is_usable && delete(shelf, inner) && put(shelf, inner) {
                healed(shelf, inner);
                if held(inner).trouble.is_none() {
                    prune(shelf, inner, now, remember_from);
                }
            }
        });
    }
}

/// The disk took everything, and more: whatever was wrong is over.
fn healed(shelf: &mut Shelf, inner: &Mutex<Inner>) {
    if held(inner).trouble.is_none() {
        return;
    }
    // Where nothing waited, nothing was written: a full disk reads well.
    let extent = shelf.try_room().and_then(|()| shelf.extent());
    let mut inner = held(inner);
    if let Some((_, on_disk)) = inner.note(extent) {
        inner.on_disk = on_disk;
        inner.trouble = None;
        inner.gauge();
        tracing::info!(rows = on_disk, "outbox: the disk takes visits again");
    }
}

impl Shelf {
    /// Writes as much as a window of visits takes, and deletes it again.
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
}

fn prune(shelf: &mut Shelf, inner: &Mutex<Inner>, now: SystemTime, remember_from: SystemTime) {
    let pruned = shelf.prune(now, remember_from);
    let mut inner = held(inner);
    let Some(seqs) = inner.note(pruned) else { return };
    inner.on_disk = inner.on_disk.saturating_sub(seqs.len() as u64);
    for seq in &seqs {
        inner.arrived.remove(seq);
        inner.undeleted.remove(seq);
    }
    expired(seqs.len() as u64);
    inner.gauge();
}

fn expired(visits: u64) {
    if visits > 0 {
        metrics::counter!(EXPIRED, "kind" => Kind::Visit.as_str()).increment(visits);
        tracing::warn!(expired = visits, "visits given up: the broker has not taken them within publish.keep");
    }
}
