//! The MQTT sink: un-acknowledged events to a broker, until it acknowledges them.
//!
//! The client library forgets what it had queued when a broker has lost the session, so nothing is entrusted to it: each
//! connection is a new client that starts from the tray again, in order. What is sent and what is let go,
//! [`crate::publish::sink::mail`] says; here are the client, its events and the waits. QoS 1, clean session. What a broker says
//! that it will not have stays in the outbox, and health says so.

use crate::{
    clock::Moment,
    metrics::BROKER_UP,
    publish::sink::{
        course::Course,
        line::{Client, Events, Heard},
        mail::{End, Mail, TICK},
        wire::Wire,
    },
    supervise::Beat,
};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Bytes of the largest packet: a face of 48 KiB in base64, with room.
pub(crate) const PACKET: usize = 256 * 1024;
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Takes what waits in the tray to a broker.
pub(crate) struct MqttSink {
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
        let mut course = self.mail.course();
        let mut closing = None;
        while !self.session(&mut closing, &mut course).await && closing.is_none() {
            self.pause(course.next(rand::random())).await;
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

    /// One connection; true when all is said.
    async fn session(&mut self, closing: &mut Option<Moment>, course: &mut Course) -> bool {
        let mail = &self.mail;
        let (topic, body) = mail.reporter.offline(mail.clock.now().wall);
        let body = mail.key.signed(&topic, &body);
        let (client, events, pump) = Client::open(course.version(), &mail.address, (topic, body));
        let mut wire = mail.begin(course);
        let end = tokio::select! {
            end = self.drive(&client, events, &mut wire, closing) => end,
            () = pump => unreachable!("the pump waits for ever after its last event"),
        };
        let (is_done, broken) = match end {
            End::Done => (true, None),
            End::Lost(broken) => (false, Some(broken)),
        };
        mail.end(wire, broken, course);
        is_done
    }

    async fn drive(&self, client: &Client, mut events: Events, wire: &mut Wire, closing: &mut Option<Moment>) -> End {
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
                            Err(broken) => return mail.lost(wire, broken),
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
    async fn done(&self, client: &Client, mut events: Events) -> End {
        if client.leave() {
            let said = async { while !matches!(events.recv().await, Some(Ok(Heard::Left) | Err(_)) | None) {} };
            let _late_is_fine = tokio::time::timeout(TICK, said).await;
        }
        End::Done
    }

    /// Books one event; true when the farewell is acknowledged.
    fn hear(&self, heard: Heard, wire: &mut Wire) -> bool {
        match heard {
            Heard::Connected => self.mail.connected(wire),
            Heard::Said { topic, body, retained } => self.mail.hear(&topic, &body, retained),
            Heard::Numbered(packet) => wire.number(packet),
            Heard::Answered { packet, refused: Some(why) } => return self.mail.refused(wire, packet, &why),
            Heard::Answered { packet, refused: None } => return self.mail.acknowledged(wire, packet),
            Heard::Left | Heard::Other => {}
        }
        false
    }
}
