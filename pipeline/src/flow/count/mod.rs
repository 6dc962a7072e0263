//! Counting: tracks to people a minute.
//!
//! [`Counter`] hears of everybody whom infer or [`motion`] follows, tells who crossed what the camera draws ([`people`]), counts once who
//! was seen by two cameras ([`same`]), and keeps the counts by minute in memory ([`tally`]) and on disk ([`record`]). It sees
//! boxes with numbers; nobody has a name here, and nothing of a picture or a template arrives.

pub mod border;
pub mod history;
pub mod motion;
pub mod passage;
pub mod people;
pub mod record;
pub mod same;
pub mod sight;
mod sums;
pub mod tally;
pub mod timeline;
mod writer;

use crate::{
    clock::{Clock, Moment},
    health::Health,
    in_force::{Follower, InForce},
    infer::sighting::Passing,
    metrics::PEOPLE,
    supervise::Beat,
};
use crossbeam::channel::{Receiver, RecvTimeoutError};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use passage::Crossed;
use people::People;
use record::Row;
use same::Same;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tally::Tallies;
use tracing::warn;
use usher_config::{
    Config,
    count::{By, Count},
    value::Name,
};
use writer::Writer;

/// How often the stage goes round without work.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often what was counted so far is written: so much is lost when somebody pulls the plug.
const WRITE: Duration = Duration::from_secs(10);
/// How often minutes are looked after.
const TURN: Duration = Duration::from_secs(1);

/// One camera that counts.
struct Counted {
    gate: Name,
    count: Count,
    people: People,
}

/// Counts people. The flow stage owns it; pages and topics read its [`Tallies`].
pub struct Counter {
    cameras: BTreeMap<Name, Counted>,
    places: BTreeMap<(Name, Name), Same>,
    tallies: Arc<Tallies>,
    writer: Option<Writer>,
    turned: Duration,
    wrote: Duration,
    following: Option<Follower>,
}

/// The cameras that count, with their gates.
fn counting<'a>(config: &'a Config) -> impl Iterator<Item = (&'a Name, &'a Name, &'a Count)> {
    let all =
        config.gates.iter().flat_map(|(gate, settings)| settings.cameras.iter().map(move |camera| (camera, gate)));
    let counted = |(camera, gate): (&'a Name, &'a Name)| (camera, gate, &config.cameras[camera].count);
    all.map(counted).filter(|(.., count)| count.by != By::Nothing)
}

impl Counted {
    fn new(gate: &Name, count: &Count) -> Self {
        Self { gate: gate.clone(), people: People::new(count.clone()), count: count.clone() }
    }
}

impl Counter {
    /// Counts at the cameras of `config`, by the clocks of `zone`, and keeps nothing on disk.
    pub fn new(config: &Config, zone: TimeZone, now: Moment) -> Self {
        let counted = |(name, gate, count): (&Name, &Name, &Count)| (name.clone(), Counted::new(gate, count));
        Self {
            cameras: counting(config).map(counted).collect(),
            places: BTreeMap::new(),
            tallies: Arc::new(Tallies::of(config, zone, now)),
            writer: None,
            turned: now.steady,
            wrote: now.steady,
            following: None,
        }
    }

    /// Takes up what is put in force while it counts.
    #[must_use]
    pub fn following(self, in_force: &Arc<InForce>) -> Self {
        Self { following: Some(in_force.follow("count")), ..self }
    }

    /// Takes up what was put in force: a camera that counts as before counts on with whom it follows, another settles whom it has
    /// seen and begins anew.
    fn take_up(&mut self, now: Moment) {
        let Some(settings) = self.following.as_mut().and_then(Follower::news) else { return };
        let wanted: BTreeMap<&Name, (&Name, &Count)> =
            counting(&settings.config).map(|(name, gate, count)| (name, (gate, count))).collect();
        let is_other = |(name, counted): (&Name, &Counted)| {
            wanted.get(name).is_none_or(|(gate, count)| counted.gate != **gate || counted.count != **count)
        };
        let others: Vec<Name> =
            self.cameras.iter().filter(|camera| is_other(*camera)).map(|(name, _)| name.clone()).collect();
        for name in others {
            let sure = self.cameras.get_mut(&name).map(|camera| camera.people.end()).unwrap_or_default();
            self.cross(&name, sure, now);
            self.cameras.remove(&name);
        }
        for (name, (gate, count)) in wanted {
            self.cameras.entry(name.clone()).or_insert_with(|| Counted::new(gate, count));
        }
        self.tallies.take_up(&settings.config, now);
    }

