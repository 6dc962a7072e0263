//! Live pictures: encoded only while somebody watches, once for all who do.

use crate::{infer::watched::Watched, web::Shared};
use axum::body::Bytes;
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use usher_config::value::Name;

/// Least time between two pictures of one camera: 8 a second.
const APART: Duration = Duration::from_millis(125);
/// Frames come a little early or late; without slack 15 a second would become 5.
const SLACK: Duration = Duration::from_millis(20);

/// A JPEG picture with its boxes drawn in.
pub(super) type Jpeg = Bytes;

/// Every camera's feed.
pub(super) struct Live {
    feeds: Mutex<BTreeMap<Name, Arc<Feed>>>,
    wake: Sender<()>,
    woken: Receiver<()>,
}

/// One camera's pictures.
pub(super) struct Feed {
    watchers: AtomicUsize,
    /// The newest frame that is not drawn yet; newer ones replace it. Empty while nobody watches: a frame held here is
    /// a buffer that the decoder misses.
    seat: Mutex<Option<Watched>>,
    last: Mutex<Option<Duration>>,
    pictures: watch::Sender<Option<Jpeg>>,
}

/// Somebody who watches one camera; dropping it is looking away.
pub(super) struct Watcher {
    feed: Arc<Feed>,
    /// The newest picture.
    pub(super) pictures: watch::Receiver<Option<Jpeg>>,
}

impl Live {
    pub(super) fn new(cameras: impl Iterator<Item = Name>) -> Self {
        // One place: it says that some seat is taken, and once is enough.
        let (wake, woken) = bounded(1);
        let feeds = cameras.map(|name| (name, Arc::new(Feed::new()))).collect();
        Self { feeds: Mutex::new(feeds), wake, woken }
    }

    /// Other cameras; whoever watches one that was removed sees no picture of it any more.
    pub(super) fn take_up(&self, cameras: impl Iterator<Item = Name>) {
        let mut feeds = self.feeds();
        let mut before = std::mem::take(&mut *feeds);
        let feed = |name: Name| (name.clone(), before.remove(&name).unwrap_or_else(|| Arc::new(Feed::new())));
        *feeds = cameras.map(feed).collect();
        drop(feeds);
        before.values().for_each(|gone| drop(gone.pictures.send_replace(None)));
    }

    fn feeds(&self) -> MutexGuard<'_, BTreeMap<Name, Arc<Feed>>> {
        self.feeds.lock().expect("no holder of this lock panics")
    }

    /// Begins to watch a camera.
    pub(super) fn watch(&self, camera: &Name) -> Option<Watcher> {
        let feed = Arc::clone(self.feeds().get(camera)?);
        feed.watchers.fetch_add(1, Ordering::AcqRel);
        let mut pictures = feed.pictures.subscribe();
        pictures.mark_unchanged();
        Some(Watcher { feed, pictures })
    }

    /// Offers a frame; taken only when somebody watches and the last one is long enough ago.
    pub(super) fn offer(&self, seen: Watched) {
        let Some(feed) = self.feeds().get(&seen.frame.camera.name).cloned() else { return };
        if feed.watchers.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut last = feed.last.lock().expect("no holder of this lock panics");
        if last.is_some_and(|last| seen.done.steady.saturating_sub(last) + SLACK < APART) {
            return;
        }
        *last = Some(seen.done.steady);
        drop(last);
        *feed.seat.lock().expect("no holder of this lock panics") = Some(seen);
        match self.wake.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }

    /// Draws and encodes until stopping; for a thread of its own.
    pub(super) fn draw(shared: &Shared) {
        while !shared.stop.is_stopping() {
            if shared.live.woken.recv_timeout(Duration::from_millis(250)).is_err() {
                continue;
            }
            let feeds: Vec<_> = shared.live.feeds().values().cloned().collect();
            for feed in feeds {
                let seen = feed.seat.lock().expect("no holder of this lock panics").take();
                if let Some(picture) = seen.and_then(|seen| crate::web::picture::jpeg(&seen, shared)) {
                    feed.pictures.send_replace(Some(picture));
                }
            }
        }
    }
}

impl Feed {
    fn new() -> Self {
        Self { watchers: 0.into(), seat: Mutex::new(None), last: Mutex::new(None), pictures: watch::Sender::new(None) }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if self.feed.watchers.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Nobody watches: what is left is a picture of people.
            self.feed.seat.lock().expect("no holder of this lock panics").take();
            self.feed.pictures.send_replace(None);
        }
    }
}
