//! Accuracy: what was counted, and what may be said of it.
//!
//! Scores and counts in, rates with their intervals out. [`collection`] reads a folder of known faces and [`portraits`]
//! turns them into templates; everything else is pure. [`verification`] asks of two pictures whether they show one person,
//! [`open_set`] asks who of many a picture shows, if any; [`walks`] holds a gate against the [`truth`] about who
//! walked, and [`trials`] asks of walks at which threshold anybody is named.
//! [`calibration`] says which threshold a site's walks support, by counting and by the [`tail`] of their scores; [`site`] and
//! [`simulation`] judge that where the truth is known. [`rates`] and [`resample`] say how sure all of that is, [`page`] shows it.

pub mod calibration;
pub mod collection;
pub mod open_set;
pub mod page;
pub mod portraits;
pub mod rates;
pub mod resample;
pub mod simulation;
pub mod site;
pub mod spoilt;
pub mod tail;
pub mod trials;
pub mod truth;
pub mod verification;
pub mod walks;
