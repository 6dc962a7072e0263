//! Publish: visits to whoever must hear.
//!
//! ```text
//! visits ─► publish ─► outbox on disk ─┐
//!              ├─► greeting, face,
//!              │   notice ─────────────┼─ tray ─► sink-mqtt ─► broker (embedded or another)
//! health, flow ┴─► retained states ────┘
//! ```

pub mod access;
pub mod acked;
mod alive;
pub mod broker;
pub mod contract;
pub(crate) mod face;
pub mod keep;
pub mod lanes;
pub mod outbox;
pub mod payload;
pub mod progress;
mod reached;
pub mod reins;
mod report;
pub mod shelf;
pub mod signature;
pub mod sink;
pub mod teller;
pub mod topic;
mod tray;
pub mod trust;
mod welcome;

pub use welcome::{Guide, Guided, Visitors};

use crate::{
    clock::Clock,
    decide::visit::{Notice, Visit},
    flow::{board::Board, desk},
    gallery::key::KeyError,
    health::Health,
    supervise::{self, Beat},
};
use acked::Acked;
use arc_swap::ArcSwap;
use broker::{BrokerError, EmbeddedBroker};
use crossbeam::channel::{Receiver, Sender};
use lanes::Orders;
use outbox::{Outbox, Recent, blank::Forgotten};
use progress::Progress;
use reached::broker_of;
use reins::Reins;
use report::{Reporter, Told};
use shelf::ShelfError;
use signature::{EventKey, PublicKey};
use sink::{line::Address, mail::Mail, mqtt::MqttSink, tls::TlsError};
use std::{
    path::PathBuf,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use teller::Teller;
use topic::Topics;
use tray::Tray;
use usher_config::{
    publish::Publish,
    value::{Name, Secret},
};
use welcome::Welcomer;

/// What of the programme is not as announced at a time, soonest first.
pub type Changes = Box<dyn Fn(SystemTime) -> Vec<payload::Change> + Send>;

/// What publishing needs.
pub struct Setup {
    /// Section `publish`.
    pub settings: Publish,
    /// The venue.
    pub site: Name,
    /// This box; unique in the venue.
    pub box_name: Name,
    /// The data folder: `outbox.db`, `events.key`, `screen.password`, `integrator.password`.
    pub data: PathBuf,
    /// The gates' longest quiet time: how long a visit is remembered.
    pub quiet: Duration,
    /// Who a visitor is now.
    pub visitors: Visitors,
    /// Who of some visitors was forgotten.
    pub forgotten: Forgotten,
    /// What a visitor wants to hear.
    pub guide: Guide,
    /// What of the programme is not as announced.
    pub changes: Changes,
    /// What flow tells of the gates.
    pub flow: Arc<Board>,
    /// Where it is said how many lanes are open; `None`: nobody hears it.
    pub lanes: Option<desk::Desk>,
    /// Read for the retained states; the broker's state is written there.
    pub health: Arc<Health>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Hears of each acknowledged visit; may lose.
    pub acked: Option<Sender<Acked>>,
    /// Hears how far each visit has come; may lose.
    pub progress: Option<Sender<Progress>>,
}

/// Why publishing cannot start; a person must mend it (exit code 78).
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] ShelfError),
    /// The embedded broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Certificates of another broker.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key that events are signed with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// How screens reach the broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Screens {
    /// MQTT over WebSocket.
    pub websocket: Option<WebSocket>,
    /// User and password that a screen signs in with; `None`: nobody, or as the site's own broker says.
    pub login: Option<(String, Secret)>,
    /// What a screen may listen to; `+` stands for one gate, box or camera.
    pub topics: [String; 7],
}

/// Where browsers reach MQTT over WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebSocket {
    /// At this URL.
    At(String),
    /// On the host that the page came from, at this port, path `/mqtt`.
    SameHost(u16),
}

