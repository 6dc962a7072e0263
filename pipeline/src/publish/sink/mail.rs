//! The mail: what is sent over a connection, and what its acknowledgements let go.
//!
//! Rules and books without a socket: [`crate::publish::sink::mqtt`] drives them with a client library, the simulator with a
//! network made of faults. What is sent is matched to its acknowledgement by packet id; only the acknowledgement lets it go.
//! A broker that accepts the connection but acknowledges nothing is as good as away, so acknowledgement, not connection, is
//! what health means here.

use crate::{
    clock::{Clock, Moment},
    health::{BrokerState, Health},
    metrics::{ACKNOWLEDGED, ACKNOWLEDGED_SECONDS, BROKER_UP, SETTLED_ACKNOWLEDGED_SECONDS, SKIPPED},
    publish::{
        acked::{Acked, Arrived},
        alive,
        lanes::Orders,
        outbox::Waiting,
        progress::{Progress, Step},
        report::Reporter,
        signature::EventKey,
        sink::{
            course::Course,
            line::Address,
            reason::{self, Broken},
            wire::{Parcel, Refused, Wire},
        },
        tray::{Perishable, Tray},
        welcome::Visitors,
    },
};
use crossbeam::channel::Sender;
use std::{sync::Arc, time::Duration};
use usher_config::value::Name;
use uuid::Uuid;

/// Messages in flight: enough to fill a slow link, few enough that a stop or a silence is noticed in seconds.
pub const WINDOW: u16 = 64;
/// No acknowledgement for this long is a broken connection; so is no connection.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How often whoever drives a connection looks up though nothing happened.
pub const TICK: Duration = Duration::from_millis(200);
/// How often a visit that the broker refused is offered again.
const AGAIN: Duration = Duration::from_secs(5);
/// At a stop, time to send what is left, and time until the end whatever is left.
const FLUSH: Duration = Duration::from_millis(1500);
const END: Duration = Duration::from_secs(2);

/// Where messages are handed over. QoS 1: each is numbered in the order of handing over, and acknowledged by its number.
pub trait Line {
    /// Hands one message over. Never waits.
    ///
    /// # Errors
    /// Why the connection is broken; whether the message went is then unknown.
    fn publish(&mut self, topic: &str, body: Vec<u8>, retained: bool) -> Result<(), String>;

    /// Asks for what screens say of themselves and what programs say of lanes; false where it must be asked again.
    fn listen(&mut self, alive: String, lanes: String) -> bool;
}

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    /// It broke.
    Lost(Broken),
    /// All is said.
    Done,
}

/// What is sent, whatever the connection.
pub struct Mail {
    pub(crate) tray: Arc<Tray>,
    pub(crate) reporter: Reporter,
    /// Where the broker is.
    pub(crate) address: Address,
    /// Signs whatever is sent.
    pub(crate) key: Arc<EventKey>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who is still known: what names or shows somebody else goes to nobody any more.
    pub(crate) visitors: Visitors,
    /// Hears of every acknowledged visit; may lose.
    pub(crate) acked: Option<Sender<Acked>>,
    /// Hears of them, too, with the time; may lose.
    pub(crate) progress: Option<Sender<Progress>>,
    /// Hears what programs say of lanes.
    pub(crate) orders: Option<Orders>,
}

impl Mail {
    /// What is known before the first connection.
    pub fn course(&self) -> Course {
        Course::by(self.address.version)
    }

    /// The books of a new connection: everything retained is told again over it.
    pub fn begin(&self, course: &mut Course) -> Wire {
        self.tray.forget_told();
        // What was refused still is: some brokers hang up on whoever tries.
        Wire { refused: course.refused.take(), is_fought_for: course.is_fought_for(), ..Wire::default() }
    }

    /// The broker took us in.
    pub fn connected(&self, wire: &mut Wire) {
        wire.is_connected = true;
        wire.since = Some(self.clock.now());
    }

    /// A connection is over, `broken` or as it should be: what was for the moment and went over it in vain waits again.
    pub fn end(&self, mut wire: Wire, broken: Option<Broken>, course: &mut Course) {
        let stood = wire.since.map(|since| self.clock.now().since(since));
        course.refused = wire.refused.take();
        self.tray.lay_back(wire.perishables().into_iter());
        if let Some(broken) = broken {
            self.set_down(&course.learn(broken, stood, &self.address).reason);
        }
    }

