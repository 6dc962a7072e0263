//! The watch over the guide's files.
//!
//! It looks at them five times a second, as the gallery's watch does, and asks no notifications of the system: a few
//! `stat` calls see what is written in place, renamed into place, swapped behind a link, taken away with its folder or
//! changed on a network disk, and the same each time. What looks the same twice is read: a file that is still being written
//! does not.

use crate::{
    guide::live::{Change, Live, What, changes, named, read_transit, words},
    health::Health,
    supervise::{Beat, Stop, spawn},
};
use crossbeam::channel::{Receiver, Sender, bounded};
use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tracing::{info, warn};
use usher_config::{Problems, guide, places, places::Position, programme, transit::Transit};

/// How often the files are looked at: seen, seen again and read within half a second of a change.
const EVERY: Duration = Duration::from_millis(200);

/// Keeps `live` equal to its files until `stop`: changes are live within a second of being written, public transport as
/// soon as it is read. Why a file is not the newest goes to `health`; what changed in the programme to `told`, which may
/// lose. Returns the thread `guide`.
pub fn watch(
    files: &guide::Guide,
    live: Arc<Live>,
    health: Arc<Health>,
    told: Option<Sender<Vec<Change>>>,
    stop: Stop,
    beat: Beat,
) -> JoinHandle<()> {
    let mut watch = Watch::new(files, live, told);
    spawn("guide", move || {
        health.set_guide(watch.live.trouble_now());
        loop {
            beat.beat();
            if watch.look() {
                health.set_guide(watch.live.trouble_now());
            }
            if stop.wait(EVERY) {
                return;
            }
        }
    })
}

/// One file or folder, and what was last seen and read of it.
struct File {
    what: What,
    path: PathBuf,
    seen: Stamp,
    read: Option<Stamp>,
}

/// What tells one version of a file, or of a folder's files, from another; empty where there is none.
pub(crate) type Stamp = Vec<[u64; 5]>;

/// A feed of public transport that is being read, with what it is read for.
struct Reading {
    done: Receiver<Result<Transit, Problems>>,
    thread: JoinHandle<()>,
}

pub(super) struct Watch {
    live: Arc<Live>,
    files: Vec<File>,
    told: Option<Sender<Vec<Change>>>,
    reading: Option<Reading>,
    /// Where departures were last asked for.
    stops: Vec<Position>,
}

impl Watch {
    /// A watch over files that `live` was just opened with.
    pub(super) fn new(files: &guide::Guide, live: Arc<Live>, told: Option<Sender<Vec<Change>>>) -> Self {
        let file = |(what, path): (What, &Path)| {
            let read = live.opened.get(&what).cloned();
            File { what, seen: stamp(path), path: path.to_owned(), read }
        };
        let files = named(files).map(file).collect();
        let stops = live.load().stops();
        Self { live, files, told, reading: None, stops }
    }

    /// Looks at every file once, and reads what changed and stands still. True where something came of it.
    pub(super) fn look(&mut self) -> bool {
        let mut news = self.finished();
        for index in 0..self.files.len() {
            let file = &mut self.files[index];
            let now = stamp(&file.path);
            let stands = std::mem::replace(&mut file.seen, now) == file.seen;
            if !stands || file.read.as_ref() == Some(&file.seen) {
                continue;
            }
            // One feed at a time; it is looked at again when that is done.
            if file.what == What::Transit && self.reading.is_some() {
                continue;
            }
            file.read = Some(file.seen.clone());
            let path = file.path.clone();
            news |= self.read(self.files[index].what, &path);
        }
        news
    }

    fn read(&mut self, what: What, path: &Path) -> bool {
        match what {
            What::Programme => {
                let read = programme::read(path).map(|after| {
                    let before = self.live.load().programme.clone();
                    let changed = before.map(|before| changes(&before, &after)).unwrap_or_default();
                    self.live.replace(|guide| guide.programme = Some(Arc::new(after)));
                    changed
                });
                let changed = read.as_ref().map(Vec::len).unwrap_or_default();
                if changed > 0 {
                    info!(sessions = changed, "the programme changed");
                }
                let done = read.map(|changed| {
                    if let (Some(told), false) = (&self.told, changed.is_empty()) {
                        // Whoever is behind asks for the programme itself.
                        let _lost = told.try_send(changed);
                    }
                });
                self.note(what, path, done)
            }
            What::Places => {
                let done = places::read(path).map(|places| self.live.replace(|guide| guide.set_places(places)));
                let stops = self.live.load().stops();
                if stops != self.stops {
                    // Other stops, other departures.
                    self.stops = stops;
                    for file in self.files.iter_mut().filter(|file| file.what == What::Transit) {
                        file.read = None;
                    }
                }
                self.note(what, path, done)
            }
            What::Transit => {
                // A city's feed takes longer than a thread may be silent. One result, taken at the next look.
                let (done, wait) = bounded(1);
                let (path, stops) = (path.to_owned(), self.stops.clone());
                let thread = spawn("guide-transit", move || {
                    let _gone = done.send(read_transit(&path, &stops));
                });
                self.reading = Some(Reading { done: wait, thread });
                false
            }
        }
    }

    /// Takes in a feed that has been read.
    fn finished(&mut self) -> bool {
        let Some(Reading { done, thread }) = self.reading.take() else { return false };
        let Ok(read) = done.try_recv() else {
            self.reading = (!thread.is_finished()).then_some(Reading { done, thread });
            return false;
        };
        let done = read.map(|transit| self.live.replace(|guide| guide.transit = Some(Arc::new(transit))));
        let path = self.files.iter().find(|file| file.what == What::Transit).map(|file| file.path.clone());
        self.note(What::Transit, &path.unwrap_or_default(), done)
    }

    /// Keeps and logs why a file could not be read, once; and that it could, where it could not before.
    fn note(&self, what: What, path: &Path, done: Result<(), Problems>) -> bool {
        let trouble = done.err().map(|problems| words(&problems));
        let is_news = self.live.trouble(what, trouble.clone());
        let (file, kind) = (path.display(), what.word());
        match trouble {
            Some(reason) if is_news => warn!(%file, kind, reason, "this file cannot be read; the last good data stays"),
            None if is_news => info!(%file, kind, "this file can be read again"),
            _ => {}
        }
        is_news
    }
}

/// What a path holds now: device, inode, length, time of its content and time of its change.
pub(crate) fn stamp(path: &Path) -> Stamp {
    let of = |file: Metadata| {
        let moment =
            |seconds: i64, nanoseconds: i64| seconds.unsigned_abs() * 1_000_000_000 + nanoseconds.unsigned_abs();
        let (content, change) = (moment(file.mtime(), file.mtime_nsec()), moment(file.ctime(), file.ctime_nsec()));
        [file.dev(), file.ino(), file.len(), content, change]
    };
    let Ok(here) = fs::metadata(path) else { return Vec::new() };
    let mut stamps = vec![of(here)];
    // A feed as a folder: its files may change without it.
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        stamps.extend(fs::metadata(entry.path()).map(of));
    }
    stamps[1..].sort_unstable();
    stamps
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
