//! SFace: a small embedder of 128 numbers.
//!
//! Zhong et al.: *SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition*, 2021. Weights: OpenCV model
//! zoo, 2021dec, Apache-2.0; trained on faces scraped from the web. Input `(B, 3, 112, 112)` RGB, 0..=255; the scaling
//! to −1..=1 is in the network. Output `(B, 128)`, not of unit length.

use crate::{
    compute::Compute,
    embed::{Embedder, vectors::Vectors},
    error::ModelError,
    image::Rgb,
    template::{ModelId, Template},
    weights::store::Stored,
};

/// Numbers in a template.
const LENGTH: usize = 128;

/// The embedder.
pub struct Sface(Vectors);

impl Sface {
    /// Places the network; `model` is what its templates will carry.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the weights are of another network.
    pub fn new(stored: Stored, compute: &Compute, model: ModelId) -> Result<Self, ModelError> {
        Ok(Self(Vectors::new(stored, compute, model, LENGTH, None)?))
    }
}

impl Embedder for Sface {
    fn model(&self) -> ModelId {
        self.0.model()
    }

    fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
        self.0.embed(crops)
    }
}
