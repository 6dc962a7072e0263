//! One connection's books: what is sent, and what is acknowledged.

use crate::{
    clock::Moment,
    publish::{
        acked::Arrived,
        outbox::Waiting,
        sink::{course::WELL, mail::WINDOW},
        tray::Perishable,
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use usher_config::value::Name;
use uuid::Uuid;

/// What was handed to the client library and awaits its acknowledgement.
pub(crate) enum Parcel {
    Visit {
        seq: u64,
        id: Uuid,
        gate: Name,
        topic: String,
        arrived: Option<Arrived>,
    },
    Perishable(Perishable),
    /// A retained state, by its topic.
    State(String),
    Farewell,
}

impl Parcel {
    /// Where it goes; nowhere for a farewell, which is nobody's loss.
    pub(crate) fn topic(&self) -> &str {
        match self {
            Self::Visit { topic, .. } | Self::State(topic) => topic,
            Self::Perishable(perishable) => &perishable.topic,
            Self::Farewell => "",
        }
    }
}

/// What the broker would not have.
pub(crate) struct Refused {
    pub(crate) topic: String,
    /// What is said of it.
    pub(crate) reason: String,
    /// Visits wait then, all of them, so that they come in order.
    pub(crate) is_visit: bool,
    /// When it was last tried.
    pub(crate) at: Moment,
}

/// One connection's books.
#[derive(Default)]
pub struct Wire {
    pub(crate) is_connected: bool,
    /// Since when.
    pub(crate) since: Option<Moment>,
    pub(crate) refused: Option<Refused>,
    /// Whether another client and we throw each other out.
    pub(crate) is_fought_for: bool,
    /// Whether the broker was asked for the screens' signs of life.
    pub(crate) listens: bool,
    pub(crate) is_acknowledging: bool,
    /// When the broker last answered for anything.
    pub(crate) answered: Option<Moment>,
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
    /// Whether the broker has accepted the connection.
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

    /// Whether it has stood for so long that nobody seems to take our place.
    pub(crate) fn stands(&self, now: Moment) -> bool {
        self.since.is_some_and(|since| now.since(since) >= WELL)
    }

    /// Since when the broker owes an answer: a slow link has many messages under way, and is no dead one while answers come.
    pub(crate) fn oldest(&self) -> Option<Moment> {
        let oldest = self.sent().map(|(_, at)| *at).min()?;
        Some(self.answered.map_or(oldest, |answered| oldest.max(answered)))
    }

    /// Whether what is large may be sent as well: not behind something that has been under way for a second.
    pub(crate) fn is_swift(&self, now: Moment) -> bool {
        self.sent().all(|(_, at)| now.since(*at) < Duration::from_secs(1))
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
