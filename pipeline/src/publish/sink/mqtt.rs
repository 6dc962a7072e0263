//! The MQTT sink: un-acknowledged events to a broker, until it acknowledges them.
//!
//! The client library forgets what it had queued when a broker has lost the session, so nothing is entrusted to it: each
//! connection is a new client that starts from the tray again, in order. What is sent is matched to its
//! acknowledgement by packet id; only the acknowledgement lets it go. A broker that accepts the connection but
//! acknowledges nothing is as good as away, so acknowledgement, not connection, is what health means here.
//! MQTT 3.1.1, QoS 1, clean session.

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
            reason::reason_of,
            wire::{Parcel, Wire},
        },
        tray::Tray,
    },
    supervise::Beat,
};
use crossbeam::channel::Sender;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter,
    TlsConfiguration, Transport,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use usher_config::value::{Name, Secret};
use uuid::Uuid;

/// Messages in flight: enough to fill a slow link, few enough that a stop or a silence is noticed in seconds.
pub(crate) const WINDOW: u16 = 64;
/// No acknowledgement for this long is a broken connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of the largest packet: a face of 48 KiB in base64, with room.
const PACKET: usize = 256 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(200);
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// At a stop, time to send what is left, and time until the end whatever is left.
const FLUSH: Duration = Duration::from_millis(1500);
const END: Duration = Duration::from_secs(2);

/// Where the broker is and who we are there.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    pub(crate) login: Option<(String, Secret)>,
    /// One per box; a broker knows two connections of one box by it.
    pub(crate) client_id: String,
}

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
    Lost { reason: String, was_up: bool },
    Done,
}