    /// The same, that goes on from the record of `config.flow` and adds to it. A record that cannot be read or written stops
    /// nobody: `health` says so, and counting goes on in memory.
    pub fn recorded(config: &Config, zone: TimeZone, now: Moment, health: &Arc<Health>) -> Self {
        let counter = Self::new(config, zone.clone(), now);
        let (folder, keep) = (&config.flow.record, config.flow.keep);
        let today = tally::day_of(Timestamp::try_from(now.wall).unwrap_or_default(), &zone);
        match record::read(folder, today.checked_sub(1.day()).unwrap_or(today)) {
            Ok(kept) => {
                if kept.unread > 0 {
                    warn!(folder = %folder.display(), lines = kept.unread, "lines of the record are no counts");
                }
                counter.tallies.load(&kept.rows);
            }
            Err(reason) => {
                warn!(folder = %folder.display(), %reason, "the record cannot be read; totals begin anew");
            }
        }
        let writer = Writer::start(record::Record::new(folder, keep, zone), health.clone());
        Self { writer: Some(writer), ..counter }
    }

    /// The counts, for whoever tells them.
    pub fn tallies(&self) -> Arc<Tallies> {
        self.tallies.clone()
    }

    /// Takes in what infer or motion tells; `now` is when.
    pub fn hear(&mut self, passing: &Passing, now: Moment) {
        let name = match passing {
            Passing::Tracked(tracked) => &tracked.camera.name,
            Passing::Left(left) => &left.camera.name,
        };
        let Some(camera) = self.cameras.get_mut(name) else { return };
        let crossed = match passing {
            Passing::Tracked(tracked) => {
                self.tallies.saw(name, tracked.taken, tracked.people.len());
                camera.people.see(tracked)
            }
            Passing::Left(left) => {
                metrics::counter!(PEOPLE, "camera" => name.to_string()).increment(1);
                camera.people.leave(left);
                Vec::new()
            }
        };
        self.cross(&name.clone(), crossed, now);
    }

    /// Lets time go on to `now`: to be called about once a second, also when nothing is heard. Answers with what the record was
    /// given, or would have been.
    pub fn turn(&mut self, now: Moment) -> Vec<Row> {
        if now.steady.saturating_sub(self.turned) < TURN {
            return Vec::new();
        }
        self.turned = now.steady;
        let sure: Vec<_> =
            self.cameras.iter_mut().map(|(name, camera)| (name.clone(), camera.people.settle(now))).collect();
        for (name, crossed) in sure {
            self.cross(&name, crossed, now);
        }
        let writes = now.steady.saturating_sub(self.wrote) >= WRITE;
        if writes {
            self.wrote = now.steady;
        }
        let rows = self.tallies.turn(now, writes && self.writer.is_some());
        if let Some(writer) = &mut self.writer {
            writer.take(rows.clone());
        }
        rows
    }

    /// Counts whoever is still there, and writes what is not written; answers with that.
    pub fn end(mut self, now: Moment) -> Vec<Row> {
        let sure: Vec<_> = self.cameras.iter_mut().map(|(name, camera)| (name.clone(), camera.people.end())).collect();
        for (name, crossed) in sure {
            self.cross(&name, crossed, now);
        }
        let rows = self.tallies.turn(now, true);
        if let Some(mut writer) = self.writer.take() {
            writer.take(rows.clone());
            writer.finish();
        }
        rows
    }

    fn cross(&mut self, camera: &Name, crossed: Vec<Crossed>, now: Moment) {
        let Some(counted) = self.cameras.get(camera) else { return };
        for Crossed { way, at, along } in crossed {
            let is_new = counted.count.place.as_ref().is_none_or(|place| {
                let same = self.places.entry((counted.gate.clone(), place.name.clone())).or_default();
                same.is_new(camera, way, at.steady, along, place.within)
            });
            self.tallies.cross(camera, way, at.steady, now, is_new);
        }
    }
}

/// Runs until nobody can tell of anybody any more.
pub fn run(passing: &Receiver<Passing>, mut counter: Counter, clock: &dyn Clock, beat: &Beat) {
    loop {
        beat.beat();
        match passing.recv_timeout(PATIENCE) {
            Ok(passing) => {
                counter.take_up(clock.now());
                counter.hear(&passing, clock.now());
            }
            Err(RecvTimeoutError::Timeout) => counter.take_up(clock.now()),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        counter.turn(clock.now());
    }
    counter.end(clock.now());
}

#[cfg(test)]
#[path = "counter_tests.rs"]
mod tests;

#[cfg(test)]
mod faces_tests;

#[cfg(test)]
mod taken_up_tests;
