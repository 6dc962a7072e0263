//! The gallery of this moment, and the thread that keeps it so.
//!
//! Everybody reads one snapshot and nobody waits for anybody. The watch looks five times a second whether another
//! process or thread committed (`PRAGMA data_version` costs microseconds) and replaces the snapshot whole, so that
//! `usher enrol` and `usher forget` in another shell take effect within a second, without a restart. Whoever expires
//! vanishes from the snapshot at their time even when the file cannot be written.

use crate::{
    clock::Clock,
    gallery::{
        file::StoreError,
        search::Gallery,
        store::{Loaded, Store},
    },
    metrics::{ENROLLED, SKIPPED},
    supervise::{Beat, Stop, spawn},
};
use arc_swap::ArcSwap;
use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use tracing::{info, warn};
use usher_models::template::ModelId;

/// How often the watch looks: five times within the second that was promised.
const EVERY: Duration = Duration::from_millis(200);

/// How often a file that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(30);

/// The one snapshot that everybody reads.
pub struct Current {
    gallery: ArcSwap<Gallery>,
}

impl Current {
    /// Starts with `gallery`.
    pub fn new(gallery: Gallery) -> Arc<Self> {
        let current = Arc::new(Self { gallery: ArcSwap::from_pointee(gallery) });
        current.gauge();
        current
    }

    /// Starts with what the store holds for `model` at `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &Store, model: &ModelId, now: SystemTime) -> Result<Arc<Self>, StoreError> {
        Ok(Self::new(snapshot(store.load_all()?, model, now, None)))
    }

    /// The snapshot of this moment.
    pub fn load(&self) -> Arc<Gallery> {
        self.gallery.load_full()
    }

    /// Replaces it whole.
    pub fn replace(&self, gallery: Gallery) {
        self.gallery.store(Arc::new(gallery));
        self.gauge();
    }

    fn gauge(&self) {
        metrics::gauge!(ENROLLED).set(self.load().len() as f64);
    }
}

/// Unreadable rows are counted and said, by number and opaque id; so is how many have no template of `model`, where that
/// is news after `before`.
fn snapshot(loaded: Loaded, model: &ModelId, now: SystemTime, before: Option<&Gallery>) -> Gallery {
    for row in &loaded.unreadable {
        metrics::counter!(SKIPPED, "stage" => "gallery", "reason" => "unreadable_row").increment(1);
        let visitor = row.visitor.map(|id| id.to_string()).unwrap_or_default();
        warn!(row = row.row, visitor, reason = row.why, "a row of the gallery is passed over");
    }
    let mut gallery = Gallery::new(model.clone(), loaded.people, now);
    if let Some(before) = before {
        gallery = gallery.following(before);
    }
    let visitors = gallery.unsearchable();
    if visitors > 0 && before.is_none_or(|before| before.unsearchable() != visitors) {
        warn!(
            visitors,
            model = model.0,
            "enrolled without a template of this embedder, so not recognised; see `usher migrate`"
        );
    }
    gallery
}

/// Keeps `current` equal to `store` until `stop`. Returns the thread `gallery`.
pub fn watch(store: Store, clock: Arc<dyn Clock>, current: Arc<Current>, stop: Stop, beat: Beat) -> JoinHandle<()> {
    spawn("gallery", move || {
        let mut watch = Watch { store, clock, current, seen: None, said: None, tried: None };
        loop {
            beat.beat();
            watch.look();
            if stop.wait(EVERY) {
                return;
            }
        }
    })
}

struct Watch {
    store: Store,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    /// The version of the file that `current` shows.
    seen: Option<i64>,
    /// The trouble last logged.
    said: Option<String>,
    /// When erasing the expired was last tried, steady time.
    tried: Option<Duration>,
}

impl Watch {
    fn look(&mut self) {
        // First, and whatever the file does: a locked or full disk must not keep anybody recognisable.
        let now = self.clock.now().wall;
        let gallery = self.current.load();
        let due = gallery.next_expiry().is_some_and(|first| first <= now);
        if due {
            self.current.replace(gallery.without_expired(now));
        }
        let trouble = self.reload().and_then(|()| self.expire(due)).err().map(|error| error.to_string());
        if trouble != self.said {
            match &trouble {
                Some(reason) => warn!(reason, "the gallery cannot be read or written; the last state stays"),
                None => info!("the gallery can be read and written again"),
            }
            self.said = trouble;
        }
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        let replaced = self.store.reopen_if_replaced()?;
        let version = self.store.version()?;
        if replaced || self.seen != Some(version) {
            let loaded = self.store.load_all()?;
            let now = self.clock.now().wall;
            let before = self.current.load();
            self.current.replace(snapshot(loaded, before.model(), now, Some(&before)));
            self.seen = Some(version);
            self.tried = None;
        }
        Ok(())
    }

    /// Erases the expired from the file: when somebody's time has just ended (`due`), else twice a minute.
    fn expire(&mut self, due: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        if due || self.tried.is_none_or(|tried| now.steady.saturating_sub(tried) >= AGAIN) {
            self.tried = Some(now.steady);
            let gone = self.store.expire(now.wall)?;
            if gone.visitors > 0 {
                info!(visitors = gone.visitors, log_emptied = gone.log_emptied, "expired visitors were forgotten");
            }
        }
        Ok(())
    }
}
