//! Itinerary: which items, in which order, and when.
//!
//! An orienteering problem with time windows and groups: from a start to one of several ends, at most one item of each
//! group, every item inside one of its windows, the most worth for the least walking and waiting. It knows no visitor
//! and no file; `guide::plan` makes the problem out of a programme, places and wishes.
//!
//! Items that begin at one moment (sessions) are fixed in time, so they cut a day into gaps which have nothing to do with
//! each other but the groups they use. Every gap is solved once by labels (`gap`); the best way through the fixed items
//! is then found best first (`spine`). Both keep every choice that could be part of a best plan, so what comes out is
//! proven best, unless [`solve::Limits`] end the search: then the answer says how far from the best it can be.
//! [`check`] shares no code with all that.

mod bound;
pub mod check;
mod gap;
mod ground;
mod improve;
#[cfg(test)]
mod laws;
pub mod problem;
pub mod solve;
mod spine;
