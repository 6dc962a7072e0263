//! The log's file: lines of JSON, appended under a lock, on the disk before anything follows from them.
//!
//! Several processes write it (a gate, and commands beside it), so each reads what others appended before it appends. A
//! line that was cut short by a crash was never acted upon and is cut off.

use crate::gallery::{
    audit::deed::{Broken, Deed, Line, NOTHING},
    key::give_to_owner_of,
    receipt::Signer,
    visitor::VisitorId,
};
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, FileTimes, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The log's file in the data folder.
pub const NAME: &str = "audit.log";

/// How long a writer waits for another process.
const PATIENCE: Duration = Duration::from_millis(1000);
const AGAIN: Duration = Duration::from_millis(5);

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system would not let it be read or written.
    #[error(
        "the audit log {path} could not be read or written ({why}); nobody is enrolled or forgotten without it: free the disk, or give the file to the user usher runs as"
    )]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Wait: no room.
    #[error(
        "the audit log {path} cannot grow, the disk is full; nobody is enrolled or forgotten without it: free some space"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Wait: the disk fails.
    #[error(
        "the audit log {path} cannot be written ({why}); nobody is enrolled or forgotten without it: check the disk and mount it for writing"
    )]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Another process holds it.
    #[error("the audit log {path} is being written by another process; nothing was changed: try again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It was changed or damaged.
    #[error(
        "the audit log {path} is not whole: {why}; move it aside and whoever is enrolled is forgotten, since nothing says any more who asked to be known"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and how.
        why: Broken,
    },
}

/// What a visitor agreed to, as far as the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consented {
    /// When they must be gone, milliseconds since 1970.
    pub expires_ms: i64,
}

/// How the log was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    New,
    /// As it was left.
    Own,
    /// A copy: of another number or birth than its first line says.
    Copy,
}

/// How much later than its last line a file may seem written: as long as a stalled disk takes.
const WRITTEN_AFTER: Duration = Duration::from_secs(60);

/// Whether a file that was written at `modified` holds more, or less, than what was written with its `last` line.
pub(crate) fn is_written_over(modified: SystemTime, last: jiff::Timestamp) -> bool {
    modified > SystemTime::from(last) + WRITTEN_AFTER
}

/// The log for reading only, while nobody writes; others wait until it is dropped.
pub(crate) fn shared(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    for _ in 0..PATIENCE.as_millis() / AGAIN.as_millis() {
        match file.try_lock_shared() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                let _elapsed = crossbeam::channel::never::<()>().recv_timeout(AGAIN);
            }
            Err(TryLockError::Error(why)) => return Err(why),
        }
    }
    Err(io::Error::from(io::ErrorKind::ResourceBusy))
}

/// What the system's refusal means for whoever must act.
fn failure(path: &Path, why: io::Error) -> LogError {
    let path = path.to_owned();
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LogError::Full { path },
        io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound => LogError::Access { path, why },
        _ => LogError::Disk { path, why },
    }
}

/// The log, open. One per store.
pub struct Log {
    file: File,
    path: PathBuf,
    signer: Signer,
    read_to: u64,
    seq: u64,
    hash: String,
    last: jiff::Timestamp,
    live: HashMap<VisitorId, Consented>,
    gone: HashSet<VisitorId>,
    /// By gate: who answers for comparing everybody there.
    identification: HashMap<String, String>,
    origin: Option<(u64, u64)>,
}

