//! A rendered hall whose crossings are known, and how well motion counts them.
//!
//! [`crowd`] says who walks where, [`hall`] paints them as a camera sees them, [`figures`] counts and holds the counts against
//! the truth.

pub(crate) mod crowd;
pub(crate) mod figures;
pub(crate) mod hall;
