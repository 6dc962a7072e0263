//! Trying every camera and the broker, for `usher check --probe`.

use crate::{
    capture::probe::{self, Probed as Camera},
    clock::{Clock, SystemClock},
    publish::sink::tls,
    supervise::spawn,
};
use rumqttc::{Client, Event, MqttOptions, Packet, TlsConfiguration, Transport};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, net::TcpListener, sync::Arc, time::Duration};
use usher_config::{Config, publish::Broker, value::Name};

/// What was tried, and how it went.
pub(crate) struct Probed {
    cameras: BTreeMap<Name, Result<Camera, String>>,
    /// In words what answers, or why it does not.
    broker: Result<String, String>,
}

/// Tries all cameras at once and the broker; returns when the slowest has answered or its time is over.
pub(crate) fn all(config: &Config, timeout: Duration) -> Probed {
    let clock: Arc<dyn Clock> = SystemClock::start();
    let trying: Vec<_> = config
        .cameras
        .iter()
        .map(|(name, camera)| {
            let (own, camera, clock) = (name.clone(), camera.clone(), clock.clone());
            let run = move || probe::probe(&own, &camera, timeout, &clock).map_err(|fault| fault.to_string());
            (name.clone(), spawn(&format!("probe-{name}"), run))
        })
        .collect();
    let broker = broker(config, timeout, &*clock);
    let ended = |_| Err("the attempt ended early; try once more".to_owned());
    let cameras = trying.into_iter().map(|(name, thread)| (name, thread.join().unwrap_or_else(ended))).collect();
    Probed { cameras, broker }
}

impl Probed {
    pub(crate) fn is_ok(&self) -> bool {
        self.broker.is_ok() && self.cameras.values().all(Result::is_ok)
    }

    /// Each camera in words: what answers, or why it does not.
    pub(crate) fn cameras(&self) -> impl Iterator<Item = (&Name, Result<String, String>)> {
        self.cameras.iter().map(|(name, found)| (name, found.as_ref().map(words).map_err(Clone::clone)))
    }

    /// The broker, likewise.
    pub(crate) fn broker(&self) -> Result<&str, &str> {
        self.broker.as_deref().map_err(String::as_str)
    }

    /// `cameras` and `broker` of the JSON answer.
    pub(crate) fn to_json(&self) -> (Value, Value) {
        let camera = |found: &Result<Camera, String>| match found {
            Ok(camera) => json!({
                "ok": true,
                "width": camera.width,
                "height": camera.height,
                "format": camera.format,
                "fps": camera.fps,
                "first_frame_ms": u64::try_from(camera.first_frame.as_millis()).unwrap_or(u64::MAX),
            }),
            Err(reason) => json!({ "ok": false, "reason": reason }),
        };
        let cameras: serde_json::Map<String, Value> =
            self.cameras.iter().map(|(name, found)| (name.to_string(), camera(found))).collect();
        let broker = match &self.broker {
            Ok(found) => json!({ "ok": true, "found": found }),
            Err(reason) => json!({ "ok": false, "reason": reason }),
        };
        (Value::Object(cameras), broker)
    }
}

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, found) in self.cameras() {
            let (Ok(text) | Err(text)) = found;
            writeln!(f, "camera {name}: {text}")?;
        }
        let (Ok(text) | Err(text)) = &self.broker;
        write!(f, "broker: {text}")
    }
}

fn words(camera: &Camera) -> String {
    let Camera { width, height, format, fps, first_frame } = camera;
    format!("{width}x{height} {format}, {fps:.1} frames/s, first after {:.1} s", first_frame.as_secs_f64())
}

/// Whether the embedded broker can have its ports, or the external one accepts us.
fn broker(config: &Config, timeout: Duration, clock: &dyn Clock) -> Result<String, String> {
    match &config.publish.broker {
        Broker::Embedded { listen, websocket } => {
            for address in [listen, websocket] {
                TcpListener::bind(address).map_err(|error| {
                    format!("{address} cannot be had ({error}); stop what listens there (usher itself?), or choose another port")
                })?;
            }
            Ok(format!("embedded, {listen} and {websocket} are free"))
        }
        Broker::External { host, port, tls, login, .. } => {
            let mut options = MqttOptions::new(format!("usher-check-{}", std::process::id()), host, *port);
            if let Some(login) = login {
                options.set_credentials(&login.user, login.password.reveal());
            }
            if let Some(files) = tls {
                let client = tls::client(files).map_err(|error| error.to_string())?;
                options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(client)));
            }
            // Nothing is ever sent, so one place is plenty.
            let (_client, mut connection) = Client::new(options, 1);
            let begun = clock.now();
            loop {
                let left = timeout.saturating_sub(clock.now().since(begun));
                match connection.recv_timeout(left) {
                    Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => return Ok(format!("{host}:{port} accepts usher")),
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        return Err(format!(
                            "{host}:{port} does not accept usher ({error}); check address, login and certificates"
                        ));
                    }
                    Err(_) => {
                        let waited = timeout.as_secs();
                        return Err(format!(
                            "{host}:{port} did not answer within {waited} s; check address and network"
                        ));
                    }
                }
            }
        }
    }
}
