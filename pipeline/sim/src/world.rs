//! The world: a day's events one by one, what they do to usher, and what usher does.

mod cameras;
mod connection;
mod faults;
mod people;
mod process;
mod stages;

use crate::{
    agenda::Agenda,
    crowd::{self, Person, Walk},
    day::{self, Day, EVENING, Gate},
    disk::Disk,
    life::Life,
    net::Net,
    report::Figures,
    time::Time,
    truth::{Truth, Violation},
};
use cameras::Device;
use faults::Fault;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use usher::gallery::{enrolment::Issued, key::BoxKey, store::Store};

/// What happens.
pub(crate) enum Event {
    /// Somebody is in front of a camera from now on.
    Walk(usize),
    /// Somebody enrols.
    Enrol(usize),
    /// Somebody is forgotten.
    Forget(usize),
    /// Somebody holds up their pass.
    Show(usize),
    /// Something breaks.
    Break(Fault),
    /// It is mended.
    Mend(Fault),
    /// usher is started.
    Start,
    /// A camera takes a picture, at the rate of this number.
    Picture(usize, u32),
    /// Something inside the process of this life.
    Inside(u32, Task),
    /// What the broker gets, and answers, over the connection of this number.
    Packet(u32, Packet),
    /// Infer is asked for so many times what it can do, or for what it can.
    Overload(bool),
    /// Once a second: what must hold at all times.
    Look,
    /// Everything is mended; nothing new happens.
    Evening,
    /// The day is over.
    Night,
}

/// Inside a process.
pub(crate) enum Task {
    /// The opening of this number of a camera begins to give frames.
    Gives(usize, u32),
    /// It fails.
    Fails(usize, u32, usher::capture::fault::Fault),
    /// Somebody looks whether the last frame is too old.
    Glance(usize, u32),
    /// A camera is opened.
    Open(usize, u32),
    /// Whoever knocked at a camera hears whether somebody answers.
    Heard(usize, u32, bool),
    /// A stage is done with what it had.
    Inferred,
    Identified,
    Decided,
    Published,
    /// Nothing came for a while.
    Idle,
    /// The watch looks at the gallery.
    Watch,
    /// The teller looks round.
    Round,
    /// Whoever drives the connection looks up.
    Mail,
    /// A connection is tried.
    Connect,
}

/// Over a connection.
#[derive(Clone, Copy)]
pub(crate) enum Packet {
    /// The broker accepts it.
    Accepted,
    /// It was not accepted in time, if so.
    Unaccepted,
    /// Nothing came back for as long as two pings take, if so.
    Unheard,
    /// It breaks.
    Broken(&'static str),
    /// A message arrives.
    Arrives(u16),
    /// Its acknowledgement does.
    Returns(u16),
}

/// How long an overload lasts.
const OVERLOAD: Duration = Duration::from_secs(10 * 60);

/// Lines of what happened last, kept where a seed is told again.
const TOLD: usize = 40;

pub(crate) struct World {
    pub(crate) day: Day,
    pub(crate) random: ChaCha8Rng,
    pub(crate) time: Arc<Time>,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) people: Vec<Person>,
    pub(crate) issued: Vec<Option<Issued>>,
    pub(crate) walks: Vec<Walk>,
    pub(crate) devices: Vec<Device>,
    pub(crate) disk: Disk,
    /// How long a commit takes.
    pub(crate) commit: Duration,
    pub(crate) net: Net,
    pub(crate) life: Option<Life>,
    pub(crate) lives: u32,
    pub(crate) died: Duration,
    pub(crate) truth: Truth,
    pub(crate) figures: Figures,
    /// How many times longer infer takes than it should.
    pub(crate) slower: f64,
    pub(crate) is_overloaded: bool,
    /// When the overload ended.
    pub(crate) relieved: Option<Duration>,
    pub(crate) is_evening: bool,
    /// What happened last; `None`: nobody will ask.
    pub(crate) told: Option<VecDeque<String>>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) key: BoxKey,
    pub(crate) desk: Store,
}

/// A folder in memory where the system has one: a thousand days write a million small files.
fn folder() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

