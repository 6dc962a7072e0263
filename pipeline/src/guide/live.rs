//! The guide's files as they are now: read at start, and whole again whenever one changes.
//!
//! Everybody reads one snapshot and nobody waits for anybody. A file that cannot be read replaces nothing: the last good data
//! stays live, why is kept for health, and it heals by itself when the file is mended.

mod watch;

use crate::guide::{
    plan::{Departure, Departures, legs::Legs},
    ways::Ways,
};
use arc_swap::ArcSwap;
use jiff::Zoned;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};
use usher_config::{
    Problems, guide,
    places::{self, Kind, Places, Position},
    programme::{self, Programme, Session},
    transit::{self, From, Transit},
};
pub use watch::watch;
pub(crate) use watch::{Stamp, stamp};

/// Stops farther than this from every stop among the places are none that anybody is led to, metres.
const NEAR_M: f64 = 2_000.0;

/// A stop of the feed belongs to a stop among the places within this distance, metres: the other side of a wide road.
pub(crate) const SAME_STOP_M: f64 = 200.0;

/// What the guide answers from; each part is there where its file was named and could ever be read.
#[derive(Clone, Default)]
pub struct Guide {
    /// The programme.
    pub programme: Option<Arc<Programme>>,
    /// The places.
    pub places: Option<Arc<Places>>,
    /// The ways between them.
    pub ways: Option<Arc<Ways>>,
    /// How long these are.
    pub legs: Option<Arc<Legs>>,
    /// Public transport near the places.
    pub transit: Option<Arc<Transit>>,
}

impl Guide {
    /// When vehicles leave, where that is known.
    pub fn departures(&self) -> Option<&dyn Departures> {
        self.transit.as_deref().map(|transit| -> &dyn Departures { transit })
    }

    fn set_places(&mut self, places: Places) {
        let ways = Ways::of(&places);
        self.legs = Some(Arc::new(Legs::of(&places, &ways)));
        self.ways = Some(Arc::new(ways));
        self.places = Some(Arc::new(places));
    }

    /// Where somebody may be led to a vehicle.
    fn stops(&self) -> Vec<Position> {
        let places = self.places.iter().flat_map(|places| &places.places);
        places.filter(|place| place.kind == Kind::Transit).map(|place| place.at).collect()
    }
}

impl Departures for Transit {
    fn next(&self, stop: Position, from: &Zoned, how_many: usize) -> Vec<Departure> {
        let found = self.departures(From::Near(stop, SAME_STOP_M), from, how_many);
        // By the clocks of whoever asks: the venue's.
        let told = |one: transit::Departure| Departure {
            line: one.line,
            towards: one.towards,
            at: one.at.with_time_zone(from.time_zone().clone()),
        };
        found.into_iter().map(told).collect()
    }
}

/// The one snapshot that everybody reads.
#[derive(Default)]
pub struct Live {
    guide: ArcSwap<Guide>,
    /// Why a file is not the newest one, by what it is.
    troubles: Mutex<BTreeMap<What, String>>,
    /// How each file was when it was first read.
    opened: BTreeMap<What, Stamp>,
}

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Programme,
    Places,
    Transit,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Programme => "programme",
            Self::Places => "places",
            Self::Transit => "transit",
        }
    }
}

impl Live {
    /// Reads all files; what cannot be read is missing from the snapshot, and every problem of all of them is told.
    ///
    /// Whoever starts a gate decides what a broken file means; [`watch`] reads it as soon as it is mended.
    pub fn open(files: &guide::Guide) -> (Arc<Self>, Option<Problems>) {
        let named = named(files).map(|(what, path)| (what, stamp(path)));
        let live = Self { opened: named.collect(), ..Self::default() };
        let mut guide = Guide::default();
        let mut problems: Option<Problems> = None;
        let mut broken = |what, found: Problems| {
            live.trouble(what, Some(words(&found)));
            problems = Some(match problems.take() {
                Some(before) => before.and(found),
                None => found,
            });
        };
        match files.programme.as_deref().map(programme::read) {
            Some(Ok(read)) => guide.programme = Some(Arc::new(read)),
            Some(Err(found)) => broken(What::Programme, found),
            None => {}
        }
        match files.places.as_deref().map(places::read) {
            Some(Ok(read)) => guide.set_places(read),
            Some(Err(found)) => broken(What::Places, found),
            None => {}
        }
        match files.transit.as_deref().map(|path| read_transit(path, &guide.stops())) {
            Some(Ok(read)) => guide.transit = Some(Arc::new(read)),
            Some(Err(found)) => broken(What::Transit, found),
            None => {}
        }
        live.guide.store(Arc::new(guide));
        (Arc::new(live), problems)
    }

    /// The snapshot of this moment.
    pub fn load(&self) -> Arc<Guide> {
        self.guide.load_full()
    }

    /// Why some file is not the newest one, if so: file, line, what is wrong and the mend.
    pub fn trouble_now(&self) -> Option<String> {
        let troubles = self.troubles.lock().expect("no holder of this lock panics");
        let all: Vec<&str> = troubles.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Changes the snapshot. Only one thread does.
    fn replace(&self, change: impl FnOnce(&mut Guide)) {
        let mut guide = Guide::clone(&self.guide.load());
        change(&mut guide);
        self.guide.store(Arc::new(guide));
    }

    /// Notes what is wrong with a file, or that nothing is; true where that is news.
    fn trouble(&self, what: What, trouble: Option<String>) -> bool {
        let mut troubles = self.troubles.lock().expect("no holder of this lock panics");
        match trouble {
            Some(trouble) => troubles.insert(what, trouble.clone()) != Some(trouble),
            None => troubles.remove(&what).is_some(),
        }
    }
}

/// The files that there are to read.
fn named(files: &guide::Guide) -> impl Iterator<Item = (What, &Path)> {
    let all = [(What::Programme, &files.programme), (What::Places, &files.places), (What::Transit, &files.transit)];
    all.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?)))
}

/// Public transport as far as anybody is led to it; without such places none is.
fn read_transit(path: &Path, stops: &[Position]) -> Result<Transit, Problems> {
    transit::read_near(path, stops, NEAR_M)
}

/// Problems in one line, for health and the log: the first, and how many more.
fn words(problems: &Problems) -> String {
    let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
    match problems.len() {
        1 => first,
        count => format!("{first} (and {} more: `usher guide check`)", count - 1),
    }
}

/// What became of a session when the programme was read anew.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is told otherwise: time, place, gate, status or words.
    Other(Session),
    /// It is new.
    New(Session),
    /// It is in the programme no more.
    Gone(Session),
}

/// What differs between two programmes, by the sessions' ids; in the order of the new one, then what is gone.
pub fn changes(before: &Programme, after: &Programme) -> Vec<Change> {
    let known: BTreeMap<&str, &Session> =
        before.sessions.iter().map(|session| (session.id.as_str(), session)).collect();
    let now: BTreeMap<&str, &Session> = after.sessions.iter().map(|session| (session.id.as_str(), session)).collect();
    let told = after.sessions.iter().filter_map(|session| match known.get(session.id.as_str()) {
        None => Some(Change::New(session.clone())),
        // In another zone every clock time is another time.
        Some(old) if **old != *session || before.time_zone != after.time_zone => Some(Change::Other(session.clone())),
        Some(_) => None,
    });
    let gone = before.sessions.iter().filter(|session| !now.contains_key(session.id.as_str()));
    told.chain(gone.map(|session| Change::Gone(session.clone()))).collect()
}
