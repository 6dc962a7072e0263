//! Cameras: devices that freeze, fall silent, die and come back, and usher's thread of each.

use crate::{
    life::Shot,
    plant::Plant,
    world::{Event, Task, World},
};
use rand::RngExt as _;
use std::time::Duration;
use usher::{
    capture::{
        course::{GLANCE, Next},
        fault::Fault,
    },
    clock::Clock as _,
    health::CameraState,
};

/// Between two pictures while somebody is in front of the camera.
pub(crate) const PICTURE: Duration = Duration::from_micros(66_667);
/// The same while nobody is: as often as the rules about silence need it.
const CALM: Duration = Duration::from_secs(1);
/// How soon a machine says that there is nothing to be had.
const REFUSES: Duration = Duration::from_millis(50);
/// Part of the faces in view that a detector finds.
const FOUND: f64 = 0.93;

/// How a camera is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It gives pictures.
    #[default]
    Well,
    /// It stands still; connections wait, and go on when it does.
    Frozen,
    /// It takes connections and gives nothing over them, ever.
    Silent,
    /// It is off; nobody answers.
    Dead,
    /// It answers, and has no stream yet.
    Boots,
}

/// A connection that usher has to a camera.
#[derive(Clone, Copy)]
struct Session {
    life: u32,
    opening: u32,
    /// Whether it gives pictures while the camera is well. One made with a silent camera never does.
    gives: bool,
}

/// A camera.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) sight: Sight,
    /// Since when it could give pictures to whoever asks.
    pub(crate) well_since: Duration,
    /// When infer last dealt with one.
    pub(crate) looked: Duration,
    /// When usher last took one in.
    pub(crate) seen: Duration,
    pub(crate) in_view: Vec<usize>,
    pub(crate) is_watched: bool,
    /// Grows when pictures begin to come at another rate; those of the rate before are not taken.
    pub(crate) rate: u32,
    session: Option<Session>,
}

impl Device {
    /// Whether a picture of now reaches that opening of that life.
    pub(crate) fn gives(&self, life: u32, opening: u32) -> bool {
        let is_theirs = |session: &Session| session.life == life && session.opening == opening && session.gives;
        self.sight == Sight::Well && self.session.as_ref().is_some_and(is_theirs)
    }
}

impl World {
    fn inside_later(&mut self, after: Duration, task: Task) {
        if let Some(life) = &self.life {
            let number = life.number;
            self.later(after, Event::Inside(number, task));
        }
    }

    /// usher opens a camera.
    pub(crate) fn opens(&mut self, camera: usize) {
        let Some(life) = &mut self.life else { return };
        let (number, now) = (life.number, life.clock.now());
        let reader = &mut life.readers[camera];
        reader.opening += 1;
        reader.is_reading = true;
        reader.course.begin(now);
        let opening = reader.opening;
        let connects = Duration::from_millis(self.random.random_range(100..900));
        let device = &mut self.devices[camera];
        device.session = Some(Session { life: number, opening, gives: false });
        let place = || format!("10.0.0.{camera}:554");
        let answer = match device.sight {
            Sight::Well => Some((connects, Task::Gives(camera, opening))),
            Sight::Frozen | Sight::Silent => None,
            Sight::Dead => Some((REFUSES, Task::Fails(camera, opening, Fault::Unreachable(place())))),
            Sight::Boots => Some((REFUSES, Task::Fails(camera, opening, Fault::NoSuchStream(place())))),
        };
        if let Some((after, task)) = answer {
            self.inside_later(after, task);
        }
        self.inside_later(GLANCE, Task::Glance(camera, opening));
    }

    /// A camera's connection begins to give pictures, if the camera still does.
    pub(crate) fn begins(&mut self, camera: usize, opening: u32) {
        let device = &mut self.devices[camera];
        if let Some(session) = device.session.as_mut().filter(|session| session.opening == opening) {
            session.gives = device.sight == Sight::Well;
            // Whoever begins to listen gets a whole picture at once.
            device.rate += 1;
            let rate = device.rate;
            self.later(Duration::ZERO, Event::Picture(camera, rate));
        }
    }

    pub(crate) fn glances(&mut self, camera: usize, opening: u32) {
        let Some(life) = &mut self.life else { return };
        let now = life.clock.now();
        let reader = &mut life.readers[camera];
        if reader.opening != opening || !reader.is_reading {
            return;
        }
        match reader.course.glance(now) {
            Err(fault) => self.fails(camera, opening, &fault),
            // As many glances as there are would be most of all events; those that can tell of nothing are left out.
            Ok(()) => {
                let next = reader.course.patience_left(now) + GLANCE;
                self.inside_later(next, Task::Glance(camera, opening));
            }
        }
    }

