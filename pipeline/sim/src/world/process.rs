//! usher as a process: it is started, does what it has to do, and is killed.

use crate::{
    life::{Birth, Life},
    time::Hands,
    truth::Violation,
    world::{Event, Task, World},
};
use std::{sync::Arc, time::Duration};
use usher::{
    gallery::current,
    identify,
    publish::{sink::mail, teller},
};

impl World {
    /// The process is started; it opens everything, or it is a bug.
    pub(crate) fn starts(&mut self) {
        if self.life.is_some() {
            return;
        }
        self.lives += 1;
        let born = self.now();
        self.truth.away += born - self.died;
        let birth = Birth {
            number: self.lives,
            clock: Arc::new(Hands { time: self.time.clone(), born }),
            gates: &self.gates,
            disk: &self.disk,
            folder: self.folder.path(),
            key: &self.key,
            plant: self.day.plant,
        };
        self.truth.is_blind = self.disk.is_unreadable();
        match Life::begin(&birth) {
            Ok(life) => self.life = Some(life),
            Err(error) => {
                // What a person must mend ends the process; systemd starts it again.
                self.tell(|| format!("usher does not start: {error:#}"));
                self.later(Duration::from_secs(5), Event::Start);
                return;
            }
        }
        let number = self.lives;
        self.tell(|| format!("usher starts for the {number}. time"));
        for camera in 0..self.devices.len() {
            self.opens(camera);
        }
        for task in [Task::Watch, Task::Round, Task::Idle, Task::Mail, Task::Connect] {
            self.later(Duration::from_millis(1), Event::Inside(number, task));
        }
    }

    /// kill -9: whatever is in memory is gone.
    pub(crate) fn is_killed(&mut self) {
        let Some(life) = self.life.take() else { return };
        self.died = self.now();
        self.disk.cut();
        let is_broken = self.disk.is_broken(self.died);
        self.truth.killed(life.number, is_broken);
        self.net.connection = crate::net::Connection::of(self.net.connection.number + 1);
        self.tell(|| "usher is killed".to_owned());
    }

    /// Something inside the process; what an earlier life had begun is not heard.
    pub(crate) fn inside(&mut self, number: u32, task: Task) -> Result<(), Violation> {
        if self.life.as_ref().is_none_or(|life| life.number != number) {
            return Ok(());
        }
        match task {
            Task::Gives(camera, opening) => self.begins(camera, opening),
            Task::Fails(camera, opening, fault) => self.fails(camera, opening, &fault),
            Task::Glance(camera, opening) => self.glances(camera, opening),
            Task::Open(camera, opening) => {
                if self.life.as_ref().is_some_and(|life| life.readers[camera].opening == opening) {
                    self.opens(camera);
                }
            }
            Task::Heard(camera, opening, is_answered) => self.hears(camera, opening, is_answered),
            Task::Inferred => self.inferred(),
            Task::Identified => self.identified(),
            Task::Decided => self.decided()?,
            Task::Published => return self.published(),
            Task::Idle => {
                self.idles();
                self.again(number, identify::IDLE, Task::Idle);
            }
            Task::Watch => {
                self.life.iter_mut().for_each(|life| life.watch.look());
                self.again(number, current::EVERY, Task::Watch);
            }
            Task::Round => {
                self.life.iter_mut().for_each(|life| life.teller.look_round());
                self.again(number, teller::ROUND, Task::Round);
                return self.mails();
            }
            Task::Mail => {
                self.again(number, mail::TICK, Task::Mail);
                return self.mails();
            }
            Task::Connect => self.connects(),
        }
        Ok(())
    }

    fn again(&mut self, life: u32, after: Duration, task: Task) {
        self.later(after, Event::Inside(life, task));
    }
}
