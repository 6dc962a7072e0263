//! Updates: one signed file, on trial beside what runs, kept or taken back.
//!
//! Nothing here asks a network. What a box takes is decided by the keys in its `update.pub` and by the version; whether it
//! stays, by the gate that it makes. Decision 28 says why it is done with folders and one link.

pub mod apply;
pub mod file;
pub mod keys;
pub mod place;
pub mod release;
pub mod service;
pub mod trial;
