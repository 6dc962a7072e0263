//! The network and the broker: connections that delay, break, fall silent, and a broker that is killed.

use std::{collections::BTreeMap, time::Duration};
use usher::publish::sink::mail::Line;

/// How the way to the broker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// Messages come through, acknowledgements too.
    #[default]
    Open,
    /// Nothing comes through, and nobody is told.
    Dark,
    /// What is sent comes through; nothing comes back.
    HalfClosed,
}

/// A message on its way.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

/// A connection as both ends see it.
#[derive(Default)]
pub(crate) struct Connection {
    pub(crate) number: u32,
    /// Whether the broker's side still has it.
    pub(crate) is_open: bool,
    /// Sent, by packet, until acknowledged.
    pub(crate) sent: BTreeMap<u16, Message>,
    /// When the last message arrives: one connection keeps its order.
    pub(crate) arrives: Duration,
    /// When the last acknowledgement does.
    pub(crate) returns: Duration,
    packet: u16,
}

/// Packets of one connection: as many numbers as may be in flight.
const PACKETS: u16 = 64;

impl Connection {
    pub(crate) fn of(number: u32) -> Self {
        Self { number, ..Self::default() }
    }

    /// The next free number of a packet.
    pub(crate) fn packet(&mut self) -> u16 {
        for _ in 0..=PACKETS {
            self.packet = self.packet % PACKETS + 1;
            if !self.sent.contains_key(&self.packet) {
                break;
            }
        }
        self.packet
    }
}

/// The broker, and the way there.
#[derive(Default)]
pub(crate) struct Net {
    pub(crate) way: Way,
    pub(crate) is_broker_up: bool,
    /// Whether the broker takes what comes and acknowledges nothing.
    pub(crate) is_mute: bool,
    /// Longest time on the way, milliseconds.
    pub(crate) slow_ms: u64,
    pub(crate) connection: Connection,
}

/// What one round handed over, before the network has it.
#[derive(Default)]
pub(crate) struct Handed(pub(crate) Vec<Message>);

impl Line for Handed {
    fn publish(&mut self, topic: &str, body: Vec<u8>, _retained: bool) -> Result<(), String> {
        let kind = topic.rsplit('/').next().unwrap_or(topic).to_owned();
        self.0.push(Message { kind, body });
        Ok(())
    }

    fn listen(&mut self, _alive: String, _lanes: String) -> bool {
        true
    }
}
