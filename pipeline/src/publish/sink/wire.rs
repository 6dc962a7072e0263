//! One connection's books: what is sent, and what is acknowledged.

use crate::{
    clock::Moment,
    publish::{acked::Arrived, outbox::Waiting, sink::mail::WINDOW, tray::Perishable},
};
use std::collections::{BTreeMap, VecDeque};
use usher_config::value::Name;
use uuid::Uuid;

/// What was handed to the client library and awaits its acknowledgement.
pub(crate) enum Parcel {
    Visit { seq: u64, id: Uuid, gate: Name, arrived: Option<Arrived> },
    Perishable(Perishable),
    State,
    Farewell,
}

/// One connection's books.
#[derive(Default)]
pub struct Wire {
    pub(crate) is_connected: bool,
    /// Whether the broker was asked for the screens' signs of life.
    pub(crate) listens: bool,
    pub(crate) is_acknowledging: bool,
    /// Read from the outbox, not yet sent.
    pub(crate) visits: VecDeque<Waiting>,
    pub(crate) cursor: u64,
    /// How often the outbox had been blanked when they were read.
    pub(crate) blanked: u64,
    /// Handed over, without a packet id yet; the library numbers them in this order.
    pub(crate) unnumbered: VecDeque<(Parcel, Moment)>,
    pub(crate) numbered: BTreeMap<u16, (Parcel, Moment)>,
    pub(crate) acknowledged: Vec<u64>,
    pub(crate) farewell: bool,
}

impl Wire {
    /// The broker has accepted the connection.
    pub fn connect(&mut self) {
        self.is_connected = true;
    }

    /// Whether it has.
    pub fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// The next message that has no number yet goes out as `packet`.
    pub fn number(&mut self, packet: u16) {
        if let Some(sent) = self.unnumbered.pop_front() {
            self.numbered.insert(packet, sent);
        }
    }

    /// Messages that were handed over and are not acknowledged.
    pub fn in_flight(&self) -> usize {
        self.unnumbered.len() + self.numbered.len()
    }

    /// What was handed over and is not acknowledged.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &(Parcel, Moment)> {
        self.unnumbered.iter().chain(self.numbered.values())
    }

    /// Visits that this connection has taken from the outbox and not yet let go.
    pub(crate) fn visits_held(&self) -> u64 {
        let sent = self.sent().filter(|(parcel, _)| matches!(parcel, Parcel::Visit { .. })).count();
        (sent + self.visits.len() + self.acknowledged.len()) as u64
    }

    /// Whether more may be handed over.
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight() < usize::from(WINDOW)
    }

    /// The connection broke: greetings and faces that were sent over it in vain, oldest first.
    pub(crate) fn perishables(self) -> Vec<Perishable> {
        let mut sent: Vec<(Parcel, Moment)> = self.numbered.into_values().chain(self.unnumbered).collect();
        sent.sort_by_key(|(_, at)| *at);
        let perishable =
            |(parcel, _)| if let Parcel::Perishable(perishable) = parcel { Some(perishable) } else { None };
        sent.into_iter().filter_map(perishable).collect()
    }
}