    /// One round over a connection: whether it lives, and what goes. To be called when something came, when something
    /// new waits, and every [`TICK`].
    ///
    /// # Errors
    /// How the connection ended.
    pub fn step(&self, wire: &mut Wire, line: &mut dyn Line, closing: &mut Option<Moment>) -> Result<(), End> {
        let now = self.clock.now();
        if wire.is_fought_for && wire.is_acknowledging && wire.refused.is_none() && wire.stands(now) {
            self.set_up();
        }
        if wire.oldest().is_some_and(|at| now.since(at) > PATIENCE) {
            let reason = format!("the broker has acknowledged nothing for {} s", PATIENCE.as_secs());
            return Err(self.lost(wire, Broken::away(reason)));
        }
        if self.tray.is_closing() {
            let since = *closing.get_or_insert(now);
            if now.since(since) > END {
                return Err(End::Done);
            }
            let is_empty = self.tray.outbox.depth() == 0 && self.tray.is_swept() && wire.sent().next().is_none();
            if wire.is_connected && !wire.farewell && (is_empty || now.since(since) > FLUSH) {
                wire.farewell = true;
                let (topic, body) = self.reporter.offline(now.wall);
                self.send(line, wire, &topic, &body, true, Parcel::Farewell)?;
            }
        }
        if wire.is_connected && !wire.listens {
            // Nobody is told less where this is refused: screens are then only not seen in health.
            wire.listens = line.listen(self.reporter.topics.alive(), self.reporter.topics.lanes());
        }
        if wire.is_connected && !wire.farewell {
            self.fill(line, wire)?;
        }
        Ok(())
    }

    /// The connection broke.
    pub fn lost(&self, wire: &mut Wire, broken: Broken) -> End {
        self.let_go(wire);
        End::Lost(broken)
    }

    /// Takes in what somebody else said.
    pub(crate) fn hear(&self, topic: &str, body: &[u8], kept: bool) {
        let topics = &self.reporter.topics;
        alive::hear(topic, body, topics, &self.health, self.clock.now());
        if let Some(orders) = &self.orders {
            orders.hear(topic, body, kept, topics);
        }
    }

    /// Books an acknowledgement; true when it is that of the farewell. What it lets go, [`Mail::let_go`] does, for several
    /// in one commit.
    pub fn acknowledged(&self, wire: &mut Wire, packet: u16) -> bool {
        let now = self.clock.now();
        wire.is_acknowledging = true;
        wire.answered = Some(now);
        let answered = wire.numbered.remove(&packet);
        let topic = answered.as_ref().map(|(parcel, _)| parcel.topic());
        if wire.refused.as_ref().is_some_and(|refused| Some(refused.topic.as_str()) == topic) {
            wire.refused = None;
        }
        if wire.refused.is_none() && (!wire.is_fought_for || wire.stands(now)) {
            self.set_up();
        }
        match answered {
            Some((Parcel::Visit { seq, id, gate, arrived, .. }, _)) => {
                wire.acknowledged.push(seq);
                metrics::counter!(ACKNOWLEDGED).increment(1);
                if let Some(arrived) = arrived {
                    self.say_acked(id, &gate, arrived);
                }
                false
            }
            Some((Parcel::Farewell, _)) => true,
            Some((Parcel::Perishable(_) | Parcel::State(_), _)) | None => false,
        }
    }

    /// Books that the broker will not have what has this number; true when that is the farewell.
    pub fn refused(&self, wire: &mut Wire, packet: u16, why: &str) -> bool {
        let now = self.clock.now();
        wire.is_acknowledging = true;
        wire.answered = Some(now);
        let Some((parcel, _)) = wire.numbered.remove(&packet) else { return false };
        let (topic, is_visit) = (parcel.topic().to_owned(), matches!(parcel, Parcel::Visit { .. }));
        let reason = reason::refused(&self.address, &topic, why);
        self.set_down(&reason);
        if is_visit || wire.refused.as_ref().is_none_or(|refused| !refused.is_visit) {
            wire.refused = Some(Refused { topic, reason, is_visit, at: now });
        }
        matches!(parcel, Parcel::Farewell)
    }

    /// Lets go of every visit whose acknowledgement was booked.
    pub fn let_go(&self, wire: &mut Wire) {
        if !wire.acknowledged.is_empty() {
            self.tray.outbox.acknowledged(&wire.acknowledged);
            wire.acknowledged.clear();
            self.health.set_outbox(self.tray.outbox.depth());
        }
    }

    /// There is no connection, for this reason.
    pub fn set_down(&self, reason: &str) {
        metrics::gauge!(BROKER_UP).set(0.0);
        if self.health.set_broker(BrokerState::Down { reason: reason.to_owned() }) {
            tracing::warn!(%reason, "broker lost");
        }
    }

