//! How broker and screens are reached, as configured.

use crate::publish::{
    PublishError, Screens, WebSocket,
    access::{self, INTEGRATOR, Passwords, SCREEN},
    broker::{EmbeddedBroker, password_in},
    sink::{line::Address, tls},
    topic::Topics,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use usher_config::{
    publish::{Broker, Publish},
    value::Secret,
};
use uuid::Uuid;

pub(super) type Reached = (Address, Screens, Option<EmbeddedBroker>);

/// Starts the embedded broker, where there is one.
pub(super) fn broker_of(
    settings: &Publish,
    topics: &Topics,
    data: &std::path::Path,
    client_id: String,
) -> Result<Reached, PublishError> {
    match &settings.broker {
        Broker::Embedded { listen, websocket } => {
            let is_open = !(listen.ip().is_loopback() && websocket.ip().is_loopback());
            let screen = is_open.then(|| password_in(&data.join("screen.password"))).transpose()?;
            let usher = Secret::new(Uuid::new_v4().to_string());
            let integrator = password_in(&data.join(format!("{INTEGRATOR}.password")))?;
            let passwords = Passwords { usher: usher.clone(), screen: screen.clone(), integrator };
            let broker =
                EmbeddedBroker::start(*listen, *websocket, topics.clone(), Arc::new(passwords), settings.greeting)?;
            let host = match broker.tcp.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
                ip => ip.to_string(),
            };
            let login = Some((access::USHER.to_owned(), usher));
            let address = Address::of_embedded(host, broker.tcp.port(), login, client_id);
            let at = broker.websocket;
            let reach = if at.ip().is_unspecified() {
                WebSocket::SameHost(at.port())
            } else {
                WebSocket::At(format!("ws://{at}/mqtt"))
            };
            let login = screen.filter(|_| !at.ip().is_loopback()).map(|password| (SCREEN.to_owned(), password));
            let screens = Screens { websocket: Some(reach), login, topics: topics.for_screens() };
            Ok((address, screens, Some(broker)))
        }
        Broker::External { host, port, tls, login, websocket } => {
            let tls = tls.as_ref().map(tls::client).transpose()?;
            let login = login.as_ref().map(|login| (login.user.clone(), login.password.clone()));
            let address = Address::of_another(host.clone(), *port, tls, login, client_id);
            let websocket = websocket.clone().map(WebSocket::At);
            Ok((address, Screens { websocket, login: None, topics: topics.for_screens() }, None))
        }
    }
}
