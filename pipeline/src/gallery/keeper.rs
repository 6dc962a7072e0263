//! The keeper: whatever the gallery writes by itself, on a thread of its own.
//!
//! The watch ([`crate::gallery::current`]) must go round whatever the disk does: whoever's time ends is nobody at once. So what
//! may wait for a disk is done here: erasing the expired and whoever was forgotten, the time floor, the write-ahead log. While
//! the disk fails it is tried once a second, and health says so until everything that an enrolment needs can be written again.

use crate::{
    clock::Clock,
    gallery::{
        file::{StoreError, disk},
        floor::Floor,
        key::BoxKey,
        store::Store,
    },
    health::Health,
    supervise::spawn,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::{info, warn};

/// What health calls it.
pub(crate) const PART: &str = "gallery";

/// How often it is looked whether something must be written, and how often a disk that failed is tried again.
const ROUND: Duration = Duration::from_secs(1);

/// How often accounts are settled where nothing calls for it.
const AGAIN: Duration = Duration::from_secs(30);

/// A round that takes longer hangs; an honest one takes milliseconds, and a second of patience with other readers.
const HANGS: Duration = Duration::from_secs(3);

/// What an enrolment needs at most, in bytes: three sealed views and crops, consent, and the pages they stand in.
const ROOM: usize = 256 * 1024;

/// The keeper, as the watch sees it.
pub(super) enum Keeper {
    /// A thread.
    Thread(Thread),
    /// The watch itself: the simulator's days are the same each time.
    AtOnce {
        /// What it keeps.
        rounds: Box<Rounds>,
        /// When it last went round, steady time.
        last: Option<Duration>,
    },
}

/// The thread.
pub(super) struct Thread {
    due: Option<Sender<()>>,
    since: Arc<Mutex<Option<Duration>>>,
    ended: Receiver<()>,
    path: PathBuf,
}

impl Keeper {
    /// Starts thread `keeper` for the gallery that `store` reads.
    pub(super) fn start(store: &Store, floor: Floor, clock: Arc<dyn Clock>, health: Arc<Health>) -> Self {
        // One reminder is as good as many.
        let (due, asked) = bounded(1);
        let (end, ended) = bounded(1);
        let since = Arc::<Mutex<Option<Duration>>>::default();
        let began = since.clone();
        let mut rounds = Rounds::of(store, floor, clock, health);
        spawn("keeper", move || {
            loop {
                let due = match asked.recv_timeout(ROUND) {
                    Ok(()) => true,
                    Err(RecvTimeoutError::Timeout) => false,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                *began.lock().expect("no holder of this lock panics") = Some(rounds.clock.now().steady);
                rounds.round(due);
                *began.lock().expect("no holder of this lock panics") = None;
            }
            drop(rounds);
            let _nobody_waits_any_more = end.send(());
        });
        Self::Thread(Thread { due: Some(due), since, ended, path: store.path().to_owned() })
    }

    /// Without a thread.
    pub(super) fn at_once(store: &Store, floor: Floor, clock: Arc<dyn Clock>, health: Arc<Health>) -> Self {
        Self::AtOnce { rounds: Box::new(Rounds::of(store, floor, clock, health)), last: None }
    }

    /// The watch goes round at steady time `now`; `due`: somebody's time has ended, and they are erased at once, not within half a
    /// minute.
    pub(super) fn turn(&mut self, due: bool, now: Duration) {
        match self {
            Self::Thread(thread) => {
                if due {
                    let _is_reminded = thread.due.as_ref().map(|due| due.try_send(()));
                }
            }
            Self::AtOnce { rounds, last } => {
                if due || last.is_none_or(|last| now.saturating_sub(last) >= ROUND) {
                    *last = Some(now);
                    rounds.round(due);
                }
            }
        }
    }

    /// Why it does not go round at steady time `now`, where a disk keeps it.
    pub(super) fn hangs(&self, now: Duration) -> Option<String> {
        let Self::Thread(thread) = self else { return None };
        let since = (*thread.since.lock().expect("no holder of this lock panics"))?;
        let long = now.saturating_sub(since);
        let path = thread.path.display();
        (long > HANGS)
            .then(|| format!("the disk that holds {path} does not answer; nobody is enrolled or erased until it does"))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.due = None;
        // A disk that hangs is not waited for: what it was given is whole or absent, as after a plug was pulled.
        let _ended = self.ended.recv_timeout(ROUND);
    }
}

/// What it keeps, and its one step.
pub(super) struct Rounds {
    path: PathBuf,
    key: BoxKey,
    store: Option<Store>,
    floor: Floor,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    /// When accounts were last settled, steady time.
    tried: Option<Duration>,
    /// The trouble last logged.
    said: Option<String>,
}

impl Rounds {
    fn of(store: &Store, floor: Floor, clock: Arc<dyn Clock>, health: Arc<Health>) -> Self {
        let (path, key) = (store.path().to_owned(), store.key.clone());
        Self { path, key, store: None, floor, clock, health, tried: None, said: None }
    }

    fn round(&mut self, due: bool) {
        // The desk says so as well, when an enrolment could not be written, and so does the outbox of the same disk.
        let is_ailing = self.said.is_some() || !self.health.disk().is_empty();
        let trouble = match self.keep(due, is_ailing) {
            Ok(()) => None,
            // Another process writes; that is no trouble with the disk, and it is tried again.
            Err(error) if !error.is_disk() => {
                self.tried = None;
                (!matches!(error, StoreError::Busy { .. })).then(|| error.to_string())
            }
            Err(error) => Some(error.to_string()),
        };
        if trouble.is_some() != self.said.is_some() {
            match &trouble {
                Some(reason) => warn!(reason, "the gallery cannot be written; nobody is enrolled until it can"),
                None => info!("the gallery can be written again"),
            }
        }
        if trouble.is_some() || is_ailing {
            self.health.set_disk(PART, trouble.clone());
        }
        self.said = trouble;
    }

    fn keep(&mut self, due: bool, is_ailing: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        if is_ailing {
            room(&self.path).map_err(|why| disk(&self.path, &why))?;
        }
        let mut store = match self.store.take() {
            Some(store) => store,
            None => Store::open(&self.path, self.key.clone())?,
        };
        store.reopen_if_replaced()?;
        let store = self.store.insert(store);
        let floor = self.floor.to_write(now).or_else(|| is_ailing.then(|| self.floor.sure(now)));
        if let Some(floor) = floor {
            store.write_floor(floor)?;
        }
        if due || is_ailing || self.tried.is_none_or(|tried| now.steady.saturating_sub(tried) >= AGAIN) {
            // What another process began to forget and could not finish; a wrapped key that is still in the log.
            store.settle_accounts(now.wall)?;
            let gone = store.expire(self.floor.sure(now))?;
            if gone.visitors > 0 {
                info!(visitors = gone.visitors, log_emptied = gone.log_emptied, "expired visitors were forgotten");
            }
            store.empty_log_if_full();
            self.tried = Some(now.steady);
        }
        Ok(())
    }
}

/// Whether there is room beside `path` for an enrolment: as much is written, synced and removed.
fn room(path: &Path) -> io::Result<()> {
    let scratch = path.with_file_name(".room");
    let written = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&scratch)?;
        file.write_all(&[0; ROOM])?;
        file.sync_all()
    };
    let written = written();
    let removed = fs::remove_file(&scratch);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        room(&folder.path().join("gallery.db")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = room(Path::new("/nowhere/gallery.db")).unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
    }
}
