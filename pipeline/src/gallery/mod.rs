//! Gallery: the people who asked to be known.

pub mod visitor;
