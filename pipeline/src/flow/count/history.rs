//! Rows of a record, added up to minutes.

use crate::flow::{
    count::{
        record::{Row, Seen},
        tally::Minute,
    },
    told::Counting,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use usher_config::{count::Side, value::Name};

/// What is known of one minute of one gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// People who entered, as far as somebody saw.
    pub entered: u32,
    /// People who left, likewise.
    pub left: u32,
    /// How much of the gate was seen, once the minute is closed.
    pub closed: Option<Counting>,
    again: bool,
}

impl Told {
    /// Adds a row of the same minute.
    pub fn add(&mut self, entered: u32, left: u32, seen: Seen) {
        (self.entered, self.left) = (self.entered + entered, self.left + left);
        // A minute that comes a second time, since the wall jumped back, is nobody's whole one.
        self.again |= self.closed.is_some();
        if let Seen::Told(counting) = seen {
            self.closed = Some(counting);
        }
    }

    /// The minute's figure; a gap where it was not seen, not closed, or came twice. `both_ways`: whether anybody counts who leaves.
    pub fn minute(&self, at: Timestamp, both_ways: bool) -> Minute {
        let counting = self.closed.filter(|_| !self.again).unwrap_or(Counting::None);
        let told = counting != Counting::None;
        Minute { at, entered: told.then_some(self.entered), left: (told && both_ways).then_some(self.left), counting }
    }
}

/// Minutes by gate, as rows tell them.
#[derive(Debug, Default)]
pub struct History {
    gates: BTreeMap<Name, BTreeMap<Timestamp, Told>>,
}

impl History {
    /// Adds a row; answers with what its minute has come to.
    pub fn add(&mut self, row: &Row) -> Told {
        let told = self.gates.entry(row.gate.clone()).or_default().entry(row.at).or_default();
        told.add(row.entered, row.left, row.seen);
        *told
    }

    /// Those of `rows`, at the gates; who came to the back of a queue has entered nothing yet.
    pub fn of(rows: &[Row]) -> Self {
        let mut history = Self::default();
        for row in rows.iter().filter(|row| row.side == Side::Gate) {
            history.add(row);
        }
        history
    }

    /// The gates with any row.
    pub fn gates(&self) -> impl Iterator<Item = &Name> {
        self.gates.keys()
    }

    /// What is known of every minute of `gate` that has a row.
    pub fn told(&self, gate: &Name) -> impl Iterator<Item = (Timestamp, Told)> {
        self.gates.get(gate).into_iter().flatten().map(|(at, told)| (*at, *told))
    }

    /// Every minute of `gate` from the first to the last with a row, those without one as gaps. Where a gate never saw anybody
    /// leave, nobody counts who leaves, unless it is among `both_ways`.
    pub fn minutes(&self, gate: &Name, both_ways: &BTreeSet<Name>) -> Vec<Minute> {
        let Some(minutes) = self.gates.get(gate) else { return Vec::new() };
        let both_ways = both_ways.contains(gate) || minutes.values().any(|told| told.left > 0);
        let (Some(first), Some(last)) = (minutes.keys().next(), minutes.keys().next_back()) else { return Vec::new() };
        let names = std::iter::successors(Some(*first), |at| at.checked_add(SignedDuration::from_mins(1)).ok());
        let minute = |at: Timestamp| minutes.get(&at).copied().unwrap_or_default().minute(at, both_ways);
        names.take_while(|at| at <= last).map(minute).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: &str, entered: u32, seen: Seen) -> Row {
        Row { at: at.parse().unwrap(), gate: Name::new("b").unwrap(), entered, left: 0, seen, side: Side::Gate }
    }

    #[test]
    fn a_minute_without_a_row_or_without_an_end_is_a_gap() {
        let whole = Seen::Told(Counting::Whole);
        let rows = [
            row("2026-07-24T16:03:00Z", 4, Seen::Open),
            row("2026-07-24T16:03:00Z", 3, whole),
            row("2026-07-24T16:05:00Z", 2, Seen::Open),
            row("2026-07-24T16:06:00Z", 0, whole),
        ];
        let minutes = History::of(&rows).minutes(&Name::new("b").unwrap(), &BTreeSet::new());
        let entered: Vec<Option<u32>> = minutes.iter().map(|minute| minute.entered).collect();
        assert_eq!(entered, [Some(7), None, None, Some(0)]);
        assert!(minutes.iter().all(|minute| minute.left.is_none()), "nobody counts who leaves");
    }

    #[test]
    fn a_minute_that_came_twice_is_a_gap() {
        let mut told = Told::default();
        told.add(5, 0, Seen::Told(Counting::Whole));
        told.add(2, 0, Seen::Open);
        assert_eq!(told.minute(Timestamp::UNIX_EPOCH, true).entered, None);
    }
}
