//! Pixels in, numbers out: the rooms of `usher-models`.
//!
//! In the order in which a face meets them: a picture ([`image`], [`resample`]), its faces ([`detect`], [`face`],
//! [`nms`]), an aligned crop ([`align`], [`quality`]), a template ([`embed`], [`template`]), the
//! references most like it ([`search`]). Everything that knows a
//! device is behind [`compute`]; everything that knows where weights come from is in [`weights`], [`import`] and
//! [`catalog`]. A network by itself is called with slices ([`forward`]), or as an operator of a candle graph ([`operator`]).

/// By the name that support files of the integration tests call it, for unit tests that share them.
#[cfg(test)]
extern crate self as usher_models;

pub mod align;
pub mod architecture;
pub mod catalog;
mod codes;
mod colour;
pub mod compute;
#[cfg(test)]
mod construction;
mod convolution;
#[cfg(any(feature = "cuda", test))]
mod cuda;
pub mod detect;
pub mod embed;
pub mod error;
pub mod face;
pub mod forward;
pub mod image;
pub mod import;
mod kernels;
pub mod liveness;
pub mod net;
pub mod nms;
pub mod operator;
mod plain;
mod plan;
pub mod quality;
pub mod resample;
pub mod search;
mod source;
pub mod symbol;
mod taps;
pub mod template;
pub mod weights;
