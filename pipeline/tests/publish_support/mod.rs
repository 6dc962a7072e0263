//! Real brokers, listeners and visits for the tests of publishing.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file takes what it needs")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests poll a condition until a deadline, and may panic"
)]

mod day;
pub mod gates;
mod mosquitto;
#[path = "../support/port.rs"]
mod port;
mod visits;

pub use mosquitto::Mosquitto;
pub use visits::visit;

use crossbeam::channel::{Receiver, Sender, bounded};
use rumqttc::{Client, Event, LastWill, MqttOptions, Packet, QoS, SubscribeReasonCode, TlsConfiguration, Transport};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};
use usher::{
    clock::{Clock, SystemClock},
    decide::visit::{Notice, Visit},
    flow::board::Board,
    gallery::visitor::{Visitor, VisitorId},
    health::Health,
    publish::{self, Guided, Published, Setup, acked::Acked, payload::Session},
    supervise,
};
use usher_config::{
    programme::Status,
    publish::{Broker, Publish},
    value::Name,
};
use uuid::Uuid;

/// A name that must not be found where it does not belong.
pub const NAME: &str = "Zebedee Quux";

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Waits until `done`, at most for 30 s.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn free_port() -> u16 {
    port::free().port()
}

pub fn external(port: u16) -> Broker {
    Broker::External { host: "127.0.0.1".into(), port, tls: None, login: None, websocket: None }
}

/// One message that a listener got.
#[derive(Clone, Debug)]
pub struct Heard {
    pub topic: String,
    pub body: serde_json::Value,
    /// As it came.
    pub bytes: Vec<u8>,
    pub retained: bool,
    pub at: SystemTime,
}

/// How a listener comes.
pub struct Who {
    pub id: String,
    pub clean: bool,
    pub login: Option<(String, String)>,
    pub will: Option<LastWill>,
    pub qos: QoS,
    pub tls: Option<TlsConfiguration>,
}

impl Default for Who {
    fn default() -> Self {
        let id = format!("listener-{}", Uuid::new_v4());
        Self { id, clean: true, login: None, will: None, qos: QoS::AtLeastOnce, tls: None }
    }
}

#[derive(Default)]
struct Notes {
    heard: Mutex<Vec<Heard>>,
    granted: Mutex<Vec<SubscribeReasonCode>>,
    errors: Mutex<Vec<String>>,
    connected: AtomicBool,
    stop: AtomicBool,
}

