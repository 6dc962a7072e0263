//! The connection to the broker: what is handed over, what arrives, and what comes back.

use crate::{
    net::{Connection, Handed, Way},
    truth::Violation,
    world::{Event, Packet, Task, World},
};
use rand::RngExt as _;
use std::time::Duration;
use usher::publish::sink::{
    mail::{End, PATIENCE},
    reason::Broken,
};

impl World {
    /// How long something takes on its way.
    fn way(&mut self) -> Duration {
        Duration::from_micros(self.random.random_range(200..=self.net.slow_ms.max(1) * 1_000))
    }

    /// usher tries a connection.
    pub(crate) fn connects(&mut self) {
        let number = self.net.connection.number + 1;
        self.net.connection = Connection::of(number);
        let Some(life) = &mut self.life else { return };
        life.wire = Some(life.mail.begin(&mut life.course));
        life.connection = number;
        let way = self.way();
        let (after, packet) = match (self.net.way, self.net.is_broker_up) {
            (Way::Dark, _) => (PATIENCE, Packet::Broken("no connection within 5 s")),
            (_, false) => (way, Packet::Broken("nobody listens there")),
            (Way::Open | Way::HalfClosed, true) => {
                self.net.connection.is_open = true;
                (way, Packet::Accepted)
            }
        };
        self.later(after, Event::Packet(number, packet));
        // The library waits no longer for the broker's word that it accepts.
        self.later(PATIENCE, Event::Packet(number, Packet::Unaccepted));
    }

    pub(crate) fn packet(&mut self, number: u32, packet: Packet) -> Result<(), Violation> {
        if self.net.connection.number != number {
            return Ok(());
        }
        match packet {
            Packet::Accepted => {
                // What comes back does not, where the way is half closed.
                if self.net.way == Way::Open
                    && let Some(life) = &mut self.life
                    && let Some(wire) = &mut life.wire
                {
                    life.mail.connected(wire);
                }
                self.mails()
            }
            Packet::Unaccepted => {
                if self.life.as_ref().and_then(|life| life.wire.as_ref()).is_some_and(|wire| !wire.is_connected()) {
                    self.breaks_off("no answer within 5 s");
                }
                Ok(())
            }
            // Of two pings in a row none came back.
            Packet::Unheard => {
                if self.net.way != Way::Open {
                    self.breaks_off("no ping comes back");
                }
                Ok(())
            }
            Packet::Broken(reason) => {
                self.breaks_off(reason);
                Ok(())
            }
            Packet::Arrives(packet) => self.arrives(number, packet),
            Packet::Returns(packet) => self.returns(packet),
        }
    }

    /// The connection breaks, and usher hears of it.
    pub(crate) fn breaks_off(&mut self, reason: &str) {
        self.net.connection.is_open = false;
        let chance = self.random.random();
        let Some(life) = &mut self.life else { return };
        let Some(mut wire) = life.wire.take() else { return };
        let broken = match life.mail.lost(&mut wire, Broken::away(reason.to_owned())) {
            End::Lost(broken) => Some(broken),
            End::Done => None,
        };
        life.mail.end(wire, broken, &mut life.course);
        let (wait, number) = (life.course.next(chance), life.number);
        let reason = reason.to_owned();
        self.tell(|| format!("the broker is lost: {reason}"));
        self.later(wait, Event::Inside(number, Task::Connect));
    }

    /// One round over the connection: what waits is handed over, as far as it may be in flight.
    pub(crate) fn mails(&mut self) -> Result<(), Violation> {
        let now = self.now();
        let Some(life) = &mut self.life else { return Ok(()) };
        life.mail.sweep();
        let Some(wire) = &mut life.wire else { return Ok(()) };
        let mut handed = Handed::default();
        let ended = life.mail.step(wire, &mut handed, &mut None);
        for message in handed.0 {
            self.truth.handed(&message.kind, &message.body, now)?;
            self.figures.events += 1;
            let packet = self.net.connection.packet();
            if let Some(wire) = self.life.as_mut().and_then(|life| life.wire.as_mut()) {
                wire.number(packet);
            }
            self.net.connection.sent.insert(packet, message);
            let arrives = (now + self.way()).max(self.net.connection.arrives);
            self.net.connection.arrives = arrives;
            let number = self.net.connection.number;
            if self.net.way != Way::Dark && self.net.connection.is_open {
                self.agenda.at(arrives, Event::Packet(number, Packet::Arrives(packet)));
            }
        }
        if let Err(End::Lost(broken)) = ended {
            self.breaks_off(&broken.reason);
        }
        Ok(())
    }

    /// A message arrives at the broker.
    fn arrives(&mut self, number: u32, packet: u16) -> Result<(), Violation> {
        let now = self.now();
        if !self.net.is_broker_up || self.net.way == Way::Dark || !self.net.connection.is_open || self.net.is_mute {
            return Ok(());
        }
        let Some(message) = self.net.connection.sent.get(&packet).cloned() else { return Ok(()) };
        if message.kind == "visit" {
            self.truth.heard(&message.body, now)?;
            // A broker may deliver again what it is not sure of.
            if self.day.faults && self.random.random_bool(0.02) {
                self.truth.heard(&message.body, now)?;
            }
        }
        let returns = (now + self.way()).max(self.net.connection.returns);
        self.net.connection.returns = returns;
        if self.net.way == Way::Open {
            self.agenda.at(returns, Event::Packet(number, Packet::Returns(packet)));
        }
        Ok(())
    }

    /// An acknowledgement comes back.
    fn returns(&mut self, packet: u16) -> Result<(), Violation> {
        if self.net.way != Way::Open || !self.net.connection.is_open {
            return Ok(());
        }
        let message = self.net.connection.sent.remove(&packet);
        if let Some(message) = message.filter(|message| message.kind == "visit") {
            self.truth.acknowledged(&message.body);
        }
        let Some(life) = &mut self.life else { return Ok(()) };
        if let Some(wire) = &mut life.wire {
            life.mail.acknowledged(wire, packet);
            life.mail.let_go(wire);
        }
        self.mails()
    }
}
