//! The line: one connection to a broker, by MQTT 5 or by 3.1.1.
//!
//! By 3.1.1 a broker whose access list forbids a topic acknowledges what it throws away, and one that gives our client id to
//! another just hangs up. Only MQTT 5 says so, so brokers of the venue are asked for it first; whoever does not know it is
//! spoken to by 3.1.1, as is the embedded broker, which gives us whatever we want.

use crate::publish::sink::{
    mail::{self, PATIENCE, WINDOW},
    mqtt::{KEEP_ALIVE, PACKET},
    reason::{Broken, five, four},
};
use rumqttc::{
    LastWill, MqttOptions, NetworkOptions, Outgoing, Packet, QoS, SubscribeFilter, TlsConfiguration, Transport,
    v5::{
        self,
        mqttbytes::v5::{Filter, LastWill as LastWill5, Packet as Packet5, PubAckReason},
    },
};
use std::{future::Future, pin::Pin, sync::Arc};
use tokio::sync::mpsc;
use usher_config::value::Secret;

/// How a broker is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// MQTT 5.
    Five,
    /// MQTT 3.1.1.
    Four,
}

impl Version {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Five => Self::Four,
            Self::Four => Self::Five,
        }
    }
}

/// Where the broker is and who we are there.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
    pub(crate) login: Login,
    /// One per box; a broker knows two connections of one box by it.
    pub(crate) client_id: String,
    /// How it is spoken to first.
    pub(crate) version: Version,
}

type Login = Option<(String, Secret)>;

impl Address {
    /// Of the broker in this process.
    pub(crate) fn of_embedded(host: String, port: u16, login: Login, client_id: String) -> Self {
        Self { host, port, tls: None, login, client_id, version: Version::Four }
    }

    /// Of a broker of the venue's own.
    pub(crate) fn of_another(
        host: String,
        port: u16,
        tls: Option<Arc<rustls::ClientConfig>>,
        login: Login,
        client_id: String,
    ) -> Self {
        Self { host, port, tls, login, client_id, version: Version::Five }
    }
}

/// What is heard of a broker.
pub(super) enum Heard {
    /// It took us in.
    Connected,
    /// Somebody said something that we asked for.
    Said { topic: String, body: Vec<u8>, retained: bool },
    /// The oldest message without a number has this one from now on.
    Numbered(u16),
    /// It answered for the message of this number: it has it, or will not have it.
    Answered { packet: u16, refused: Option<String> },
    /// Our good-bye is said.
    Left,
    /// Nothing that matters.
    Other,
}

pub(super) type Events = mpsc::Receiver<Result<Heard, Broken>>;

/// What is said to it.
pub(super) enum Client {
    Five(v5::AsyncClient),
    Four(rumqttc::AsyncClient),
}

