//! Somebody at the broker who may read everything.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(dead_code, reason = "each user of this file needs a part of it")]

use crate::gate::Box;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::{
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// An integrator's client, subscribed to all of usher's topics.
pub(crate) struct Listener {
    client: Client,
    arrived: Receiver<(String, Vec<u8>)>,
    heard: Vec<(String, Vec<u8>)>,
}

impl Listener {
    /// Signs in with the integrator's password and waits until the subscription stands.
    pub(crate) fn of_everything(gate: &Box) -> Self {
        let password = std::fs::read_to_string(gate.data().join("integrator.password")).unwrap();
        Self::with(gate, Some(password.trim()))
    }

    /// Where the site's own broker is at the gate's MQTT address, and asks nobody who they are.
    pub(crate) fn of_everything_elsewhere(gate: &Box) -> Self {
        Self::with(gate, None)
    }

    fn with(gate: &Box, password: Option<&str>) -> Self {
        let mut options = MqttOptions::new("test-listener", gate.mqtt.ip().to_string(), gate.mqtt.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        if let Some(password) = password {
            options.set_credentials("integrator", password);
        }
        let (client, mut connection) = Client::new(options, 64);
        client.subscribe("usher/v1/test/#", QoS::AtLeastOnce).unwrap();
        let (tell, arrived) = channel();
        let (stands, standing) = channel();
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::SubAck(ack))) => drop(stands.send(ack)),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        if tell.send((publish.topic, publish.payload.to_vec())).is_err() {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        let ack = standing.recv_timeout(Duration::from_secs(20)).expect("the broker answers the integrator");
        let granted = |code: &rumqttc::SubscribeReasonCode| matches!(code, rumqttc::SubscribeReasonCode::Success(_));
        assert!(ack.return_codes.iter().all(granted), "the integrator may read everything: {ack:?}");
        Self { client, arrived, heard: Vec::new() }
    }

    /// Says something itself, as the integrator.
    pub(crate) fn publish(&self, topic: &str, retain: bool, body: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, body).unwrap();
    }

    /// Topic and body of everything so far.
    pub(crate) fn heard(&mut self) -> &[(String, Vec<u8>)] {
        self.heard.extend(self.arrived.try_iter());
        &self.heard
    }

    /// The first body on `topic`, as JSON.
    pub(crate) fn wait_for(&mut self, topic: &str, patience: Duration) -> serde_json::Value {
        let begun = Instant::now();
        loop {
            if let Some((_, body)) = self.heard().iter().find(|(heard, _)| heard == topic) {
                return serde_json::from_slice(body).expect("events are JSON");
            }
            assert!(begun.elapsed() < patience, "nothing came on {topic}; heard {:?}", self.topics());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn topics(&self) -> Vec<&str> {
        self.heard.iter().map(|(topic, _)| topic.as_str()).collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _gone = self.client.disconnect();
    }
}
