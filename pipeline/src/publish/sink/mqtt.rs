//! The MQTT sink: un-acknowledged events to a broker, until it acknowledges them.
//!
//! The client library forgets what it had queued when a broker has lost the session, so nothing is entrusted to it: each
//! connection is a new client that starts from the tray again, in order. What is sent and what is let go,
//! [`crate::publish::sink::mail`] says; here are the client, its events and the waits. MQTT 3.1.1, QoS 1, clean session.

use crate::{
    clock::Moment,
    metrics::BROKER_UP,
    publish::sink::{
        mail::{End, Line, Mail, PATIENCE, TICK, WINDOW, Waits},
        reason::reason_of,
        wire::Wire,
    },
    supervise::Beat,
};
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS, SubscribeFilter,
    TlsConfiguration, Transport,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use usher_config::value::Secret;

/// Bytes of the largest packet: a face of 48 KiB in base64, with room.
const PACKET: usize = 256 * 1024;
const KEEP_ALIVE: Duration = Duration::from_secs(5);
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
    pub(crate) mail: Mail,
    pub(crate) beat: Beat,
}

impl MqttSink {
    /// Runs until the tray is closed and emptied, or cannot be emptied in time.
    pub(crate) fn run(mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives this thread an event queue").block_on(self.serve());
    }

    async fn serve(&mut self) {
        let mut waits = Waits::default();
        let mut closing = None;
        loop {
            match self.session(&mut closing).await {
                End::Done => break,
                End::Lost { reason, was_up } => {
                    waits.lost(was_up);
                    self.mail.set_down(&reason);
                }
            }
            if closing.is_some() {
                break;
            }
            self.pause(waits.next(rand::random())).await;
        }
        let left = self.mail.tray.outbox.depth();
        if left > 0 {
            tracing::info!(visits = left, "stopped with visits that the broker has not acknowledged; they are kept");
        }
        metrics::gauge!(BROKER_UP).set(0.0);
    }

    /// Waits, unless stopping.
    async fn pause(&self, most: Duration) {
        let until = self.mail.clock.now().steady + most;
        while self.mail.clock.now().steady < until && !self.mail.tray.is_closing() {
            self.beat.beat();
            self.mail.tray.sweep(self.mail.clock.now());
            let left = until.saturating_sub(self.mail.clock.now().steady).min(TICK);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = self.mail.tray.bell.notified() => {}
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
        let (topic, body) = self.mail.reporter.offline(self.mail.clock.now().wall);
        let body = self.mail.key.signed(&topic, &body);
        options.set_last_will(LastWill::new(topic, body, QoS::AtLeastOnce, true));
        options
    }

    async fn session(&mut self, closing: &mut Option<Moment>) -> End {
        let (client, mut events) = AsyncClient::new(self.options(), usize::from(WINDOW) + 1);
        events.network_options.set_connection_timeout(PATIENCE.as_secs());
        events.network_options.set_tcp_nodelay(true);
        // The library's own events come in bursts of at most a window.
        let (sender, receiver) = mpsc::channel(usize::from(WINDOW));
        let mut wire = self.mail.begin();
        let end = tokio::select! {
            end = self.drive(&client, receiver, &mut wire, closing) => end,
            () = pump(events, sender) => unreachable!("the pump waits for ever after its last event"),
        };
        self.mail.end(wire);
        end
    }

    async fn drive(
        &self,
        client: &AsyncClient,
        mut events: mpsc::Receiver<Result<Event, ConnectionError>>,
        wire: &mut Wire,
        closing: &mut Option<Moment>,
    ) -> End {
        let (mail, mut line) = (&self.mail, client);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => {
                    let mut next = event;
                    while let Some(event) = next {
                        match event {
                            Ok(event) => if self.hear(event, wire) {
                                mail.let_go(wire);
                                return self.done(client, events).await;
                            },
                            Err(error) => return mail.lost(wire, reason_of(&error, &self.address)),
                        }
                        next = events.try_recv().ok();
                    }
                    mail.let_go(wire);
                }
                () = mail.tray.bell.notified() => {}
                _ = tick.tick() => mail.tray.sweep(mail.clock.now()),
            }
            self.beat.beat();
            if let Err(end) = mail.step(wire, &mut line, closing) {
                return end;
            }
        }
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
            Event::Incoming(Packet::ConnAck(_)) => wire.connect(),
            Event::Incoming(Packet::Publish(said)) => self.mail.hear(&said.topic, &said.payload, said.retain),
            Event::Outgoing(Outgoing::Publish(packet)) => wire.number(packet),
            Event::Incoming(Packet::PubAck(ack)) => return self.mail.acknowledged(wire, ack.pkid),
            _ => {}
        }
        false
    }
}

impl Line for &AsyncClient {
    fn publish(&mut self, topic: &str, body: Vec<u8>, retained: bool) -> Result<(), String> {
        // The library's queue is as long as the window, so that it is never full here.
        self.try_publish(topic, QoS::AtLeastOnce, retained, body).map_err(|error| error.to_string())
    }

    fn listen(&mut self, alive: String, lanes: String) -> bool {
        // One packet, since the library's queue has room for one beside the window.
        let heard = [SubscribeFilter::new(alive, QoS::AtMostOnce), SubscribeFilter::new(lanes, QoS::AtLeastOnce)];
        self.try_subscribe_many(heard).is_ok()
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
