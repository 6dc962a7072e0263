//! Housekeeping: what fails is tried again, and what was kept long enough goes.

use crate::{
    metrics::EXPIRED,
    publish::{
        keep::Keep,
        outbox::{Inner, Kind, Outbox, delete, held, put, remember},
    },
};
use std::{
    sync::{Mutex, atomic::Ordering},
    time::{Duration, SystemTime},
};

impl Outbox {
    /// Housekeeping, to be called about every second: heals, gives up what is older than its keep-until, forgets
    /// visits older than the quiet time.
    pub fn tend(&self) {
        let now = self.clock.now();
        self.follow_clock(now);
        let now = now.wall;
        let kept = Duration::from_millis(self.remember.load(Ordering::Relaxed));
        let remember_from = now.checked_sub(kept).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut inner = self.lock();
        inner.owed.retain(|visit| visit.decided >= remember_from);
        let before = inner.in_memory.len();
        inner.in_memory.retain(|_, row| row.keep_until > now);
        expired((before - inner.in_memory.len()) as u64);
        inner.gauge();
        drop(inner);
        self.on_disk(move |keep, inner| {
            // The guard of an `if`'s condition would be held for as long as the disk takes.
            let is_well = held(inner).trouble.is_none();
            let is_usable = is_well || {
                let opened = keep.reopen_if_needed(now);
                held(inner).note(opened).is_some()
            };
            if is_usable && delete(keep, inner) && remember(keep, inner) && put(keep, inner) {
                healed(keep, inner);
                if held(inner).trouble.is_none() {
                    prune(keep, inner, now, remember_from);
                }
            }
        });
    }
}

/// The disk took everything, and more: whatever was wrong is over.
fn healed(keep: &mut dyn Keep, inner: &Mutex<Inner>) {
    if held(inner).trouble.is_none() {
        return;
    }
    // Where nothing waited, nothing was written: a full disk reads well.
    let extent = keep.try_room().and_then(|()| keep.extent());
    let mut inner = held(inner);
    if let Some((_, on_disk)) = inner.note(extent) {
        inner.on_disk = on_disk;
        inner.trouble = None;
        inner.gauge();
        tracing::info!(rows = on_disk, "outbox: the disk takes visits again");
    }
}

fn prune(keep: &mut dyn Keep, inner: &Mutex<Inner>, now: SystemTime, remember_from: SystemTime) {
    let pruned = keep.prune(now, remember_from);
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
