//! SFace: a small embedder of 128 numbers.
//!
//! Zhong et al.: *SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition*, 2021. Weights: OpenCV model
//! zoo, 2021dec, Apache-2.0; trained on faces scraped from the web. Input `(B, 3, 112, 112)` RGB, 0..=255; the scaling
//! to −1..=1 is in the network. Output `(B, 128)`, not of unit length.

use crate::{
    align::SIDE,
    compute::Compute,
    embed::Embedder,
    error::ModelError,
    forward::Network,
    image::Rgb,
    template::{ModelId, Template},
    weights::store::Stored,
};
use zeroize::Zeroize;

/// Numbers in a template.
const LENGTH: usize = 128;

/// The embedder.
pub struct Sface {
    network: Network,
    model: ModelId,
    batch: Vec<f32>,
}

impl Sface {
    /// Places the network; `model` is what its templates will carry.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the weights are of another network.
    pub fn new(stored: Stored, compute: &Compute, model: ModelId) -> Result<Self, ModelError> {
        Ok(Self { network: Network::new(stored, compute)?, model, batch: Vec::new() })
    }
}

impl Embedder for Sface {
    fn model(&self) -> ModelId {
        self.model.clone()
    }

    fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
        if crops.is_empty() {
            return Ok(Vec::new());
        }
        let side = SIDE as usize;
        self.batch.clear();
        for crop in crops {
            if (crop.size.width, crop.size.height) != (SIDE, SIDE) || crop.data.len() != 3 * side * side {
                return Err(ModelError::Compute(format!(
                    "a crop of {}x{} for an embedder of {SIDE}x{SIDE}",
                    crop.size.width, crop.size.height
                )));
            }
            self.batch.extend_from_slice(&crop.data);
        }
        let mut outputs = self.network.forward(&self.batch, crops.len(), side, side)?;
        self.batch.zeroize();
        let [output] = &mut outputs[..] else {
            return Err(ModelError::Compute(format!("sface has one output, these weights have {}", outputs.len())));
        };
        if output.shape != [crops.len(), LENGTH] {
            return Err(ModelError::Compute(format!("sface made {:?}", output.shape)));
        }
        let templates = output
            .data
            .chunks_exact(LENGTH)
            .map(|vector| {
                Template::new(self.model.clone(), vector.to_vec())
                    .map_err(|error| ModelError::Compute(error.to_string()))
            })
            .collect();
        output.data.zeroize();
        templates
    }
}
