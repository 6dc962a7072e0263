//! The problem: a start, an end, and what could be done between.
//!
//! Times are whole seconds from any moment, one for all; worth is in marks. Everything is an integer, so that two solvers
//! can agree to the last mark.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Where and when it begins.
    pub start: Start,
    /// Places it may end at; at least one.
    pub ends: Vec<usize>,
    /// When an end must be reached at the latest, seconds.
    pub latest: u32,
    /// What could be done.
    pub items: Vec<Item>,
    /// Seconds on foot from place to place (row: from); `None` where there is no way. Square, of every place that is named.
    pub walks: Vec<Vec<Option<u32>>>,
    /// Marks that a second on foot costs; not less than `waiting`, or a longer way could be worth more.
    pub walking: i64,
    /// Marks that a second between arriving at an item and its beginning costs, 0 or more.
    pub waiting: i64,
}

/// Where and when a plan begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Which place.
    pub place: usize,
    /// Seconds.
    pub time: u32,
}

/// Something that could be done, once at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which place.
    pub place: usize,
    /// How long it lasts, seconds; 1 or more.
    pub duration: u32,
    /// When it may begin, in the order of time, apart from each other. A session has one, of one moment.
    pub windows: Vec<Window>,
    /// What it is worth, marks.
    pub prize: i64,
    /// Of all items of one group, one at most is done: repeats of a session, the restaurants for one lunch.
    pub group: Option<u32>,
    /// Seconds to be there before it begins: a queue at a gate, finding a seat. Nothing for those who are in this place
    /// already.
    pub entry: u32,
}

/// When something may begin, both ends included; seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The earliest beginning.
    pub from: u32,
    /// The latest beginning.
    pub to: u32,
}

/// An answer: what is done, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is done, in the order of time.
    pub visits: Vec<Visit>,
    /// The place it ends at.
    pub end: usize,
    /// When that is reached, seconds.
    pub home: u32,
    /// Prizes less walking and waiting, marks.
    pub value: i64,
}

/// An item that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which item.
    pub item: usize,
    /// When its place is reached, seconds.
    pub arrives: u32,
    /// When it begins, seconds; what lies between is waiting.
    pub begins: u32,
    /// When it ends, seconds.
    pub ends: u32,
}

/// Why a problem is none: a fault of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A place that the table of walks does not have.
    #[error("{what} is at place {place}, of {places} places in `walks`; add a row and a column for it")]
    NoPlace {
        /// Who names it.
        what: Where,
        /// Which.
        place: usize,
        /// How many there are.
        places: usize,
    },
    /// A table that is not square.
    #[error("row {row} of `walks` has {columns} columns for {rows} rows; write one for each place")]
    NotSquare {
        /// Which row.
        row: usize,
        /// How long it is.
        columns: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// Nothing to end at.
    #[error("there is no end; name one place at least in `ends`")]
    NoEnd,
    /// An item that takes no time.
    #[error("item {0} lasts no time; give it a `duration` of 1 second or more")]
    NoTime(usize),
    /// Windows that are out of order, overlap or end before they begin.
    #[error("the windows of item {0} are not in the order of time; sort them, and join those that meet")]
    Windows(usize),
    /// Waiting that costs more than walking, or less than nothing.
    #[error("waiting costs {waiting} and walking {walking} marks a second; write 0 <= waiting <= walking")]
    Costs {
        /// Marks a second.
        waiting: i64,
        /// Marks a second.
        walking: i64,
    },
    /// Numbers so large that sums could overflow.
    #[error("{0} is too large; keep times below 2,000,000 seconds, prizes and costs below 10^12 and 10^6 marks")]
    TooLarge(Where),
}

/// A part of a problem, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "parts of a problem")]
pub enum Where {
    Start,
    End,
    Item(usize),
    Walks,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("the start"),
            Self::End => f.write_str("an end"),
            Self::Item(item) => write!(f, "item {item}"),
            Self::Walks => f.write_str("a walk"),
        }
    }
}

/// Above every time and every way of a problem, so that sums of a few stay far below 2^32.
const LONGEST: u32 = 2_000_000;
/// Above every prize, so that the sum of all of a million items fits 64 bits.
const DEAREST: i64 = 1_000_000_000_000;
/// Above every cost of a second.
const STEEPEST: i64 = 1_000_000;

impl Problem {
    /// Whether it is one.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), Unfit> {
        let places = self.walks.len();
        for (row, columns) in self.walks.iter().map(Vec::len).enumerate() {
            if columns != places {
                return Err(Unfit::NotSquare { row, columns, rows: places });
            }
        }
        let known = |what, place| {
            if place < places { Ok(()) } else { Err(Unfit::NoPlace { what, place, places }) }
        };
        known(Where::Start, self.start.place)?;
        self.ends.iter().try_for_each(|end| known(Where::End, *end))?;
        if self.ends.is_empty() {
            return Err(Unfit::NoEnd);
        }
        if !(0..=self.walking).contains(&self.waiting) {
            return Err(Unfit::Costs { waiting: self.waiting, walking: self.walking });
        }
        let fits = |what, times: &[u32]| {
            if times.iter().all(|time| *time <= LONGEST) { Ok(()) } else { Err(Unfit::TooLarge(what)) }
        };
        fits(Where::Start, &[self.start.time])?;
        fits(Where::End, &[self.latest])?;
        if self.walks.iter().flatten().flatten().any(|walk| *walk > LONGEST) || self.walking > STEEPEST {
            return Err(Unfit::TooLarge(Where::Walks));
        }
        for (index, item) in self.items.iter().enumerate() {
            known(Where::Item(index), item.place)?;
            fits(Where::Item(index), &[item.duration, item.entry])?;
            item.windows.iter().try_for_each(|window| fits(Where::Item(index), &[window.from, window.to]))?;
            if item.prize.unsigned_abs() > DEAREST.unsigned_abs() {
                return Err(Unfit::TooLarge(Where::Item(index)));
            }
            if item.duration == 0 {
                return Err(Unfit::NoTime(index));
            }
            let apart = item.windows.windows(2).all(|pair| pair[0].to < pair[1].from);
            if !apart || item.windows.iter().any(|window| window.to < window.from) {
                return Err(Unfit::Windows(index));
            }
        }
        Ok(())
    }
}
