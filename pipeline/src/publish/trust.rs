//! Trust: which events somebody who acts on them believes.
//!
//! A signature says who spoke, and where. That it was said just now, and not heard before, is for the listener to remember: ids
//! until they expire, and of states how new the newest was. `pipeline/web/signage/trust.ts` does the same on screens.

use crate::publish::{
    signature::{PublicKey, is_signed},
    topic::{is_perishable, is_within},
};
use jiff::Timestamp;
use serde::Deserialize;
use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

/// How far ahead of the listener's clock a box's may be.
pub const AHEAD: Duration = Duration::from_secs(60);

/// Believes what boxes with certain keys say, once.
#[derive(Debug)]
pub struct Listener {
    keys: Vec<PublicKey>,
    filter: String,
    most_age: Duration,
    /// Events for the moment that were believed, until when each could be again.
    heard: HashMap<String, SystemTime>,
    /// Of each topic and box, when the newest state was told.
    newest: HashMap<(String, String), Timestamp>,
    swept: SystemTime,
}

/// Why an event is not believed. Nothing of it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// On a topic that was not asked for.
    #[error("it came on another topic than was asked for")]
    Elsewhere,
    /// No signature.
    #[error("it is not signed")]
    Unsigned,
    /// Not signed by one of the keys for this topic, or changed.
    #[error("it is changed, of another topic, or signed by nobody whose key is known here")]
    Forged,
    /// Signed, and no event.
    #[error("it is no event of usher")]
    Unreadable,
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// Older than asked for.
    #[error("it is older than may be")]
    Old,
    /// Said in the future.
    #[error("it is of the future; compare the clocks of this machine and of the box")]
    Ahead,
    /// Believed before, or a state that a newer one has replaced.
    #[error("it was heard before")]
    Replayed,
}

/// What of an event says whether it may be believed.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    source: String,
    time: Timestamp,
    expiresat: Option<Timestamp>,
}

impl Listener {
    /// Whoever believes these `keys` on topics within `filter`, about moments no longer ago than `most_age`.
    pub fn new(keys: Vec<PublicKey>, filter: &str, most_age: Duration) -> Self {
        let (heard, newest) = (HashMap::new(), HashMap::new());
        Self { keys, filter: filter.to_owned(), most_age, heard, newest, swept: SystemTime::UNIX_EPOCH }
    }

    /// Whether the `body` that came on `topic` is to be believed at `now`; remembered, if it is.
    ///
    /// # Errors
    /// Why it is not.
    pub fn believe(&mut self, topic: &str, body: &[u8], now: SystemTime) -> Result<(), Refused> {
        if !is_within(topic, &self.filter) {
            return Err(Refused::Elsewhere);
        }
        if !is_signed(body) {
            return Err(Refused::Unsigned);
        }
        if !self.keys.iter().any(|key| key.has_signed(topic, body)) {
            return Err(Refused::Forged);
        }
        let Envelope { id, source, time, expiresat } = serde_json::from_slice(body).map_err(|_| Refused::Unreadable)?;
        if SystemTime::from(time) > now + AHEAD {
            return Err(Refused::Ahead);
        }
        match expiresat {
            Some(end) => self.moment(id, time.into(), end.into(), now),
            None if is_perishable(topic) || topic.ends_with("/visit") => Err(Refused::Unreadable),
            None => self.state((topic.to_owned(), source), time),
        }
    }

    fn moment(&mut self, id: String, said: SystemTime, end: SystemTime, now: SystemTime) -> Result<(), Refused> {
        if end <= now {
            return Err(Refused::Expired);
        }
        if now.duration_since(said).is_ok_and(|age| age > self.most_age) {
            return Err(Refused::Old);
        }
        // Looked through once a minute at most: whoever floods costs a signature each, not a walk through the memory.
        if now.duration_since(self.swept).is_ok_and(|since| since > AHEAD) {
            self.heard.retain(|_, end| *end > now);
            self.swept = now;
        }
        let end = end.min(said + self.most_age + AHEAD);
        if self.heard.insert(id, end).is_some() { Err(Refused::Replayed) } else { Ok(()) }
    }

    /// A state may be told again, by whoever keeps it for those who come later; an older one may not come after it.
    fn state(&mut self, whose: (String, String), time: Timestamp) -> Result<(), Refused> {
        let newest = self.newest.entry(whose).or_insert(time);
        if time < *newest {
            return Err(Refused::Replayed);
        }
        *newest = time;
        Ok(())
    }
}
