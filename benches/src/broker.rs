//! A real mosquitto, and an ear at it.

use crate::process::free;
use anyhow::Context;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::{
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// A broker on loopback; ended on drop.
pub(crate) struct Mosquitto {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Mosquitto {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let address = free();
        let mut command = Command::new("mosquitto");
        let command = command.args(["-p", &address.port().to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().context("mosquitto; install it with `make test-packages`")?;
        let broker = Self { address, process };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            anyhow::ensure!(begun.elapsed() < Duration::from_secs(10), "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(broker)
    }

    /// Whatever is published on `topic` from now on, as JSON.
    pub(crate) fn listen(&self, topic: &str) -> anyhow::Result<Receiver<serde_json::Value>> {
        let mut options = MqttOptions::new("bench-ear", self.address.ip().to_string(), self.address.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 64);
        client.subscribe(topic, QoS::AtLeastOnce)?;
        let ((tell, heard), (stands, standing)) = (channel(), channel());
        std::thread::spawn(move || {
            // The connection lives as long as its client.
            let _client = client;
            for event in connection.iter() {
                let told = match event {
                    Ok(Event::Incoming(Packet::SubAck(_))) => {
                        let _first = stands.send(());
                        true
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        serde_json::from_slice(&publish.payload).is_ok_and(|body| tell.send(body).is_ok())
                    }
                    Ok(_) => true,
                    Err(_) => false,
                };
                if !told {
                    return;
                }
            }
        });
        standing.recv_timeout(Duration::from_secs(10)).context("mosquitto grants no subscription")?;
        Ok(heard)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