impl MqttSink {
    /// Runs until the tray is closed and emptied, or cannot be emptied in time.
    pub(crate) fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives this thread an event queue").block_on(self.serve());
    }

    async fn serve(&mut self) {
        let mut wait = FIRST_WAIT;
        let mut closing = None;
        loop {
            match self.session(&mut closing).await {
                End::Done => break,
                End::Lost { reason, was_up } => {
                    if was_up {
                        wait = FIRST_WAIT;
                    }
                    self.set_down(&reason);
                }
            }
            if closing.is_some() {
                break;
            }
            // Half to all of it, so that boxes that lost one broker together do not come back together.
            self.pause(wait.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
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

    fn options(&self) -> MqttOptions {
        let address = &self.address;
        let mut options = MqttOptions::new(&address.client_id, &address.host, address.port);
        options
            .set_keep_alive(KEEP_ALIVE)
            .set_clean_session(true)
            .set_inflight(WINDOW)
            .set_max_packet_size(PACKET, PACKET);
        if let Some((user, password)) = &address.login {
            options.set_credentials(user, password.reveal());
        }
        if let Some(tls) = &address.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        }
        let (topic, body) = self.reporter.offline(self.clock.now().wall);
        let body = self.key.signed(&topic, &body);
        options.set_last_will(LastWill::new(topic, body, QoS::AtLeastOnce, true));
        options
    }

    async fn session(&mut self, closing: &mut Option<Moment>) -> End {
        let (client, mut events) = AsyncClient::new(self.options(), usize::from(WINDOW) + 1);
        events.network_options.set_connection_timeout(PATIENCE.as_secs());
        events.network_options.set_tcp_nodelay(true);
        self.tray.forget_told();
        // The library's own events come in bursts of at most a window.
        let (sender, receiver) = mpsc::channel(usize::from(WINDOW));
        let mut wire = Wire::default();
        let end = tokio::select! {
            end = self.drive(&client, receiver, &mut wire, closing) => end,
            () = pump(events, sender) => unreachable!("the pump waits for ever after its last event"),
        };
        self.tray.lay_back(wire.perishables().into_iter());
        end
    }

    async fn drive(
        &self,
        client: &AsyncClient,
        mut events: mpsc::Receiver<Result<Event, ConnectionError>>,
        wire: &mut Wire,
        closing: &mut Option<Moment>,
    ) -> End {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => {
                    let mut next = event;
                    while let Some(event) = next {
                        match event {
                            Ok(event) => if self.hear(event, wire) {
                                self.let_go(wire);
                                return self.done(client, events).await;
                            },
                            Err(error) => return self.lost(wire, reason_of(&error, &self.address)),
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
            if wire.sent().any(|(_, at)| now.since(*at) > PATIENCE) {
                return self.lost(wire, format!("the broker has acknowledged nothing for {} s", PATIENCE.as_secs()));
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
                    if let Err(end) = self.send(client, wire, &topic, &body, true, Parcel::Farewell) {
                        return end;
                    }
                }
            }
            if wire.is_connected && !wire.listens {
                // Nobody is told less where this is refused: screens are then only not seen in health.
                // One packet, since the library's queue has room for one beside the window.
                let heard = [
                    SubscribeFilter::new(self.reporter.topics.alive(), QoS::AtMostOnce),
                    SubscribeFilter::new(self.reporter.topics.lanes(), QoS::AtLeastOnce),
                ];
                wire.listens = client.try_subscribe_many(heard).is_ok();
            }
            if wire.is_connected
                && !wire.farewell
                && let Err(end) = self.fill(client, wire)
            {
                return end;
            }
        }
    }

    fn lost(&self, wire: &mut Wire, reason: String) -> End {
        self.let_go(wire);
        End::Lost { reason, was_up: wire.is_acknowledging }
    }

    /// The farewell is acknowledged: disconnects in order, so that the last will stays unsaid.
    async fn done(&self, client: &AsyncClient, mut events: mpsc::Receiver<Result<Event, ConnectionError>>) -> End {
        if client.try_disconnect().is_ok() {
            let said = async {
                while !matches!(events.recv().await, Some(Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)) | None) {}
            };
            let _late_is_fine = tokio::time::timeout(TICK, said).await;
        }
        End::Done
    }

    /// Books one event; true when the farewell is acknowledged.
    fn hear(&self, event: Event, wire: &mut Wire) -> bool {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => wire.is_connected = true,
            Event::Incoming(Packet::Publish(said)) => {
                let topics = &self.reporter.topics;
                alive::hear(&said.topic, &said.payload, topics, &self.health, self.clock.now());
                if let Some(orders) = &self.orders {
                    orders.hear(&said.topic, &said.payload, said.retain, topics);
                }
            }
            Event::Outgoing(Outgoing::Publish(packet)) => {
                if let Some(sent) = wire.unnumbered.pop_front() {
                    wire.numbered.insert(packet, sent);
                }
            }
            Event::Incoming(Packet::PubAck(ack)) => {
                wire.is_acknowledging = true;
                self.set_up();
                match wire.numbered.remove(&ack.pkid) {
                    Some((Parcel::Visit { seq, id, gate, arrived }, _)) => {
                        wire.acknowledged.push(seq);
                        metrics::counter!(ACKNOWLEDGED).increment(1);
                        if let Some(arrived) = arrived {
                            self.say_acked(id, &gate, arrived);
                        }
                    }
                    Some((Parcel::Farewell, _)) => return true,
                    Some((Parcel::Perishable(_) | Parcel::State, _)) | None => {}
                }
            }
            _ => {}
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
    fn fill(&self, client: &AsyncClient, wire: &mut Wire) -> Result<(), End> {
        while wire.has_room() {
            if let Some((topic, body)) = self.tray.next_state() {
                self.send(client, wire, &topic, &body, true, Parcel::State)?;
            } else if let Some(perishable) = self.tray.take(self.clock.now()) {
                let (topic, body) = (perishable.topic.clone(), perishable.body.clone());
                self.send(client, wire, &topic, &body, false, Parcel::Perishable(perishable))?;
            } else if let Some(Waiting { seq, row }) = self.next_visit(wire) {
                let parcel = Parcel::Visit { seq, id: row.id, gate: row.gate, arrived: row.arrived };
                self.send(client, wire, &row.topic, &row.body, false, parcel)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn next_visit(&self, wire: &mut Wire) -> Option<Waiting> {
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
        client: &AsyncClient,
        wire: &mut Wire,
        topic: &str,
        body: &[u8],
        retained: bool,
        parcel: Parcel,
    ) -> Result<(), End> {
        // The library's queue is as long as the window, so that it is never full here.
        match client.try_publish(topic, QoS::AtLeastOnce, retained, self.key.signed(topic, body)) {
            Ok(()) => {
                wire.unnumbered.push_back((parcel, self.clock.now()));
                Ok(())
            }
            Err(error) => {
                wire.unnumbered.push_back((parcel, self.clock.now()));
                Err(self.lost(wire, error.to_string()))
            }
        }
    }
}

/// Drives the client library; never dropped half-way through a packet while the connection lives.
async fn pump(mut events: EventLoop, to: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = events.poll().await;
        let is_last = event.is_err();
        if to.send(event).await.is_err() || is_last {
            std::future::pending::<()>().await;
        }
    }
}
