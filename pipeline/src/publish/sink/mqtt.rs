//! The MQTT sink: un-acknowledged events to a broker, until it acknowledges them.
//!
//! The client library forgets what it had queued when a broker has lost the session, so nothing is entrusted to it: each
//! connection is a new client that starts from the tray again, in order. What is sent is matched to its
//! acknowledgement by packet id; only the acknowledgement lets it go. A broker that accepts the connection but
//! acknowledges nothing is as good as away, so acknowledgement, not connection, is what health means here.
//! QoS 1, clean session. What a broker says that it will not have stays in the outbox, and health says so.

use crate::{
    clock::{Clock, Moment},
    health::{BrokerState, Health},
    metrics::{ACKNOWLEDGED, ACKNOWLEDGED_SECONDS, BROKER_UP, SETTLED_ACKNOWLEDGED_SECONDS},
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
            line::{Address, Events, Heard, Line},
            reason::{self, Broken, How},
            wire::{Parcel, Refused, Wire},
        },
        tray::Tray,
    },
    supervise::Beat,
};
use crossbeam::channel::Sender;
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;
use usher_config::value::Name;
use uuid::Uuid;

/// Messages in flight: enough to fill a slow link, few enough that a stop or a silence is noticed in seconds.
pub(crate) const WINDOW: u16 = 64;
/// No acknowledgement for this long is a broken connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of the largest packet: a face of 48 KiB in base64, with room.
pub(crate) const PACKET: usize = 256 * 1024;
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(200);
/// How often a visit that the broker refused is offered again.
const AGAIN: Duration = Duration::from_secs(5);
/// At a stop, time to send what is left, and time until the end whatever is left.
const FLUSH: Duration = Duration::from_millis(1500);
const END: Duration = Duration::from_secs(2);

/// Takes what waits in the tray to a broker.
pub(crate) struct MqttSink {
    pub(crate) address: Address,
    pub(crate) tray: Arc<Tray>,
    pub(crate) reporter: Reporter,
    /// Signs whatever is sent.
    pub(crate) key: Arc<EventKey>,
    pub(crate) health: Arc<Health>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Hears of every acknowledged visit; may lose.
    pub(crate) acked: Option<Sender<Acked>>,
    /// Hears of them, too, with the time; may lose.
    pub(crate) progress: Option<Sender<Progress>>,
    /// Hears what programs say of lanes.
    pub(crate) orders: Option<Orders>,
    pub(crate) beat: Beat,
}

/// How a connection ended.
enum End {
    Lost(Broken),
    Done,
}