    /// An opening is over.
    pub(crate) fn fails(&mut self, camera: usize, opening: u32, fault: &Fault) {
        let chance = self.random.random();
        let Some(life) = &mut self.life else { return };
        let now = life.clock.now();
        let reader = &mut life.readers[camera];
        if reader.opening != opening || !reader.is_reading {
            return;
        }
        reader.is_reading = false;
        reader.faults += 1;
        let state = reader.course.lose(fault, now);
        let next = reader.course.after(fault, chance);
        let is_given_up = self.day.plant == Some(Plant::NeverRetried) && reader.faults > 1;
        life.health.set_camera(&life.cameras[camera].name, state);
        self.devices[camera].session = None;
        self.tell(|| format!("camera {camera} is lost: {fault}"));
        if !is_given_up {
            self.goes_on(camera, opening, next);
        }
    }

    fn goes_on(&mut self, camera: usize, opening: u32, next: Next) {
        match next {
            Next::Open => self.opens(camera),
            Next::Wait(wait) => self.inside_later(wait, Task::Open(camera, opening)),
            Next::Knock(wait) => {
                let is_answered = self.devices[camera].sight != Sight::Dead;
                self.inside_later(wait, Task::Heard(camera, opening, is_answered));
            }
        }
    }

    pub(crate) fn hears(&mut self, camera: usize, opening: u32, is_answered: bool) {
        let chance = self.random.random();
        let Some(life) = &mut self.life else { return };
        let reader = &mut life.readers[camera];
        if reader.opening != opening || reader.is_reading {
            return;
        }
        let next = reader.course.heard(is_answered, chance);
        self.goes_on(camera, opening, next);
    }

    /// A camera turns so.
    pub(crate) fn turns(&mut self, camera: usize, sight: Sight) {
        let now = self.now();
        let device = &mut self.devices[camera];
        let before = std::mem::replace(&mut device.sight, sight);
        let session = device.session;
        if sight == Sight::Well && before != Sight::Well {
            device.well_since = now;
        }
        self.tell(|| format!("camera {camera} is {sight:?}"));
        let Some(Session { life, opening, .. }) = session else { return };
        match (before, sight) {
            // Whoever waits in the queue of a machine that stood still is served when it goes on.
            (Sight::Frozen, Sight::Well) => {
                let serves = Duration::from_millis(self.random.random_range(100..900));
                if self.devices[camera].session.is_some_and(|session| !session.gives) {
                    self.later(serves, Event::Inside(life, Task::Gives(camera, opening)));
                }
            }
            (_, Sight::Silent) => {
                if let Some(session) = &mut self.devices[camera].session {
                    session.gives = false;
                }
            }
            (_, Sight::Dead) => {
                self.devices[camera].session = None;
                // Half of the time the machine is killed and says so; else the cable is out and nothing is said.
                if self.random.random_bool(0.5) {
                    let after = Duration::from_millis(100);
                    self.later(after, Event::Inside(life, Task::Fails(camera, opening, Fault::Ended)));
                }
            }
            _ => {}
        }
    }

    /// A camera takes a picture, and usher gets it where somebody listens.
    pub(crate) fn takes_picture(&mut self, camera: usize, rate: u32) {
        let now = self.now();
        let walks = &self.walks;
        let device = &mut self.devices[camera];
        if device.rate != rate {
            return;
        }
        device.in_view.retain(|walk| walks[*walk].to > now);
        device.is_watched = !device.in_view.is_empty();
        let is_quick = self.devices[camera].is_watched || self.is_overloaded;
        self.later(if is_quick { PICTURE } else { CALM }, Event::Picture(camera, rate));
        let Some(life) = &mut self.life else { return };
        let reader = &mut life.readers[camera];
        let device = &mut self.devices[camera];
        if !reader.is_reading || !device.gives(life.number, reader.opening) {
            return;
        }
        let taken = life.clock.now();
        if reader.course.frame(taken) {
            life.health.set_camera(&life.cameras[camera].name, CameraState::Live);
        }
        device.seen = now;
        let random = &mut self.random;
        let walks = device.in_view.iter().copied().filter(|_| random.random_bool(FOUND)).collect();
        life.seats[camera].put(Shot { camera, taken, walks });
        self.kick_infer();
    }
}
