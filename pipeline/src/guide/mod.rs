//! Guide: what this visitor wants to hear.
//!
//! A visitor named favourite sports and other wishes when enrolling; the guide turns them into what the screen shows and what the
//! visitor's own pages tell. It knows no network and stores nobody; the [`concierge`] is whom `publish` and `web` ask.
//!
//! ```text
//! programme ─┐                                 ┌─► sessions, changes, map
//! places ────┼─► live (last good files) ─► concierge ─► places (near by) ◄─ liking ◄─ flow's counts
//! transit ───┘                                 └─► plan ─► itinerary ─► day ─► calendar
//! ```

pub mod calendar;
pub mod concierge;
pub mod day;
pub mod games;
pub mod itinerary;
pub mod liking;
pub mod live;
pub mod places;
pub mod plan;
pub mod programme;
pub mod remarks;
pub mod retention;
pub mod takeaway;
pub mod ways;
