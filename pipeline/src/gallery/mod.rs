//! Gallery: the people who asked to be known.
//!
//! Nobody is here who did not ask. [`visitor`] says who somebody is, [`store`] keeps them sealed ([`seal`]) under the
//! box key ([`key`]), [`search`] finds them in memory, [`current`] is the one snapshot that everybody reads and replaces
//! it whole when the store changes. [`picture`] and [`enrol`] are the way in. A record of consent (who agreed to what,
//! when, and how it was taken back) and an audit trail of what operators did belong in this folder too, as
//! `consent.rs` and `audit.rs` beside the store: both write in the same transaction as the deed they record.

pub(crate) mod bars;
pub mod current;
pub mod enrol;
pub(crate) mod faces;
pub mod file;
pub mod hint;
pub mod key;
pub mod migrate;
pub mod name;
pub mod picture;
pub(crate) mod rows;
pub mod seal;
pub mod search;
pub mod signature;
pub mod store;
pub mod visitor;