/// Drives a connection; never ends, and is dropped with it.
pub(super) type Pump = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Client {
    /// A new connection whose last will is `will` (topic and body), retained.
    pub(super) fn open(version: Version, address: &Address, will: (String, Vec<u8>)) -> (Self, Events, Pump) {
        // The library's own events come in bursts of at most a window.
        let (sender, events) = mpsc::channel(usize::from(WINDOW));
        let places = usize::from(WINDOW) + 1;
        let mut network = NetworkOptions::new();
        network.set_connection_timeout(PATIENCE.as_secs()).set_tcp_nodelay(true);
        let tls = address.tls.as_ref().map(|tls| Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        let (topic, body) = will;
        match version {
            Version::Five => {
                let mut options = v5::MqttOptions::new(&address.client_id, &address.host, address.port);
                options
                    .set_keep_alive(KEEP_ALIVE)
                    .set_clean_start(true)
                    .set_outgoing_inflight_upper_limit(WINDOW)
                    .set_max_packet_size(Some(PACKET as u32))
                    .set_connection_timeout(PATIENCE.as_secs())
                    .set_network_options(network)
                    .set_last_will(LastWill5::new(topic, body, v5::mqttbytes::QoS::AtLeastOnce, true, None));
                if let Some((user, password)) = &address.login {
                    options.set_credentials(user, password.reveal());
                }
                if let Some(tls) = tls {
                    options.set_transport(tls);
                }
                let (client, mut polled) = v5::AsyncClient::new(options, places);
                let address = address.clone();
                let pump = async move {
                    loop {
                        let event = polled.poll().await.map(heard_by_five).map_err(|error| five(&error, &address));
                        hand_on(event, &sender).await;
                    }
                };
                (Self::Five(client), events, Box::pin(pump))
            }
            Version::Four => {
                let mut options = MqttOptions::new(&address.client_id, &address.host, address.port);
                options
                    .set_keep_alive(KEEP_ALIVE)
                    .set_clean_session(true)
                    .set_inflight(WINDOW)
                    .set_max_packet_size(PACKET, PACKET)
                    .set_last_will(LastWill::new(topic, body, QoS::AtLeastOnce, true));
                if let Some((user, password)) = &address.login {
                    options.set_credentials(user, password.reveal());
                }
                if let Some(tls) = tls {
                    options.set_transport(tls);
                }
                let (client, mut polled) = rumqttc::AsyncClient::new(options, places);
                polled.network_options = network;
                let address = address.clone();
                let pump = async move {
                    loop {
                        let event = polled.poll().await.map(heard_by_four).map_err(|error| four(&error, &address));
                        hand_on(event, &sender).await;
                    }
                };
                (Self::Four(client), events, Box::pin(pump))
            }
        }
    }

    /// Leaves in order, so that the last will stays unsaid; whether that was taken.
    pub(super) fn leave(&self) -> bool {
        match self {
            Self::Five(client) => client.try_disconnect().is_ok(),
            Self::Four(client) => client.try_disconnect().is_ok(),
        }
    }
}

impl mail::Line for &Client {
    fn publish(&mut self, topic: &str, body: Vec<u8>, retained: bool) -> Result<(), String> {
        // The library's queue is as long as the window, so that it is never full here.
        match self {
            Client::Five(client) => client
                .try_publish(topic, v5::mqttbytes::QoS::AtLeastOnce, retained, body)
                .map_err(|error| error.to_string()),
            Client::Four(client) => {
                client.try_publish(topic, QoS::AtLeastOnce, retained, body).map_err(|error| error.to_string())
            }
        }
    }

    // In one packet, since the library's queue has room for one beside the window.
    fn listen(&mut self, alive: String, lanes: String) -> bool {
        match self {
            Client::Five(client) => {
                let asked = [
                    Filter::new(alive, v5::mqttbytes::QoS::AtMostOnce),
                    Filter::new(lanes, v5::mqttbytes::QoS::AtLeastOnce),
                ];
                client.try_subscribe_many(asked).is_ok()
            }
            Client::Four(client) => {
                let asked =
                    [SubscribeFilter::new(alive, QoS::AtMostOnce), SubscribeFilter::new(lanes, QoS::AtLeastOnce)];
                client.try_subscribe_many(asked).is_ok()
            }
        }
    }
}

/// After the last event there is nothing to poll; the library is never dropped half-way through a packet while the connection
/// lives.
async fn hand_on(event: Result<Heard, Broken>, to: &mpsc::Sender<Result<Heard, Broken>>) {
    let is_last = event.is_err();
    if to.send(event).await.is_err() || is_last {
        std::future::pending::<()>().await;
    }
}

fn heard_by_five(event: v5::Event) -> Heard {
    match event {
        v5::Event::Incoming(Packet5::ConnAck(_)) => Heard::Connected,
        v5::Event::Incoming(Packet5::Publish(said)) => Heard::Said {
            topic: String::from_utf8_lossy(&said.topic).into_owned(),
            body: said.payload.to_vec(),
            retained: said.retain,
        },
        v5::Event::Incoming(Packet5::PubAck(ack)) => {
            let is_taken = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
            Heard::Answered { packet: ack.pkid, refused: (!is_taken).then(|| format!("{:?}", ack.reason)) }
        }
        v5::Event::Outgoing(Outgoing::Publish(packet)) => Heard::Numbered(packet),
        v5::Event::Outgoing(Outgoing::Disconnect) => Heard::Left,
        _ => Heard::Other,
    }
}

fn heard_by_four(event: rumqttc::Event) -> Heard {
    match event {
        rumqttc::Event::Incoming(Packet::ConnAck(_)) => Heard::Connected,
        rumqttc::Event::Incoming(Packet::Publish(said)) => {
            Heard::Said { topic: said.topic, body: said.payload.to_vec(), retained: said.retain }
        }
        rumqttc::Event::Incoming(Packet::PubAck(ack)) => Heard::Answered { packet: ack.pkid, refused: None },
        rumqttc::Event::Outgoing(Outgoing::Publish(packet)) => Heard::Numbered(packet),
        rumqttc::Event::Outgoing(Outgoing::Disconnect) => Heard::Left,
        _ => Heard::Other,
    }
}