impl MqttSink {
    /// Runs until the tray is closed and emptied, or cannot be emptied in time.
    pub(crate) fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives this thread an event queue").block_on(self.serve());
    }

    async fn serve(&mut self) {
        let mut course = Course::by(self.address.version);
        let mut closing = None;
        loop {
            match self.session(&mut closing, &mut course).await {
                End::Done => break,
                End::Lost(broken) => self.set_down(&broken.reason),
            }
            if closing.is_some() {
                break;
            }
            // Half to all of it, so that boxes that lost one broker together do not come back together.
            self.pause(course.next_wait().mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        }
        let left = self.tray.outbox.depth();
        if left > 0 {
            tracing::info!(visits = left, "stopped with visits that the broker has not acknowledged; they are kept");
        }
        metrics::gauge!(BROKER_UP).set(0.0);
    }

    fn set_down(&self, reason: &str) {
        metrics::gauge!(BROKER_UP).set(0.0);
        if self.health.set_broker(BrokerState::Down { reason: reason.to_owned() }) {
            tracing::warn!(%reason, "broker lost");
        }
    }

    fn set_up(&self) {
        metrics::gauge!(BROKER_UP).set(1.0);
        if self.health.set_broker(BrokerState::Up) {
            tracing::info!(host = %self.address.host, port = self.address.port, "broker acknowledges");
        }
    }

    /// Waits, unless stopping.
    async fn pause(&self, most: Duration) {
        let until = self.clock.now().steady + most;
        while self.clock.now().steady < until && !self.tray.is_closing() {
            self.beat.beat();
            self.tray.sweep(self.clock.now());
            let left = until.saturating_sub(self.clock.now().steady).min(TICK);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = self.tray.bell.notified() => {}
            }
        }
    }

    async fn session(&mut self, closing: &mut Option<Moment>, course: &mut Course) -> End {
        let (topic, body) = self.reporter.offline(self.clock.now().wall);
        let body = self.key.signed(&topic, &body);
        let (line, events, pump) = Line::open(course.version(), &self.address, (topic, body));
        self.tray.forget_told();
        // What was refused still is: some brokers hang up on whoever tries.
        let mut wire = Wire { refused: course.refused.take(), ..Wire::default() };
        let is_fought_for = course.is_fought_for();
        let end = tokio::select! {
            end = self.drive(&line, events, &mut wire, closing, is_fought_for) => end,
            () = pump => unreachable!("the pump waits for ever after its last event"),
        };
        let stood = wire.since.map(|since| self.clock.now().since(since));
        course.refused = wire.refused.take();
        self.tray.lay_back(wire.perishables().into_iter());
        match end {
            End::Done => End::Done,
            End::Lost(broken) => End::Lost(course.learn(broken, stood, &self.address)),
        }
    }

    async fn drive(
        &self,
        line: &Line,
        mut events: Events,
        wire: &mut Wire,
        closing: &mut Option<Moment>,
        is_fought_for: bool,
    ) -> End {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => {
                    let mut next = event;
                    while let Some(event) = next {
                        match event {
                            Ok(event) => if self.hear(event, wire, is_fought_for) {
                                self.let_go(wire);
                                return self.done(line, events).await;
                            },
                            Err(broken) => return self.lost(wire, broken),
                        }
                        next = events.try_recv().ok();
                    }
                    self.let_go(wire);
                }
                () = self.tray.bell.notified() => {}
                _ = tick.tick() => self.tray.sweep(self.clock.now()),
            }
            self.beat.beat();
            let now = self.clock.now();
            if is_fought_for && wire.is_acknowledging && wire.refused.is_none() && wire.stands(now) {
                self.set_up();
            }
            if wire.oldest().is_some_and(|at| now.since(at) > PATIENCE) {
                let reason = format!("the broker has acknowledged nothing for {} s", PATIENCE.as_secs());
                return self.lost(wire, Broken { reason, how: How::Away });
            }
            if self.tray.is_closing() {
                let since = *closing.get_or_insert(now);
                if now.since(since) > END {
                    return End::Done;
                }
                let is_empty = self.tray.outbox.depth() == 0 && self.tray.is_swept() && wire.sent().next().is_none();
                if wire.is_connected && !wire.farewell && (is_empty || now.since(since) > FLUSH) {
                    wire.farewell = true;
                    let (topic, body) = self.reporter.offline(now.wall);
                    if let Err(end) = self.send(line, wire, &topic, &body, true, Parcel::Farewell) {
                        return end;
                    }
                }
            }
            if wire.is_connected && !wire.listens {
                // Nobody is told less where this is refused: screens are then only not seen in health.
                let topics = &self.reporter.topics;
                wire.listens = line.listen(topics.alive(), topics.lanes());
            }
            if wire.is_connected
                && !wire.farewell
                && let Err(end) = self.fill(line, wire)
            {
                return end;
            }
        }
    }

    fn lost(&self, wire: &mut Wire, broken: Broken) -> End {
        self.let_go(wire);
        End::Lost(broken)
    }

    /// The farewell is acknowledged: disconnects in order, so that the last will stays unsaid.
    async fn done(&self, line: &Line, mut events: Events) -> End {
        if line.leave() {
            let said = async { while !matches!(events.recv().await, Some(Ok(Heard::Left) | Err(_)) | None) {} };
            let _late_is_fine = tokio::time::timeout(TICK, said).await;
        }
        End::Done
    }

    /// Books one event; true when the farewell is acknowledged.
    fn hear(&self, heard: Heard, wire: &mut Wire, is_fought_for: bool) -> bool {
        let now = self.clock.now();
        match heard {
            Heard::Connected => {
                wire.is_connected = true;
                wire.since = Some(now);
            }
            Heard::Said { topic, body, retained } => {
                let topics = &self.reporter.topics;
                alive::hear(&topic, &body, topics, &self.health, now);
                if let Some(orders) = &self.orders {
                    orders.hear(&topic, &body, retained, topics);
                }
            }
            Heard::Numbered(packet) => {
                if let Some(sent) = wire.unnumbered.pop_front() {
                    wire.numbered.insert(packet, sent);
                }
            }
            Heard::Answered { packet, refused: Some(why) } => {
                wire.is_acknowledging = true;
                wire.answered = Some(now);
                let Some((parcel, _)) = wire.numbered.remove(&packet) else { return false };
                let (topic, is_visit) = (parcel.topic().to_owned(), matches!(parcel, Parcel::Visit { .. }));
                let reason = reason::refused(&self.address, &topic, &why);
                self.set_down(&reason);
                if is_visit || wire.refused.as_ref().is_none_or(|refused| !refused.is_visit) {
                    wire.refused = Some(Refused { topic, reason, is_visit, at: now });
                }
                return matches!(parcel, Parcel::Farewell);
            }
            Heard::Answered { packet, refused: None } => {
                wire.is_acknowledging = true;
                wire.answered = Some(now);
                let answered = wire.numbered.remove(&packet);
                let topic = answered.as_ref().map(|(parcel, _)| parcel.topic());
                if wire.refused.as_ref().is_some_and(|refused| Some(refused.topic.as_str()) == topic) {
                    wire.refused = None;
                }
                if wire.refused.is_none() && (!is_fought_for || wire.stands(now)) {
                    self.set_up();
                }
                match answered {
                    Some((Parcel::Visit { seq, id, gate, arrived, .. }, _)) => {
                        wire.acknowledged.push(seq);
                        metrics::counter!(ACKNOWLEDGED).increment(1);
                        if let Some(arrived) = arrived {
                            self.say_acked(id, &gate, arrived);
                        }
                    }
                    Some((Parcel::Farewell, _)) => return true,
                    Some((Parcel::Perishable(_) | Parcel::State(_), _)) | None => {}
                }
            }
            Heard::Left | Heard::Other => {}
        }
        false
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

    fn let_go(&self, wire: &mut Wire) {
        if !wire.acknowledged.is_empty() {
            self.tray.outbox.acknowledged(&wire.acknowledged);
            wire.acknowledged.clear();
            self.health.set_outbox(self.tray.outbox.depth());
        }
    }

    /// Sends what waits: states, then what perishes, then visits in order.
    fn fill(&self, line: &Line, wire: &mut Wire) -> Result<(), End> {
        while wire.has_room() {
            if let Some((topic, body)) = self.tray.next_state() {
                let parcel = Parcel::State(topic.clone());
                self.send(line, wire, &topic, &body, true, parcel)?;
            } else if let Some(perishable) = self.tray.take(self.clock.now(), wire.is_swift(self.clock.now())) {
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

    fn next_visit(&self, wire: &mut Wire) -> Option<Waiting> {
        if let Some(refused) = wire.refused.as_mut().filter(|refused| refused.is_visit) {
            // The oldest alone is offered, now and then, until it is taken: what comes after it waits its turn.
            let now = self.clock.now();
            if now.since(refused.at) < AGAIN || wire.sent().any(|(parcel, _)| matches!(parcel, Parcel::Visit { .. })) {
                return None;
            }
            wire.visits.clear();
            wire.cursor = 0;
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
        line: &Line,
        wire: &mut Wire,
        topic: &str,
        body: &[u8],
        retained: bool,
        parcel: Parcel,
    ) -> Result<(), End> {
        // The library's queue is as long as the window, so that it is never full here.
        match line.publish(topic, retained, self.key.signed(topic, body)) {
            Ok(()) => {
                wire.unnumbered.push_back((parcel, self.clock.now()));
                Ok(())
            }
            Err(error) => {
                wire.unnumbered.push_back((parcel, self.clock.now()));
                Err(self.lost(wire, Broken { reason: error, how: How::Away }))
            }
        }
    }
}
