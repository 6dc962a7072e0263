//! People: they enrol, are forgotten, walk up and hold up their passes.

use crate::{
    crowd::template,
    time::true_wall,
    world::{Event, World},
};
use rand::RngExt as _;
use std::time::Duration;
use usher::{
    gallery::{audit::deed::Why, consent::Consent, enrolment::Enrolment, visitor::Custody},
    identify::passes::Shown,
};

/// What a desk without a page to show holds against whoever asks what was agreed to.
const NOTICE: &str = "0";

impl World {
    pub(crate) fn enrols(&mut self, number: usize) {
        let now = self.now();
        let person = &self.people[number];
        let views = if person.faceless { 0 } else { self.random.random_range(1..3) };
        let templates = (0..views).map(|_| template(&person.face, 0.9, &mut self.random)).collect();
        let household = person.household.and_then(|other| self.issued[other].as_ref()).map(|issued| issued.visitor);
        let custody = if person.own_key { Custody::Visitor } else { Custody::Box };
        // A desk believes the clock that it has; a visitor's time is meant by the true one.
        let (wall, expires) = (self.time.wall(), person.expires.max(now));
        let consent = Consent::at_desk("venue", "1", NOTICE);
        let new = Enrolment {
            templates,
            household: household.into_iter().filter(|_| custody == Custody::Box).collect(),
            custody,
            ..Enrolment::new("Mina", "Judo", consent, wall, true_wall(expires))
        };
        match self.desk.enrol(&new) {
            Ok(issued) => {
                let (own_key, is_faceless) = (person.own_key, person.faceless);
                self.truth.enrolled(issued.visitor, number, now, expires, own_key || is_faceless);
                self.issued[number] = Some(issued);
                self.figures.enrolled += 1;
                self.tell(|| format!("person {number} enrols"));
            }
            Err(error) => self.tell(|| format!("person {number} cannot enrol: {error}")),
        }
    }

    pub(crate) fn forgets(&mut self, number: usize) {
        let Some(issued) = &self.issued[number] else { return };
        let (visitor, wall) = (issued.visitor, self.time.wall());
        if self.desk.forget(visitor, Why::Asked, wall).is_ok() {
            self.truth.forgotten(visitor, self.now());
            self.figures.forgotten += 1;
            self.tell(|| format!("person {number} is forgotten"));
        }
    }

    pub(crate) fn walks_up(&mut self, number: usize) {
        let walk = self.walks[number].clone();
        self.figures.walks += 1;
        let device = &mut self.devices[walk.camera];
        device.in_view.push(number);
        // Pictures come once a second while nobody is there; from now on they come as the camera takes them.
        if !device.is_watched {
            device.is_watched = true;
            device.rate += 1;
            let rate = device.rate;
            self.later(Duration::ZERO, Event::Picture(walk.camera, rate));
        }
    }

    /// Somebody holds up their pass; the camera must see it, and usher must be there.
    pub(crate) fn shows(&mut self, number: usize) {
        let walk = self.walks[number].clone();
        let now = self.now();
        let Some(issued) = &self.issued[walk.person] else { return };
        let (visitor, text) = (issued.visitor, issued.pass.reveal());
        let Some(life) = &mut self.life else { return };
        if !self.devices[walk.camera].gives(life.number, life.readers[walk.camera].opening) {
            return;
        }
        let taken = usher::clock::Clock::now(&*life.clock);
        let camera = life.cameras[walk.camera].clone();
        self.truth.shown(visitor, now);
        if let Some(visitor) = life.passes.step(&text, &life.current, taken) {
            life.shown.push_back(Shown { camera, taken, pts: now, visitor });
        }
        self.tell(|| format!("person {} shows their pass at camera {}", walk.person, walk.camera));
        self.kick_decide();
    }
}