impl Log {
    /// Opens or makes the log at `path` and reads it whole.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(path: &Path, signer: Signer) -> Result<Self, LogError> {
        let open = || fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
        let file = open().map_err(|why| failure(path, why))?;
        if file.metadata().is_ok_and(|about| about.len() == 0) {
            // Where root is at work on a service's files, the service must be able to go on with this one.
            let folder = path.parent().unwrap_or(Path::new("."));
            give_to_owner_of(folder, path).map_err(|why| LogError::Access { path: path.to_owned(), why })?;
        }
        let mut log = Self {
            file,
            path: path.to_owned(),
            signer,
            read_to: 0,
            seq: 0,
            hash: NOTHING.to_owned(),
            last: jiff::Timestamp::UNIX_EPOCH,
            live: HashMap::new(),
            gone: HashSet::new(),
            identification: HashMap::new(),
            origin: None,
        };
        log.locked(|_| Ok(()))?;
        Ok(log)
    }

    /// Does `work` while no other process writes, having read what others wrote.
    pub(crate) fn locked<T, E: From<LogError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.lock()?;
        let done = self.catch_up().map_err(E::from).and_then(|()| work(self));
        let _closing_it_unlocks_too = self.file.unlock();
        done
    }

    fn lock(&self) -> Result<(), LogError> {
        for _ in 0..PATIENCE.as_millis() / AGAIN.as_millis() {
            match self.file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {
                    let _elapsed = crossbeam::channel::never::<()>().recv_timeout(AGAIN);
                }
                Err(TryLockError::Error(why)) => return Err(self.access(why)),
            }
        }
        Err(LogError::Busy { path: self.path.clone() })
    }

    fn access(&self, why: io::Error) -> LogError {
        failure(&self.path, why)
    }

    /// Reads what was appended since; cuts off what a crash left half written. The lock must be held.
    fn catch_up(&mut self) -> Result<(), LogError> {
        let length = self.file.metadata().map_err(|why| self.access(why))?.len();
        if length == self.read_to {
            return Ok(());
        }
        if length < self.read_to {
            // Somebody cut it: nothing it says from here on follows from what we know.
            return Err(LogError::Broken { path: self.path.clone(), why: Broken::Gap(self.seq) });
        }
        let mut text = Vec::new();
        let read = |file: &mut File, text: &mut Vec<u8>| {
            file.seek(SeekFrom::Start(self.read_to))?;
            file.read_to_end(text)
        };
        read(&mut self.file, &mut text).map_err(|why| LogError::Access { path: self.path.clone(), why })?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let broken = |path: &Path, why| LogError::Broken { path: path.to_owned(), why };
        let mut lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).peekable();
        while let Some(line) = lines.next() {
            let next = self.seq + 1;
            let line: Line = serde_json::from_slice(line).map_err(|_| broken(&self.path, Broken::Unreadable(next)))?;
            line.follows(next, &self.hash).map_err(|why| broken(&self.path, why))?;
            // One signature for all of them: a log of a whole event is read at every opening.
            if lines.peek().is_none() {
                line.is_signed_by(self.signer.public()).map_err(|why| broken(&self.path, why))?;
            }
            self.take(line);
        }
        self.read_to += whole as u64;
        if whole < text.len() {
            let cut = self.cut_back(self.last.into());
            cut.map_err(|why| self.access(why))?;
        }
        Ok(())
    }

    /// Cuts the file to what is whole, and lets it seem written at `at`: see [`Log::begin`].
    fn cut_back(&self, at: SystemTime) -> io::Result<()> {
        self.file.set_len(self.read_to)?;
        self.file.set_times(FileTimes::new().set_modified(at))
    }

    fn take(&mut self, line: Line) {
        match line.deed {
            Deed::Begun { inode, born } => self.origin = Some((inode, born)),
            Deed::Consented { visitor, expires_ms, .. } => {
                self.live.insert(visitor, Consented { expires_ms });
            }
            Deed::Forgotten { visitor, .. } | Deed::Unfinished { visitor } => {
                self.live.remove(&visitor);
                self.gone.insert(visitor);
            }
            Deed::Identification { gate, responsible } => _ = self.identification.insert(gate, responsible),
            Deed::Lanes { .. } | Deed::FloorLowered { .. } => {}
        }
        (self.seq, self.hash, self.last) = (line.seq, line.hash, line.at);
    }

    /// Writes deeds down; they are on the disk when it returns. For use inside [`Log::locked`].
    pub(crate) fn append(&mut self, deeds: Vec<Deed>, at: SystemTime) -> Result<(), LogError> {
        if deeds.is_empty() {
            return Ok(());
        }
        // A clock that was set back does not turn the log around; only staff do, who say that it is the log that is ahead.
        let is_lowered = deeds.iter().any(|deed| matches!(deed, Deed::FloorLowered { .. }));
        let at = if is_lowered { at } else { at.max(self.last.into()) };
        let (mut text, mut lines) = (Vec::new(), Vec::new());
        let (mut seq, mut hash) = (self.seq, self.hash.clone());
        for deed in deeds {
            let line = Line::new(seq + 1, at, deed, &hash, &self.signer);
            serde_json::to_writer(&mut text, &line).expect("texts and numbers are JSON");
            text.push(b'\n');
            (seq, hash) = (line.seq, line.hash.clone());
            lines.push(line);
        }
        // The file says the same time as its last line, whatever the system's clock shows: see [`Log::begin`].
        let seem = |file: &File| file.set_times(FileTimes::new().set_modified(at));
        let written = self.file.write_all(&text).and_then(|()| seem(&self.file)).and_then(|()| self.file.sync_all());
        if let Err(why) = written {
            // Half a line, or lines that may not last: as if they never were.
            let _full_disks_can_be_cut = self.cut_back(self.last.into());
            return Err(self.access(why));
        }
        self.read_to += text.len() as u64;
        for line in lines {
            self.take(line);
        }
        Ok(())
    }

    /// Writes down who answers for which gates. Where the disk fails, what was written down last holds, if it says the same: a
    /// box that restarts on a full disk opens its gates. For use inside [`Log::locked`].
    pub(crate) fn append_identification(&mut self, gates: &[(String, String)], at: SystemTime) -> Result<(), LogError> {
        let deed = |(gate, responsible): &(String, String)| Deed::Identification {
            gate: gate.clone(),
            responsible: responsible.clone(),
        };
        match self.append(gates.iter().map(deed).collect(), at) {
            Err(LogError::Full { .. } | LogError::Disk { .. })
                if gates.iter().all(|(gate, by)| self.identification.get(gate) == Some(by)) =>
            {
                tracing::warn!("the audit log cannot be written; who answers for its gates stands there from before");
                Ok(())
            }
            done => done,
        }
    }

    /// How it was found; makes the first line of a new one. For use inside [`Log::locked`].
    ///
    /// A copy in another file has another number or birth. One that was written over this file has neither, but it was
    /// written later than its last line says.
    pub(crate) fn begin(&mut self, at: SystemTime) -> Result<Found, LogError> {
        let about = self.file.metadata().map_err(|why| self.access(why))?;
        let is_written_over = about.modified().is_ok_and(|at| is_written_over(at, self.last));
        let born = about.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let here = (about.ino(), born.map_or(0, |since| since.as_nanos() as u64));
        let found = match self.origin {
            Some(origin) if origin == here && !is_written_over => return Ok(Found::Own),
            Some(_) => Found::Copy,
            None => Found::New,
        };
        self.append(vec![Deed::Begun { inode: here.0, born: here.1 }], at)?;
        Ok(found)
    }

    /// Whether somebody was forgotten.
    pub fn is_gone(&self, visitor: VisitorId) -> bool {
        self.gone.contains(&visitor)
    }

    /// What somebody agreed to who was not forgotten.
    pub fn consented(&self, visitor: VisitorId) -> Option<Consented> {
        self.live.get(&visitor).copied()
    }

    /// Everybody who agreed and was not forgotten.
    pub fn live(&self) -> impl Iterator<Item = VisitorId> + '_ {
        self.live.keys().copied()
    }

    /// Number and hash of the last line.
    pub fn head(&self) -> (u64, &str) {
        (self.seq, &self.hash)
    }

    /// Who signs.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Whether it is in the file of this device and number; another may have taken its name.
    pub(crate) fn is_in(&self, file: (u64, u64)) -> bool {
        self.file.metadata().is_ok_and(|about| (about.dev(), about.ino()) == file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
