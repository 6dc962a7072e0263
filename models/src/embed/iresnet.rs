//! IResNet: the large embedder of ArcFace.
//!
//! Deng et al.: *ArcFace: Additive Angular Margin Loss for Deep Face Recognition*, 2019. No weights come with usher: most
//! published ones are for non-commercial research only, all known to us are trained on faces scraped from the web. Input
//! `(B, 3, 112, 112)` RGB, `(x − 127.5) / 127.5`. Output 512 numbers, not of unit length.

use crate::{
    compute::Compute,
    embed::vectors::{Vectors, scales_itself},
    error::ModelError,
    template::ModelId,
    weights::store::Stored,
};

/// Numbers in a template.
const LENGTH: usize = 512;

/// Places the network; `model` is what its templates will carry.
///
/// # Errors
/// [`ModelError::Compute`] when the weights are of another network.
pub fn iresnet(stored: Stored, compute: &Compute, model: ModelId) -> Result<Vectors, ModelError> {
    let scaling = (!scales_itself(&stored)).then_some((1.0 / 127.5, -1.0));
    Vectors::new(stored, compute, model, LENGTH, scaling)
}