/// Publishing, under way.
pub struct Published {
    reins: Reins,
    key: PublicKey,
    screens: Screens,
    beats: [(&'static str, Beat); 2],
    publish: JoinHandle<()>,
    sink: JoinHandle<()>,
    broker: Option<EmbeddedBroker>,
}

impl Published {
    /// Visits decided at `since` or later, as far as remembered: for the gates' quiet time over a restart.
    pub fn recent_visits(&self, since: SystemTime) -> Vec<Recent> {
        self.reins.outbox.recent_visits(since)
    }

    /// What of it may change meanwhile.
    pub fn reins(&self) -> Reins {
        self.reins.clone()
    }

    /// What the events of this box are held against.
    pub fn key(&self) -> PublicKey {
        self.key
    }

    /// How screens reach the broker.
    pub fn screens(&self) -> &Screens {
        &self.screens
    }

    /// Where the embedded broker listens for MQTT over TCP.
    pub fn listens(&self) -> Option<std::net::SocketAddr> {
        self.broker.as_ref().map(|broker| broker.tcp)
    }

    /// The signs of life of its threads.
    pub fn beats(&self) -> [(&'static str, Beat); 2] {
        self.beats.clone()
    }

    /// Whether a thread has ended; unasked, that ends the process.
    pub fn is_finished(&self) -> bool {
        self.publish.is_finished()
            || self.sink.is_finished()
            || self.broker.as_ref().is_some_and(EmbeddedBroker::is_finished)
    }

    /// Waits until all is stored, sent as far as two seconds allow, and the box is told offline. The visits' senders
    /// must have been dropped.
    pub fn join(self) {
        let _ended = self.publish.join();
        let _ended = self.sink.join();
        drop(self.broker);
        self.reins.outbox.close();
    }
}

/// Starts publishing what comes out of `visits` and `notices`, until the senders of `visits` are dropped.
///
/// # Errors
/// When a person must mend something first: the data folder, a port that is taken, a certificate.
pub fn start(setup: Setup, visits: Receiver<Visit>, notices: Receiver<Notice>) -> Result<Published, PublishError> {
    let topics = Topics::of(&setup.site);
    let key = Arc::new(EventKey::of_box(&setup.data)?);
    let outbox = Arc::new(Outbox::open(&setup.data.join("outbox.db"), setup.quiet, setup.clock.clone())?);
    let client_id = format!("usher-{}-{}", setup.site, setup.box_name);
    let (address, screens, broker) = broker_of(&setup.settings, &topics, &setup.data, client_id)?;
    let beats = [("publish", Beat::default()), ("sink-mqtt", Beat::default())];
    let (teller, mut mail, reins) = over(setup, &outbox, key.clone());
    mail.address = address;
    let sink = MqttSink { mail, beat: beats[1].1.clone() };
    let beat = beats[0].1.clone();
    let sink = supervise::spawn("sink-mqtt", move || sink.run());
    let publish = supervise::spawn("publish", move || teller.run(&visits, notices, &beat));
    Ok(Published { reins, key: key.public(), screens, beats, publish, sink, broker })
}

/// What the threads `publish` and `sink-mqtt` drive, over an open outbox, and what of it may change; the simulator drives the same.
pub fn over(setup: Setup, outbox: &Arc<Outbox>, key: Arc<EventKey>) -> (Teller, Mail, Reins) {
    let Setup { settings, site, box_name, visitors, forgotten, guide, changes, flow, lanes, health, .. } = setup;
    let Setup { clock, acked, progress, .. } = setup;
    // Whoever was forgotten while no usher ran is nobody before anything is sent.
    outbox.blank(&forgotten);
    health.set_outbox(outbox.depth());
    let tray = Arc::new(Tray::over(outbox.clone()));
    let reporter = Reporter { topics: Topics::of(&site), source: payload::source(&site, &box_name), box_name };
    let mail = Mail {
        tray: tray.clone(),
        reporter: reporter.clone(),
        address: Address::of_embedded(String::new(), 0, None, String::new()),
        key,
        visitors: visitors.clone(),
        health: health.clone(),
        clock: clock.clone(),
        acked,
        progress: progress.clone(),
        orders: lanes.map(Orders::to),
    };
    let settings = Arc::new(ArcSwap::from_pointee(settings));
    let reins = Reins { settings: settings.clone(), outbox: outbox.clone() };
    let welcomer = Welcomer { settings, reporter, visitors, guide };
    let told = Told::default();
    (Teller { welcomer, forgotten, changes, flow, tray, health, clock, progress, told }, mail, reins)
}
