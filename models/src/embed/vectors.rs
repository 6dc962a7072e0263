//! An embedder of one network: crops in, one direction each out.

use crate::{
    align::SIDE,
    compute::Compute,
    embed::Embedder,
    error::ModelError,
    forward::Network,
    image::Rgb,
    net::Step,
    template::{ModelId, Template},
    weights::store::Stored,
};
use zeroize::Zeroize;

/// A network that makes one vector of each crop.
pub struct Vectors {
    network: Network,
    model: ModelId,
    /// Numbers in a vector.
    length: usize,
    /// What every value of a crop is multiplied by, and what is added then, before the network sees it.
    scaling: Option<(f32, f32)>,
    batch: Vec<f32>,
}

impl Vectors {
    /// Places the network.
    pub(super) fn new(
        stored: Stored,
        compute: &Compute,
        model: ModelId,
        length: usize,
        scaling: Option<(f32, f32)>,
    ) -> Result<Self, ModelError> {
        Ok(Self { network: Network::new(stored, compute)?, model, length, scaling, batch: Vec::new() })
    }
}

/// Whether a network scales the picture itself before anything else.
pub(crate) fn scales_itself(stored: &Stored) -> bool {
    let picture = &stored.description.input;
    stored.description.steps.iter().any(|step| matches!(step, Step::Affine { input, .. } if input == picture))
}

/// Numbers of the one vector that a network makes, as its last layer says.
pub(crate) fn length_of(stored: &Stored) -> Option<usize> {
    let [output] = &stored.description.outputs[..] else { return None };
    let mut value = output;
    loop {
        match stored.description.steps.iter().find(|step| step.output() == value)? {
            Step::Conv { bias, .. } | Step::Linear { bias, .. } => return Some(stored.tensors.get(bias)?.1.len()),
            Step::Affine { input, .. } => value = input,
            _ => return None,
        }
    }
}

impl Embedder for Vectors {
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
            match self.scaling {
                Some((scale, shift)) => self.batch.extend(crop.data.iter().map(|v| v * scale + shift)),
                None => self.batch.extend_from_slice(&crop.data),
            }
        }
        let mut outputs = self.network.forward(&self.batch, crops.len(), side, side)?;
        self.batch.zeroize();
        let (name, many) = (&self.model.0, outputs.len());
        let [output] = &mut outputs[..] else {
            return Err(ModelError::Compute(format!("{name} has one output, these weights have {many}")));
        };
        if output.shape.first() != Some(&crops.len()) || output.data.len() != crops.len() * self.length {
            return Err(ModelError::Compute(format!("{name} made {:?}", output.shape)));
        }
        let template = |vector: &[f32]| {
            Template::new(self.model.clone(), vector.to_vec()).map_err(|error| ModelError::Compute(error.to_string()))
        };
        let templates = output.data.chunks_exact(self.length).map(template).collect();
        output.data.zeroize();
        templates
    }
}
