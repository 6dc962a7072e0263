//! Who showed their pass: opened for this day, in memory only.
//!
//! Nothing of it is written anywhere. It ends with the event day, with the visitor's own time, when they are forgotten, and
//! with the process.

use crate::gallery::{
    search::Enrolled,
    visitor::{Visitor, VisitorId},
};
use jiff::{ToSpan as _, civil::time, tz::TimeZone};
use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// The hour at which an event day ends, by the box's time zone: late enough for a match with extra time.
const DAY_ENDS: i8 = 4;

/// Most people unlocked at one time; far more than pass a gate in a day.
const MOST: usize = 100_000;

/// The people unlocked now. `Debug` prints their number.
#[derive(Default)]
pub struct Unlocked {
    people: Mutex<HashMap<VisitorId, (Enrolled, SystemTime)>>,
    version: AtomicU64,
}

impl std::fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unlocked({})", self.lock().len())
    }
}

impl Unlocked {
    fn lock(&self) -> MutexGuard<'_, HashMap<VisitorId, (Enrolled, SystemTime)>> {
        self.people.lock().expect("no holder of this lock panics")
    }

    /// Takes somebody in until the event day of `now` ends. False when they were here already.
    pub fn take_in(&self, mut person: Enrolled, now: SystemTime) -> bool {
        let mut people = self.lock();
        let end = day_end(now, &TimeZone::system()).min(person.visitor.expires);
        if people.len() >= MOST || people.contains_key(&person.visitor.id) {
            return false;
        }
        // In every snapshot that is made of this copy, too.
        person.visitor.expires = end;
        people.insert(person.visitor.id, (person, end));
        self.changed();
        true
    }

    /// Lets go of whoever's day is over, and of whoever `is_kept` says is not in the gallery any more.
    pub fn tidy(&self, now: SystemTime, is_kept: impl Fn(VisitorId) -> bool) {
        let mut people = self.lock();
        let before = people.len();
        people.retain(|id, (_, end)| *end > now && is_kept(*id));
        if people.len() < before {
            self.changed();
        }
    }

    /// What somebody told who is unlocked.
    pub fn visitor(&self, id: VisitorId) -> Option<Visitor> {
        self.lock().get(&id).map(|(person, _)| person.visitor.clone())
    }

    /// Everybody unlocked.
    pub fn people(&self) -> Vec<Enrolled> {
        self.lock().values().map(|(person, _)| person.clone()).collect()
    }

    /// A number that changes when somebody comes or goes.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }
}

/// The end of the event day that `now` is in.
fn day_end(now: SystemTime, zone: &TimeZone) -> SystemTime {
    let ends = || -> Result<SystemTime, jiff::Error> {
        let local = jiff::Timestamp::try_from(now)?.to_zoned(zone.clone());
        let today = local.date().to_datetime(time(DAY_ENDS, 0, 0, 0)).to_zoned(zone.clone())?;
        let end = if today > local { today } else { today.checked_add(1.day())? };
        Ok(end.timestamp().into())
    };
    // A clock beyond the calendar: nobody is unlocked for any time.
    ends().unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn at(text: &str) -> SystemTime {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    fn person(n: u128, expires: SystemTime) -> Enrolled {
        let visitor = Visitor::named(VisitorId(Uuid::from_u128(n)), "n", "s", expires);
        Enrolled { visitor, enrolled: SystemTime::UNIX_EPOCH, templates: Vec::new() }
    }

    #[test]
    fn a_day_ends_at_four_in_the_morning_by_the_venues_clock() {
        let zone = TimeZone::get("Asia/Seoul").unwrap();
        assert_eq!(day_end(at("2026-11-23T10:00:00+09:00"), &zone), at("2026-11-24T04:00:00+09:00"));
        assert_eq!(day_end(at("2026-11-24T00:30:00+09:00"), &zone), at("2026-11-24T04:00:00+09:00"));
        assert_eq!(day_end(at("2026-11-24T04:00:00+09:00"), &zone), at("2026-11-25T04:00:00+09:00"));
    }

    #[test]
    fn whoever_is_unlocked_goes_with_the_day_with_their_time_and_with_their_row() {
        let (unlocked, now) = (Unlocked::default(), at("2026-11-23T12:00:00Z"));
        let soon = now + Duration::from_secs(60);
        let later = now + Duration::from_secs(48 * 3600);
        assert!(unlocked.take_in(person(1, soon), now));
        assert!(unlocked.take_in(person(2, later), now));
        assert!(unlocked.take_in(person(3, later), now));
        assert!(!unlocked.take_in(person(3, later), now), "shown again");
        let version = unlocked.version();
        let ids = || {
            let mut ids: Vec<_> = unlocked.people().iter().map(|p| p.visitor.id.0.as_u128()).collect();
            ids.sort_unstable();
            ids
        };
        unlocked.tidy(now, |_| true);
        assert_eq!((ids(), unlocked.version()), (vec![1, 2, 3], version));
        unlocked.tidy(soon, |id| id.0.as_u128() != 2);
        assert_eq!(ids(), [3]);
        unlocked.tidy(now + Duration::from_secs(24 * 3600), |_| true);
        assert_eq!(ids(), [0_u128; 0]);
        assert_ne!(unlocked.version(), version);
    }
}