impl World {
    /// A day by its seed, before it opens.
    pub(crate) fn new(seed: u64, day: Day, is_told: bool) -> anyhow::Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let gates = day::gates(&day, &mut random);
        let mut people = crowd::people(&day, &mut random);
        let walks = crowd::walks(&day, &gates, &people, &mut random);
        crowd::change_of_mind(&mut people, &walks, &mut random);
        let (folder, key) = (folder()?, BoxKey::random());
        let desk = crate::life::store(folder.path(), &key)?;
        let cameras = gates.iter().map(|gate| gate.cameras.len()).sum();
        let mut world = Self {
            issued: people.iter().map(|_| None).collect(),
            devices: (0..cameras).map(|_| Device::default()).collect(),
            disk: Disk::with(day.plant),
            commit: Duration::from_millis(6),
            net: Net { is_broker_up: true, slow_ms: 20, ..Net::default() },
            day,
            random,
            time: Arc::default(),
            agenda: Agenda::default(),
            gates,
            people,
            walks,
            life: None,
            lives: 0,
            died: Duration::ZERO,
            truth: Truth::default(),
            figures: Figures::default(),
            slower: 1.0,
            is_overloaded: false,
            relieved: None,
            is_evening: false,
            told: is_told.then(VecDeque::new),
            folder,
            key,
            desk,
        };
        world.plan();
        Ok(world)
    }

    /// Writes down what does not depend on usher.
    fn plan(&mut self) {
        let end = self.day.lasts();
        for (number, person) in self.people.iter().enumerate() {
            if let Some(at) = person.enrols {
                self.agenda.at(at, Event::Enrol(number));
            }
            if let Some(at) = person.forgets {
                self.agenda.at(at, Event::Forget(number));
            }
        }
        self.agenda.at(Duration::from_millis(1), Event::Start);
        for (number, walk) in self.walks.iter().enumerate() {
            self.agenda.at(walk.from, Event::Walk(number));
            if walk.shows {
                self.agenda.at(walk.from, Event::Show(number));
            }
        }
        for camera in 0..self.devices.len() {
            let chance = Duration::from_millis(self.random.random_range(0..1_000));
            self.agenda.at(chance, Event::Picture(camera, 0));
        }
        if self.day.faults {
            faults::plan(&self.day, self.devices.len(), &mut self.random, &mut self.agenda);
        }
        if self.day.overload > 1 {
            let from = (end - EVENING - OVERLOAD) / 2;
            self.agenda.at(from, Event::Overload(true));
            self.agenda.at(from + OVERLOAD, Event::Overload(false));
        }
        self.agenda.at(Duration::from_secs(1), Event::Look);
        self.agenda.at(end - EVENING, Event::Evening);
        self.agenda.at(end, Event::Night);
    }

    /// The whole day, event by event; every rule is held against the truth after each.
    pub(crate) fn run(&mut self) -> Result<(), Violation> {
        while let Some((at, event)) = self.agenda.next() {
            self.time.set(at);
            self.figures.steps += 1;
            if matches!(event, Event::Night) {
                return self.night();
            }
            self.happens(event)?;
            self.ledger()?;
        }
        Ok(())
    }

    fn happens(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Walk(walk) => self.walks_up(walk),
            Event::Enrol(person) => self.enrols(person),
            Event::Forget(person) => self.forgets(person),
            Event::Show(walk) => self.shows(walk),
            Event::Break(fault) => self.breaks(fault),
            Event::Mend(fault) => self.mends(fault),
            Event::Start => self.starts(),
            Event::Picture(camera, rate) => self.takes_picture(camera, rate),
            Event::Inside(life, task) => return self.inside(life, task),
            Event::Packet(connection, packet) => return self.packet(connection, packet),
            Event::Overload(begins) => self.overloads(begins),
            Event::Look => return self.looks(),
            Event::Evening => self.evening(),
            Event::Night => {}
        }
        Ok(())
    }

    /// The true time.
    pub(crate) fn now(&self) -> Duration {
        self.time.now()
    }

    /// Writes an event down for `after` from now.
    pub(crate) fn later(&mut self, after: Duration, event: Event) {
        self.agenda.at(self.now() + after, event);
    }

    /// Tells what happens, where somebody will ask.
    pub(crate) fn tell(&mut self, says: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(told) = &mut self.told {
            if told.len() == TOLD {
                told.pop_front();
            }
            told.push_back(format!("{:>10.3} s  {}", now.as_secs_f64(), says()));
        }
    }

    pub(crate) fn violation(&self, rule: &'static str, says: String) -> Violation {
        Violation { at: self.now(), rule, says }
    }

    /// What the disk has done since the last event.
    fn ledger(&mut self) -> Result<(), Violation> {
        let deeds = std::mem::take(&mut self.disk.platter().ledger);
        let now = self.now();
        deeds.iter().try_for_each(|deed| self.truth.done(deed, &self.gates, now))
    }

    fn night(&mut self) -> Result<(), Violation> {
        self.ledger()?;
        self.truth.ended(&self.disk.visits(), &self.gates, self.now())?;
        Ok(())
    }
}
