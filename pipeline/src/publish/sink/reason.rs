//! Why there is no broker, for whoever must mend it.

use crate::publish::sink::line::Address;
use rumqttc::{
    ConnectReturnCode, ConnectionError, StateError,
    v5::{
        self,
        mqttbytes::v5::{ConnectReturnCode as Code5, DisconnectReasonCode as Left5},
    },
};

/// How a connection broke.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// In one sentence with its mend, without credentials.
    pub reason: String,
    /// What it means for the next try.
    pub how: How,
}

/// What a break means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nobody is there, or the login is wrong.
    Away,
    /// Somebody is there who may not know how we speak; where that is not known yet, the other version is tried.
    Spoken,
    /// Somebody else has our client id now; to come back at once would throw them out, and so on for ever.
    TakenOver,
}

impl Broken {
    /// Nobody is there.
    pub fn away(reason: String) -> Self {
        Self { reason, how: How::Away }
    }
}

fn broken(how: How, reason: String) -> Broken {
    Broken { reason, how }
}

fn at(address: &Address) -> String {
    format!("{}:{}", address.host, address.port)
}

/// Two clients with one id throw each other out.
pub(super) fn taken_over(address: &Address) -> String {
    let (at, id) = (at(address), &address.client_id);
    format!(
        "another client comes to the broker at {at} as `{id}` and is given our place; give each box a host name of its own, and nobody else this client id"
    )
}

/// A broker that hangs up on us, and does not say why.
pub(super) fn cut_short(address: &Address) -> String {
    let (at, id) = (at(address), &address.client_id);
    format!(
        "the broker at {at} hangs up on usher again and again; perhaps another client comes as `{id}` too (give each box a host name of its own), or the broker forbids what usher publishes (docs/brokers)"
    )
}

/// A topic that may not be published to.
pub(super) fn refused(address: &Address, topic: &str, why: &str) -> String {
    let at = at(address);
    format!(
        "the broker at {at} does not take what is published to {topic} ({why}); let usher publish there (docs/brokers)"
    )
}

fn of_login(address: &Address) -> Broken {
    let at = at(address);
    broken(How::Away, format!("the broker at {at} refuses the login; check publish.broker.login"))
}

fn of_tls(error: &rumqttc::TlsError, address: &Address) -> Broken {
    let at = at(address);
    let reason = format!("no TLS with the broker at {at} ({error}); check publish.broker.tls.ca and the certificates");
    broken(How::Away, reason)
}

fn of_io(reason: &std::io::Error, address: &Address) -> Broken {
    let how = if reason.kind() == std::io::ErrorKind::ConnectionRefused { How::Away } else { How::Spoken };
    broken(how, format!("no connection to the broker at {} ({reason})", at(address)))
}

fn silent(address: &Address) -> Broken {
    broken(How::Spoken, format!("the broker at {} does not answer", at(address)))
}

/// By 3.1.1.
pub(super) fn four(error: &ConnectionError, address: &Address) -> Broken {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => of_login(address),
        ConnectionError::ConnectionRefused(code) => {
            broken(How::Spoken, format!("the broker at {} refuses the connection ({code:?})", at(address)))
        }
        ConnectionError::Tls(reason) => of_tls(reason, address),
        ConnectionError::NetworkTimeout
        | ConnectionError::FlushTimeout
        | ConnectionError::MqttState(StateError::AwaitPingResp) => silent(address),
        ConnectionError::Io(reason) => of_io(reason, address),
        other => broken(How::Spoken, format!("the connection to the broker at {} broke ({other})", at(address))),
    }
}

/// By MQTT 5.
pub(super) fn five(error: &v5::ConnectionError, address: &Address) -> Broken {
    match error {
        v5::ConnectionError::ConnectionRefused(
            Code5::BadUserNamePassword | Code5::NotAuthorized | Code5::BadAuthenticationMethod,
        ) => of_login(address),
        v5::ConnectionError::ConnectionRefused(code) => {
            broken(How::Spoken, format!("the broker at {} refuses the connection ({code:?})", at(address)))
        }
        v5::ConnectionError::Tls(reason) => of_tls(reason, address),
        v5::ConnectionError::Timeout(_) | v5::ConnectionError::MqttState(v5::StateError::AwaitPingResp) => {
            silent(address)
        }
        v5::ConnectionError::Io(reason) | v5::ConnectionError::MqttState(v5::StateError::Io(reason)) => {
            of_io(reason, address)
        }
        v5::ConnectionError::MqttState(v5::StateError::ServerDisconnect {
            reason_code: Left5::SessionTakenOver,
            ..
        }) => broken(How::TakenOver, taken_over(address)),
        v5::ConnectionError::MqttState(v5::StateError::ServerDisconnect { reason_code, .. }) => {
            broken(How::Away, format!("the broker at {} ended the connection ({reason_code:?})", at(address)))
        }
        other => broken(How::Spoken, format!("the connection to the broker at {} broke ({other})", at(address))),
    }
}
