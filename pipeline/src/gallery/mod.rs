//! Gallery: the people who asked to be known.
//!
//! Nobody is here who did not ask. [`visitor`] says who somebody is, [`store`] keeps them sealed ([`seal`]) under the
//! box key ([`key`]), [`search`] finds them in memory, [`current`] is the one snapshot that everybody reads and replaces
//! it whole when the store changes. [`picture`] and [`enrol`] are the way in, [`forget`] the way out. [`notice`] is what
//! visitors are told, [`consent`] what they agreed to, [`audit`] the log that outlives both, [`receipt`] the box's
//! signature under them, [`pass`] what only the visitor holds.

pub mod audit;
pub(crate) mod bars;
pub mod confinement;
pub mod consent;
pub mod current;
pub mod decoder;
pub mod enrol;
pub mod enrolment;
pub(crate) mod faces;
pub mod file;
pub mod floor;
pub mod forget;
pub mod hint;
pub(crate) mod keeper;
pub mod key;
pub mod lowering;
pub mod migrate;
pub mod name;
pub mod notice;
pub mod pass;
pub mod picture;
pub mod receipt;
pub(crate) mod rows;
pub mod seal;
pub mod search;
pub mod signature;
pub mod store;
pub mod symbol;
pub mod unlocked;
pub mod visitor;
