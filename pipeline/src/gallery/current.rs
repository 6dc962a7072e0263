//! The gallery of this moment, and the thread that keeps it so.
//!
//! Everybody reads one snapshot and nobody waits for anybody. There are two, for two kinds of gates: all whom the box may
//! recognise, and those among them who showed their pass today. The watch looks five times a second whether another
//! process or thread committed (`PRAGMA data_version` costs microseconds) and replaces the snapshot whole, so that
//! `usher enrol` and `usher forget` in another shell take effect within a second, without a restart. Whoever expires
//! vanishes from the snapshot at their time even when the file cannot be written, and so does whoever the audit log forgot.

use crate::{
    capture::frame::Camera,
    clock::Clock,
    gallery::{
        file::StoreError,
        floor::{Floor, MEND},
        keeper::{Keeper, PART},
        search::{Enrolled, Gallery},
        store::{Loaded, Store},
        unlocked::Unlocked,
        visitor::{Visitor, VisitorId},
    },
    health::Health,
    metrics::{ENROLLED, SKIPPED},
    supervise::{Beat, Stop, spawn},
};
use arc_swap::ArcSwap;
use std::{
    collections::HashSet,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use tracing::{info, warn};
use usher_models::template::ModelId;

/// How often the watch looks: five times within the second that was promised.
pub const EVERY: Duration = Duration::from_millis(200);

/// The one snapshot that everybody reads.
pub struct Current {
    gallery: ArcSwap<Gallery>,
    shown: ArcSwap<Gallery>,
    unlocked: Unlocked,
}

impl Current {
    /// Starts with `gallery`.
    pub fn new(gallery: Gallery) -> Arc<Self> {
        let shown = Gallery::empty(gallery.model().clone());
        let current = Arc::new(Self {
            gallery: ArcSwap::from_pointee(gallery),
            shown: ArcSwap::from_pointee(shown),
            unlocked: Unlocked::default(),
        });
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

    /// The snapshot of this moment: everybody whom the box may recognise at all.
    pub fn load(&self) -> Arc<Gallery> {
        self.gallery.load_full()
    }

    /// Those whom the gate of `camera` may recognise: everybody, or only who showed their pass.
    pub fn load_for(&self, camera: &Camera) -> Arc<Gallery> {
        if camera.identifies { self.load() } else { self.shown.load_full() }
    }

    /// Whether the gate of `camera` may recognise anybody at all now. If not, nobody is embedded there.
    pub fn awaits_anybody(&self, camera: &Camera) -> bool {
        camera.identifies || !self.shown.load().is_empty()
    }

    /// What somebody told who is here, or has just shown their pass.
    pub fn visitor(&self, id: VisitorId) -> Option<Visitor> {
        self.load().visitor(id).cloned().or_else(|| self.unlocked.visitor(id))
    }

    /// Takes in whoever showed their pass, until the event day ends; recognisable within a moment. False when they were
    /// here already.
    pub fn unlock(&self, person: Enrolled, now: SystemTime) -> bool {
        self.unlocked.take_in(person, now)
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

/// Everybody of `loaded` and whoever is unlocked. Unreadable rows are counted and said, by number and opaque id; so is how many have no template of `model`, where that
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

/// Keeps `current` equal to `store` until `stop`, and has the keeper write what time asks for. Returns the thread `gallery`.
pub fn watch(
    store: Store,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    health: Arc<Health>,
    stop: Stop,
    beat: Beat,
) -> JoinHandle<()> {
    spawn("gallery", move || {
        let floor = Floor::new(store.floor().ok().flatten(), clock.now());
        let keeper = Keeper::start(&store, floor, clock.clone(), health.clone());
        let mut watch = Watch { store, clock, current, health, floor, keeper, seen: None, said: None };
        loop {
            beat.beat();
            watch.look();
            if stop.wait(EVERY) {
                return;
            }
        }
    })
}

/// What the thread `gallery` keeps, and its one step; without the thread, so that the simulator drives what the gate runs.
pub struct Watch {
    store: Store,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    health: Arc<Health>,
    floor: Floor,
    keeper: Keeper,
    /// The versions of the file, of the audit log and of the unlocked that `current` shows.
    seen: Option<(i64, u64, u64)>,
    /// The trouble last logged.
    said: Option<String>,
}

impl Watch {
    /// Nothing was looked at yet. What must be written, [`Watch::look`] writes: there is no other thread.
    pub fn new(store: Store, clock: Arc<dyn Clock>, current: Arc<Current>, health: Arc<Health>) -> Self {
        let floor = Floor::new(store.floor().ok().flatten(), clock.now());
        let keeper = Keeper::at_once(&store, floor, clock.clone(), health.clone());
        Self { store, clock, current, health, floor, keeper, seen: None, said: None }
    }

    /// Looks once whether the gallery has changed, and whose time is over.
    pub fn look(&mut self) {
        // First, and whatever the file does: a locked or full disk must not keep anybody recognisable.
        let moment = self.clock.now();
        self.floor.sure(moment);
        let now = self.floor.latest(moment);
        let current = &self.current;
        let mut due = false;
        for gallery in [&current.gallery, &current.shown] {
            let before = gallery.load_full();
            if before.next_expiry().is_some_and(|first| first <= now) {
                gallery.store(Arc::new(before.without_expired(now)));
                due = true;
            }
        }
        current.gauge();
        current.unlocked.tidy(now, |_| true);
        self.hold_clock();
        self.keeper.turn(due, moment.steady);
        if let Some(hangs) = self.keeper.hangs(moment.steady) {
            self.health.set_disk(PART, Some(hangs));
        }
        let trouble = self.reload(now).err().map(|error| error.to_string());
        if trouble != self.said {
            match &trouble {
                Some(reason) => warn!(reason, "the gallery cannot be read; the last state stays"),
                None => info!("the gallery can be read again"),
            }
            self.said = trouble;
        }
    }

    /// Says, once, that the floor is far ahead of the clock, and that it is not any more.
    fn hold_clock(&self) {
        let ahead = self.floor.far_ahead(self.clock.now());
        match (ahead, self.health.set_floor_is_far(ahead.is_some())) {
            (Some(ahead), true) => {
                let days = ahead.as_secs() / (24 * 3600);
                warn!(days, mend = MEND, "the time floor is far ahead of the clock: nobody can be enrolled sensibly");
            }
            (None, true) => info!("the clock and the time floor agree again"),
            (_, false) => {}
        }
    }

    fn reload(&mut self, now: SystemTime) -> Result<(), StoreError> {
        let replaced = self.store.reopen_if_replaced()?;
        let (version, logged) = self.store.version()?;
        let unlocked = &self.current.unlocked;
        if replaced || self.seen != Some((version, logged, unlocked.version())) {
            self.store.catch_up()?;
            // Also when only somebody was unlocked: they may have been forgotten since their row was read. Whoever cannot be
            // asked about is taken for gone: they show their pass again.
            unlocked.tidy(now, |id| self.store.holds(id).unwrap_or(false));
        }
        let seen = (version, logged, unlocked.version());
        if replaced || self.seen != Some(seen) {
            let mut loaded = self.store.load_all()?;
            let shown = unlocked.people();
            let (before, before_shown) = (self.current.load(), self.current.shown.load_full());
            let model = before.model().clone();
            let own = Gallery::new(model.clone(), shown.clone(), now).following(&before_shown);
            self.current.shown.store(Arc::new(own));
            let ids: HashSet<_> = loaded.people.iter().map(|person| person.visitor.id).collect();
            loaded.people.extend(shown.into_iter().filter(|person| !ids.contains(&person.visitor.id)));
            self.current.replace(snapshot(loaded, &model, now, Some(&before)));
            self.seen = Some(seen);
        }
        Ok(())
    }
}