/// A subscriber that comes back whenever its broker does.
pub struct Listener {
    pub client: Client,
    notes: Arc<Notes>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    pub fn start(port: u16, who: Who, filters: &[&str]) -> Self {
        let mut options = MqttOptions::new(who.id, "127.0.0.1", port);
        options
            .set_clean_session(who.clean)
            .set_keep_alive(Duration::from_secs(5))
            .set_max_packet_size(1 << 20, 1 << 20);
        if let Some((user, password)) = who.login {
            options.set_credentials(user, password);
        }
        if let Some(tls) = who.tls {
            options.set_transport(Transport::tls_with_config(tls));
        }
        if let Some(will) = who.will {
            options.set_last_will(will);
        }
        let (client, mut connection) = Client::new(options, 100);
        let notes = Arc::new(Notes::default());
        let (on, subscriber) = (notes.clone(), client.clone());
        let filters: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        let thread = supervise::spawn("listener", move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        filters.iter().for_each(|filter| subscriber.try_subscribe(filter, who.qos).unwrap());
                        on.connected.store(true, Ordering::Release);
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => on.granted.lock().unwrap().extend(ack.return_codes),
                    Ok(Event::Incoming(Packet::Publish(publish))) => on.heard.lock().unwrap().push(Heard {
                        topic: publish.topic,
                        body: serde_json::from_slice(&publish.payload).unwrap_or_default(),
                        bytes: publish.payload.to_vec(),
                        retained: publish.retain,
                        at: SystemTime::now(),
                    }),
                    Ok(_) => {}
                    Err(error) => {
                        on.connected.store(false, Ordering::Release);
                        on.errors.lock().unwrap().push(error.to_string());
                        if on.stop.load(Ordering::Acquire) {
                            return;
                        }
                        std::thread::sleep(Duration::from_millis(20));
                    }
                }
            }
        });
        Self { client, notes, thread: Some(thread) }
    }

    /// Started, and subscribed.
    pub fn ready(port: u16, who: Who, filters: &[&str]) -> Self {
        let listener = Self::start(port, who, filters);
        until("the listener is subscribed", || listener.granted().len() >= filters.len());
        listener
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.notes.heard.lock().unwrap().clone()
    }

    /// Whether nothing came for so long.
    pub fn quiet_for(&self, long: Duration) -> bool {
        self.heard().last().is_some_and(|heard| heard.at.elapsed().is_ok_and(|since| since > long))
    }

    /// Bodies of messages whose topic ends with `end`.
    pub fn bodies(&self, end: &str) -> Vec<serde_json::Value> {
        self.heard().into_iter().filter(|heard| heard.topic.ends_with(end)).map(|heard| heard.body).collect()
    }

    /// Waits for the box's state and a camera's; either may come twice, as sent and as retained.
    pub fn hears_states(&self) {
        until("the retained states come", || !self.bodies("/status").is_empty() && !self.bodies("/state").is_empty());
    }

    pub fn granted(&self) -> Vec<SubscribeReasonCode> {
        self.notes.granted.lock().unwrap().clone()
    }

    pub fn errors(&self) -> Vec<String> {
        self.notes.errors.lock().unwrap().clone()
    }

    pub fn is_connected(&self) -> bool {
        self.notes.connected.load(Ordering::Acquire)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.notes.stop.store(true, Ordering::Release);
        let _gone_is_fine = self.client.disconnect();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Acknowledged visits.
pub type Taps = Receiver<Acked>;

/// Publishing, with what a test drives it by.
pub struct Rig {
    pub visits: Sender<Visit>,
    pub notices: Sender<Notice>,
    pub published: Published,
    pub health: Arc<Health>,
    pub clock: Arc<SystemClock>,
    pub acked: Taps,
    pub flow: Arc<Board>,
}

/// Settings with `broker`.
pub fn settings(broker: Broker) -> Publish {
    Publish { broker, greeting: Duration::from_secs(20), face: true, keep: Duration::from_secs(3600) }
}

/// A setup with `settings`; everybody is [`NAME`] but visitor zero, who has been forgotten.
pub fn setup(data: &Path, settings: Publish) -> (Setup, Arc<Health>, Arc<SystemClock>, Taps) {
    let health = Arc::new(Health::of([name("door")]));
    let clock = SystemClock::start();
    // Every visit of the longest test.
    let (acked, taps) = bounded(10_000);
    let setup = Setup {
        settings,
        site: name("arena"),
        box_name: name("box-1"),
        data: data.to_owned(),
        quiet: Duration::from_secs(600),
        visitors: Arc::new(|id| {
            let visitor = Visitor::named(id, NAME, "rowing", SystemTime::UNIX_EPOCH);
            (id.0 != Uuid::nil()).then_some(visitor)
        }),
        forgotten: Box::new(|_| Vec::new()),
        guide: Box::new(|visitor, _, _| {
            let sport = &visitor.sport;
            let session = |n: u32| Session {
                id: format!("{sport}/{n}"),
                title: format!("{sport} {n}"),
                venue: "Lake".into(),
                place: "East stand".into(),
                starts: "2026-07-26T10:00:00+02:00".into(),
                ends: "2026-07-26T11:00:00+02:00".into(),
                gate: None,
                status: Status::OnTime,
            };
            Guided {
                sessions: (0..5).map(session).collect(),
                day: Some(day::day()),
                take: Some("HTTPS://BOX.EXAMPLE/D#AAAAAAAAAAAAAAAA".into()),
                party: Some("A".into()),
            }
        }),
        changes: Box::new(|_| Vec::new()),
        flow: Arc::default(),
        lanes: None,
        health: health.clone(),
        clock: clock.clone(),
        acked: Some(acked),
        progress: None,
    };
    (setup, health, clock, taps)
}

impl Rig {
    pub fn start(data: &Path, settings: Publish) -> Self {
        let (setup, health, clock, acked) = setup(data, settings);
        let flow = setup.flow.clone();
        // As long as the graph's.
        let (visits, arriving) = bounded(256);
        let (notices, noticed) = bounded(8);
        let published = publish::start(setup, arriving, noticed).unwrap();
        Self { visits, notices, published, health, clock, acked, flow }
    }

    /// A visit of somebody new, decided now.
    pub fn visit(&self) -> Visit {
        visit(self.clock.as_ref(), VisitorId(Uuid::new_v4()))
    }

    /// Decides a visit.
    pub fn welcome(&self) -> Visit {
        let visit = self.visit();
        self.visits.send(visit.clone()).unwrap();
        visit
    }

    /// Greets without a name.
    pub fn notice(&self) {
        let Visit { camera, taken, .. } = self.visit();
        self.notices.send(Notice { camera, taken }).unwrap();
    }

    /// Tells how the gate is and what comes next.
    pub fn count(&self, entered: u32) {
        let now = self.clock.now().wall;
        self.flow.tell_flow(gates::flow(entered), Arc::from([]), now);
        self.flow.tell_forecast(gates::forecast(), now);
    }

    /// Stops in order.
    pub fn stop(self) {
        drop(self.visits);
        self.published.join();
    }
}