    /// Lets go of what is for the moment and has had its moment.
    pub fn sweep(&self) {
        self.tray.sweep(self.clock.now());
    }

    /// Greetings, faces and notices that wait.
    pub fn perishables(&self) -> usize {
        self.tray.perishables()
    }

    fn set_up(&self) {
        metrics::gauge!(BROKER_UP).set(1.0);
        if self.health.set_broker(BrokerState::Up) {
            tracing::info!(host = %self.address.host, port = self.address.port, "broker acknowledges");
        }
    }

    fn say_acked(&self, visit: Uuid, gate: &Name, arrived: Arrived) {
        let now = self.clock.now();
        let (since_first, since_settling) = (now.since(arrived.first), now.since(arrived.settling));
        metrics::histogram!(ACKNOWLEDGED_SECONDS, "gate" => gate.to_string()).record(since_first.as_secs_f64());
        metrics::histogram!(SETTLED_ACKNOWLEDGED_SECONDS, "gate" => gate.to_string())
            .record(since_settling.as_secs_f64());
        if let Some(acked) = &self.acked {
            let _the_tap_may_lose = acked.try_send(Acked { visit, since_first, since_settling });
        }
        if let Some(progress) = &self.progress {
            let _the_tap_may_lose = progress.try_send(Progress { visit, step: Step::Acknowledged, at: now });
        }
    }

    /// Sends what waits: states, then what perishes, then visits in order.
    fn fill(&self, line: &mut dyn Line, wire: &mut Wire) -> Result<(), End> {
        while wire.has_room() {
            if let Some((topic, body)) = self.tray.next_state() {
                let parcel = Parcel::State(topic.clone());
                self.send(line, wire, &topic, &body, true, parcel)?;
            } else if let Some(perishable) = self.next_perishable(wire) {
                let (topic, body) = (perishable.topic.clone(), perishable.body.clone());
                self.send(line, wire, &topic, &body, false, Parcel::Perishable(perishable))?;
            } else if let Some(Waiting { seq, row }) = self.next_visit(wire) {
                let (topic, body) = (row.topic.clone(), row.body.clone());
                let parcel = Parcel::Visit { seq, id: row.id, gate: row.gate, topic: row.topic, arrived: row.arrived };
                self.send(line, wire, &topic, &body, false, parcel)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    /// The oldest that is still good, and of nobody who was forgotten while it waited.
    fn next_perishable(&self, wire: &Wire) -> Option<Perishable> {
        loop {
            let now = self.clock.now();
            let perishable = self.tray.take(now, wire.is_swift(now))?;
            if perishable.of.is_none_or(|visitor| (self.visitors)(visitor).is_some()) {
                return Some(perishable);
            }
            metrics::counter!(SKIPPED, "stage" => "publish", "reason" => "forgotten").increment(1);
        }
    }

    fn next_visit(&self, wire: &mut Wire) -> Option<Waiting> {
        if let Some(refused) = wire.refused.as_ref().filter(|refused| refused.is_visit) {
            // The oldest alone is offered, now and then, until it is taken: what comes after it waits its turn.
            let is_due = self.clock.now().since(refused.at) >= AGAIN;
            if !is_due || wire.sent().any(|(parcel, _)| matches!(parcel, Parcel::Visit { .. })) {
                return None;
            }
            wire.visits.clear();
            wire.cursor = 0;
        }
        // Somebody was forgotten since these were read: what is left of them is read again, and names nobody.
        let blanked = self.tray.outbox.blanked();
        if wire.blanked != blanked {
            wire.blanked = blanked;
            wire.visits.clear();
        }
        if wire.visits.is_empty() && self.tray.outbox.depth() > wire.visits_held() {
            if wire.visits_held() == 0 && self.tray.outbox.after(wire.cursor, 1).is_empty() {
                // Rows before the cursor: the disk failed at the start and gives older ones now.
                wire.cursor = 0;
            }
            wire.visits = self.tray.outbox.after(wire.cursor, usize::from(WINDOW)).into();
        }
        let visit = wire.visits.pop_front()?;
        wire.cursor = visit.seq;
        Some(visit)
    }

    fn send(
        &self,
        line: &mut dyn Line,
        wire: &mut Wire,
        topic: &str,
        body: &[u8],
        retained: bool,
        parcel: Parcel,
    ) -> Result<(), End> {
        let handed = line.publish(topic, self.key.signed(topic, body), retained);
        wire.unnumbered.push_back((parcel, self.clock.now()));
        handed.map_err(|reason| self.lost(wire, Broken::away(reason)))
    }
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
