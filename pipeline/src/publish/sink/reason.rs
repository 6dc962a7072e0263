//! Why there is no broker, for whoever must mend it.

use crate::publish::sink::mqtt::Address;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

/// Why the connection is lost, in one sentence with its mend, without credentials.
pub(super) fn reason_of(error: &ConnectionError, address: &Address) -> String {
    let at = format!("{}:{}", address.host, address.port);
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => {
            format!("the broker at {at} refuses the login; check publish.broker.login")
        }
        ConnectionError::ConnectionRefused(code) => format!("the broker at {at} refuses the connection ({code:?})"),
        ConnectionError::Tls(reason) => {
            format!("no TLS with the broker at {at} ({reason}); check publish.broker.tls.ca and the certificates")
        }
        ConnectionError::NetworkTimeout
        | ConnectionError::FlushTimeout
        | ConnectionError::MqttState(StateError::AwaitPingResp) => {
            format!("the broker at {at} does not answer")
        }
        ConnectionError::Io(reason) => format!("no connection to the broker at {at} ({reason})"),
        other => format!("the connection to the broker at {at} broke ({other})"),
    }
}
