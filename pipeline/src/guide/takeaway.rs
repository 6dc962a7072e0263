//! Keys by which a visitor takes the day along: what the QR code on a big screen holds.
//!
//! Everybody near a screen can photograph it, so it never shows the secret of a pass. A key of its own opens the day's plan and
//! nothing else: no name, no face, nothing to forget anybody by. Keys live in memory, until the day ends or the power goes; whoever
//! holds a pass finds the same plan behind that. Beside the key lies the day that was told last, so that the next plan keeps what can be
//! kept.

use crate::{gallery::visitor::VisitorId, guide::day::Day};
use data_encoding::BASE32_NOPAD;
use rand::{TryRng, rngs::SysRng};
use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, SystemTime},
};

/// Bytes of a key: 80 bits, far beyond what can be tried at a few tries a second; short, so that the symbol is coarse.
const BYTES: usize = 10;

/// Letters of a key in base32 (RFC 4648, no padding).
pub const LETTERS: usize = 16;

/// How long a key opens something: an event day.
const LASTS: Duration = Duration::from_secs(18 * 3600);

/// Keys that are kept: more visitors than a box greets in a day.
const MOST: usize = 50_000;

/// The keys that were given out. `Debug` prints none of them.
#[derive(Default)]
pub struct TakeAway {
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    owner: HashMap<[u8; BYTES], (VisitorId, SystemTime)>,
    of: HashMap<VisitorId, [u8; BYTES]>,
    told: HashMap<VisitorId, (Day, SystemTime)>,
}

impl std::fmt::Debug for TakeAway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TakeAway(…)")
    }
}

impl Keys {
    fn drop_over(&mut self, now: SystemTime) {
        self.owner.retain(|_, (_, until)| *until > now);
        let owner = &self.owner;
        self.of.retain(|_, key| owner.contains_key(key));
        self.told.retain(|_, (_, until)| *until > now);
    }
}

impl TakeAway {
    /// The key of a visitor: the one they were given today, else a new one. `None` where the system has no randomness to give, or
    /// more keys are out than a box has visitors.
    pub fn key_of(&self, visitor: VisitorId, now: SystemTime) -> Option<String> {
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        let given = keys.of.get(&visitor).copied();
        let is_good = |key: &[u8; BYTES]| keys.owner.get(key).is_some_and(|(_, until)| *until > now);
        if let Some(key) = given.filter(is_good) {
            return Some(BASE32_NOPAD.encode(&key));
        }
        if keys.owner.len() >= MOST {
            keys.drop_over(now);
        }
        if keys.owner.len() >= MOST {
            return None;
        }
        let mut key = [0; BYTES];
        SysRng.try_fill_bytes(&mut key).ok()?;
        if let Some(old) = keys.of.insert(visitor, key) {
            keys.owner.remove(&old);
        }
        keys.owner.insert(key, (visitor, now + LASTS));
        Some(BASE32_NOPAD.encode(&key))
    }

    /// The day that a visitor was told last, if that was today.
    pub fn told(&self, visitor: VisitorId, now: SystemTime) -> Option<Day> {
        let keys = self.keys.lock().expect("no holder of this lock panics");
        keys.told.get(&visitor).filter(|(_, until)| *until > now).map(|(day, _)| day.clone())
    }

    /// Remembers the day that a visitor is told.
    pub fn tell(&self, visitor: VisitorId, day: &Day, now: SystemTime) {
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        if keys.told.len() >= MOST {
            keys.drop_over(now);
        }
        if keys.told.len() < MOST || keys.told.contains_key(&visitor) {
            keys.told.insert(visitor, (day.clone(), now + LASTS));
        }
    }

    /// Drops everything of those who are gone, as `is_here` says.
    pub fn keep(&self, is_here: impl Fn(VisitorId) -> bool) {
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        keys.told.retain(|visitor, _| is_here(*visitor));
        let gone: Vec<VisitorId> = keys.of.keys().copied().filter(|visitor| !is_here(*visitor)).collect();
        for visitor in gone {
            if let Some(key) = keys.of.remove(&visitor) {
                keys.owner.remove(&key);
            }
        }
    }

    /// Whose day a key opens, and until when.
    pub fn owner(&self, key: &str, now: SystemTime) -> Option<(VisitorId, SystemTime)> {
        let plain = BASE32_NOPAD.decode(key.trim().to_ascii_uppercase().as_bytes()).ok()?;
        let key: [u8; BYTES] = plain.try_into().ok()?;
        let keys = self.keys.lock().expect("no holder of this lock panics");
        keys.owner.get(&key).copied().filter(|(_, until)| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn at(hours: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(hours * 3600)
    }

    #[test]
    fn a_visitor_has_one_key_a_day_and_it_opens_only_theirs() {
        let (keys, one, other) = (TakeAway::default(), VisitorId(Uuid::new_v4()), VisitorId(Uuid::new_v4()));
        let key = keys.key_of(one, at(0)).unwrap();
        assert_eq!(key.len(), LETTERS);
        assert_eq!(keys.key_of(one, at(1)).unwrap(), key);
        assert_ne!(keys.key_of(other, at(1)).unwrap(), key);
        assert_eq!(keys.owner(&key.to_lowercase(), at(1)), Some((one, at(18))));
    }

    #[test]
    fn a_key_ends_with_the_day() {
        let (keys, one) = (TakeAway::default(), VisitorId(Uuid::new_v4()));
        let key = keys.key_of(one, at(0)).unwrap();
        assert_eq!(keys.owner(&key, at(18)), None);
        let next = keys.key_of(one, at(18)).unwrap();
        assert_ne!(next, key);
        assert_eq!(keys.owner(&next, at(19)), Some((one, at(36))));
        assert_eq!(keys.owner(&key, at(1)), None, "the old key is gone, whatever the clock says");
    }

    #[test]
    fn whoever_is_forgotten_leaves_nothing_here() {
        let (keys, gone, stays) = (TakeAway::default(), VisitorId(Uuid::new_v4()), VisitorId(Uuid::new_v4()));
        let (lost, kept) = (keys.key_of(gone, at(0)).unwrap(), keys.key_of(stays, at(0)).unwrap());
        [gone, stays].iter().for_each(|visitor| keys.tell(*visitor, &Day::default(), at(0)));
        keys.keep(|visitor| visitor == stays);
        assert_eq!((keys.owner(&lost, at(1)), keys.told(gone, at(1))), (None, None));
        assert!(keys.owner(&kept, at(1)).is_some() && keys.told(stays, at(1)).is_some());
    }

    #[test]
    fn what_is_no_key_opens_nothing() {
        let keys = TakeAway::default();
        keys.key_of(VisitorId(Uuid::new_v4()), at(0)).unwrap();
        for text in ["", "AAAAAAAAAAAAAAAA", "not a key", "A", &"A".repeat(26), "ÄÄÄÄÄÄÄÄ"] {
            assert_eq!(keys.owner(text, at(0)), None, "{text}");
        }
    }
}
