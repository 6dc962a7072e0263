//! Guide: what this visitor wants to hear.
//!
//! A visitor named a favourite sport when enrolling; the guide turns that into what the screen shows. It is asked by
//! `publish` when a greeting is made, knows no visitor and no network, and answers from files that were read at start.
//!
//! Today it answers with the next sessions of a sport ([`programme`]). Its further rooms, when an issue builds them:
//! - `places`: where a session's place is and the way there from a gate, read like the programme (a file of its own,
//!   `usher_config::document::read`), asked with gate and place;
//! - `itinerary`: which sessions fit together, with ways and pauses between them, asked with what the other two answer.
//!
//! Both take what [`programme::next_sessions`] returns; neither needs more of a visitor than the sport.

pub mod calendar;
pub mod day;
pub mod itinerary;
pub mod live;
pub mod places;
pub mod plan;
pub mod programme;
pub mod retention;
pub mod takeaway;
pub mod ways;
