//! SFace: a small embedder of 128 numbers.
//!
//! Zhong et al.: *SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition*, 2021. Weights: OpenCV model
//! zoo, 2021dec, Apache-2.0; trained on faces scraped from the web. Input `(B, 3, 112, 112)` RGB, 0..=255; the scaling
//! to −1..=1 is in the network. Output `(B, 128)`, not of unit length.

use crate::{compute::Compute, embed::vectors::Vectors, error::ModelError, template::ModelId, weights::store::Stored};

/// Numbers in a template.
const LENGTH: usize = 128;

/// Places the network; `model` is what its templates will carry.
///
/// # Errors
/// [`ModelError::Compute`] when the weights are of another network.
pub fn sface(stored: Stored, compute: &Compute, model: ModelId) -> Result<Vectors, ModelError> {
    Vectors::new(stored, compute, model, LENGTH, None)
}
