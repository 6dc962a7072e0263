//! Embedders: aligned crops in, templates out.

pub mod fused;
pub mod iresnet;
pub mod mirrored;
pub mod mobilefacenet;
pub mod sface;
pub mod vectors;

use crate::{
    error::ModelError,
    image::Rgb,
    template::{ModelId, Template},
};

/// A network that turns a face into numbers that compare.
pub trait Embedder: Send {
    /// What its templates carry.
    fn model(&self) -> ModelId;

    /// One template for each crop of [`crate::align::aligned`], in their order.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when a crop is not 112×112, holds values that are no numbers, or the device fails.
    fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError>;
}
