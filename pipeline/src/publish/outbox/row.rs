//! A row: one event that is kept until it is acknowledged.

use crate::{gallery::visitor::VisitorId, publish::acked::Arrived};
use std::{sync::Arc, time::SystemTime};
use usher_config::value::Name;
use uuid::Uuid;

/// What a row is; its name in the table and in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A [`crate::publish::payload::Visit`].
    Visit,
}

impl Kind {
    /// As the table and metrics write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visit => "visit",
        }
    }
}

/// One event to be kept until it is acknowledged.
#[derive(Clone, Debug)]
pub struct Row {
    /// The visit's id.
    pub id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// At which gate.
    pub gate: Name,
    /// Who; remembered for the quiet time, see [`crate::publish::outbox::Outbox::recent_visits`].
    pub visitor: VisitorId,
    /// Where it goes.
    pub topic: String,
    /// What is sent.
    pub body: Arc<[u8]>,
    /// When it was decided.
    pub decided: SystemTime,
    /// Given up and counted from then on.
    pub keep_until: SystemTime,
    /// Arrival of its looks. `None` for rows of an earlier process: its steady clock is gone.
    pub arrived: Option<Arrived>,
}

/// A row and its place in the order of decision.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Grows from row to row; unique while un-acknowledged rows exist.
    pub seq: u64,
    /// The row.
    pub row: Row,
}

/// A visit of the near past: what decide must remember over a restart. Opaque ids only.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// Where.
    pub gate: Name,
    /// Who.
    pub visitor: VisitorId,
    /// When.
    pub decided: SystemTime,
}
